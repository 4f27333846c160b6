/** One batch inside the writer's transaction: its preconditions, then its writes, documents, counters and touches. */
import type { Connection } from './connection.ts';
import type { Inserts } from './inserts.ts';
import type { Merge } from './merge.ts';
import { STRING, TOKEN } from './rows.ts';
import {
  type Cursor,
  DELETE,
  DOC_OPS,
  HAS_BODY,
  HAS_ID,
  HAS_KEY,
  HAS_NOTE,
  HAS_ORIGIN,
  IS_LIVE,
  PRE_VERSION,
  TAG_SEPARATOR,
  WAS_LIVE,
  type WireRefusal,
} from './wire.ts';

/** Thrown to refuse one batch. */
export class Refused extends Error {
  readonly refusal: WireRefusal;
  readonly index: number;
  readonly version: number;
  constructor(refusal: WireRefusal, index: number, version = 0) {
    super(refusal);
    this.refusal = refusal;
    this.index = index;
    this.version = version;
  }
}

/** What a transaction has gathered so far. */
export interface Gathered {
  readonly at: number;
  seq: number;
  maxRid: number;
  readonly log: Float64Array[];
  readonly counts: Map<number, number>;
  readonly inserts: Inserts;
}

/** Numbers of the batch that stand before its parts. */
export interface BatchHead {
  readonly preconditions: number;
  readonly writes: number;
  readonly docs: number;
  readonly counters: number;
  readonly touches: number;
}

const nullable = (value: number): number | null => (Number.isNaN(value) ? null : value);
const CURRENT = 'SELECT type, version, key, note FROM resource WHERE rid = ?';

/** @throws Refused */
export function applyBatch(db: Connection, merge: Merge, head: BatchHead, from: Cursor, to: Gathered): void {
  if (head.preconditions > 0) to.inserts.flush();
  for (let i = 0; i < head.preconditions; i++) checkPrecondition(db, from);
  for (let i = 0; i < head.writes; i++) applyWrite(db, merge, i, from, to);
  for (let i = 0; i < head.docs; i++) applyDoc(db, i, from, to.at);
  for (let i = 0; i < head.counters; i++)
    db.run(
      'INSERT INTO counter(value, name) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = value + excluded.value',
      from.number(),
      from.text(),
    );
  for (let i = 0; i < head.touches; i++)
    db.run(
      'INSERT INTO stamp(name, value) VALUES (?, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1',
      from.text(),
    );
}

function checkPrecondition(db: Connection, from: Cursor): void {
  const kind = from.number();
  const index = from.number();
  if (kind !== PRE_VERSION) {
    const stamp = from.number();
    if (db.number(0, 'SELECT value FROM stamp WHERE name = ?', from.text()) !== stamp)
      throw new Refused('guard', index);
    return;
  }
  const type = from.number();
  const given = from.number();
  const version = from.number();
  const id = from.text();
  const rid = given > 0 ? given : db.number(0, 'SELECT rid FROM client_id WHERE type = ? AND id = ?', type, id);
  const row = db.get(CURRENT, rid);
  const found = row?.[0] === type ? (row[1] as number) : 0;
  if (found !== version) throw new Refused('precondition', index, found);
}

function applyWrite(db: Connection, merge: Merge, index: number, from: Cursor, to: Gathered): void {
  const flags = from.number();
  const type = from.number();
  const rid = from.number();
  const cls = from.number();
  const form = from.number();
  const follows = from.number();
  const method = from.number();
  const oldCls = from.number();
  const oldDate = from.number();
  const date = from.number();
  const high = from.number();
  const pat = from.number();
  const checksum = from.number();
  const removed = from.number();
  const added = from.number();
  const log = from.slice(from.number());
  const id = flags & HAS_ID ? from.text() : null;
  const body = flags & HAS_BODY ? from.text() : null;
  const origin = flags & HAS_ORIGIN ? from.text() : null;
  const key = flags & HAS_KEY ? from.text() : null;
  const note = flags & HAS_NOTE ? from.text() : null;
  const seq = ++to.seq;
  if (follows === 0) {
    refuseExisting(db, index, type, rid, id, to);
    const { at } = to;
    to.inserts.resource.add(rid, type, cls, form || null, 1, at, seq, method, body, origin, id, key, note, checksum);
    if (id !== null) db.run('INSERT INTO client_id VALUES (?, ?, ?)', type, id, rid);
    if (rid > to.maxRid) to.maxRid = rid;
  } else {
    to.inserts.flush();
    moveToHistory(db, index, type, rid, follows, key);
    db.run(
      `UPDATE resource SET cls = ?, form = ?, version = ?, updated = ?, seq = ?, method = ?, body = ?, origin = ?,
       key = coalesce(?, key), note = CASE WHEN ? IS NULL THEN note ELSE ? END, checksum = ? WHERE rid = ?`,
      ...[cls, form || null, follows + 1, to.at, seq, method, body, origin, key, key, note, checksum, rid],
    );
  }
  to.inserts.change.add(seq, rid, type, follows + 1, method, to.at);
  if (flags & WAS_LIVE) {
    db.run('DELETE FROM by_class WHERE cls = ? AND date = ? AND rid = ?', oldCls, oldDate, rid);
    to.counts.set(oldCls, (to.counts.get(oldCls) ?? 0) - 1);
  }
  if (flags & IS_LIVE && method !== DELETE) {
    to.inserts.byClass.add(cls, date, rid, nullable(high), pat);
    to.counts.set(cls, (to.counts.get(cls) ?? 0) + 1);
  }
  for (let i = 0; i < removed; i++) textRow(db, from, rid, false);
  for (let i = 0; i < added; i++) textRow(db, from, rid, true);
  if (log.length === 0) return;
  to.log.push(log);
  if (follows > 0) merge.remove(log);
}

/** @throws Refused `exists` */
function refuseExisting(
  db: Connection,
  index: number,
  type: number,
  rid: number,
  id: string | null,
  to: Gathered,
): void {
  // Numbers come in order, nearly always: only an older one can be there.
  if (id === null && rid > to.maxRid) return;
  to.inserts.flush();
  const taken = id === null ? 0 : db.number(0, 'SELECT rid FROM client_id WHERE type = ? AND id = ?', type, id);
  const row = db.get(CURRENT, taken > 0 ? taken : rid);
  if (row) throw new Refused('exists', index, row[1] as number);
}

/** @throws Refused `version` */
function moveToHistory(
  db: Connection,
  index: number,
  type: number,
  rid: number,
  follows: number,
  key: string | null,
): void {
  const row = db.get(CURRENT, rid);
  const version = row?.[0] === type ? (row[1] as number) : 0;
  if (version !== follows) throw new Refused('version', index, version);
  const former = row?.[2] as string | null;
  if (key !== null && former !== null && former !== key)
    db.run('INSERT OR REPLACE INTO key_former VALUES (?, ?, ?)', former, rid, row?.[3] as string | null);
  db.run(
    `INSERT INTO history SELECT rid, version, type, form, updated, seq, method, body, origin FROM resource WHERE rid = ?`,
    rid,
  );
}

function textRow(db: Connection, from: Cursor, rid: number, add: boolean): void {
  const table = from.number();
  const param = from.number();
  const system = from.number();
  const first = from.text();
  const second = from.text();
  if (table === TOKEN)
    db.run(
      add
        ? 'INSERT OR IGNORE INTO token VALUES (?, ?, ?, ?)'
        : 'DELETE FROM token WHERE param = ? AND code = ? AND system = ? AND rid = ?',
      ...[param, first, system, rid],
    );
  else if (table === STRING)
    db.run(
      add
        ? 'INSERT OR IGNORE INTO string VALUES (?, ?, ?, ?)'
        : 'DELETE FROM string WHERE param = ? AND folded = ? AND text = ? AND rid = ?',
      ...[param, first, second, rid],
    );
  else
    db.run(
      add ? 'INSERT OR IGNORE INTO uri VALUES (?, ?, ?)' : 'DELETE FROM uri WHERE param = ? AND value = ? AND rid = ?',
      ...[param, first, rid],
    );
}

function applyDoc(db: Connection, index: number, from: Cursor, now: number): void {
  const op = DOC_OPS[from.number()];
  const expires = nullable(from.number());
  const [collection, key, body, tags, was] = [from.text(), from.text(), from.text(), from.text(), from.text()];
  const row = db.get('SELECT body, tags, expires FROM doc WHERE collection = ? AND key = ?', collection, key);
  const live = row !== undefined && (row[2] === null || (row[2] as number) > now);
  if (op === 'insert' && live) throw new Refused('doc-exists', index);
  if (op === 'replace' && (!live || row[0] !== was)) throw new Refused('doc-changed', index);
  const before = typeof row?.[1] === 'string' ? row[1].split(TAG_SEPARATOR) : [];
  const after = op === 'delete' || tags === '' ? [] : tags.split(TAG_SEPARATOR);
  for (const tag of before)
    if (!after.includes(tag))
      db.run('DELETE FROM doc_tag WHERE collection = ? AND tag = ? AND key = ?', collection, tag, key);
  if (op === 'delete') {
    if (row) db.run('DELETE FROM doc WHERE collection = ? AND key = ?', collection, key);
    return;
  }
  for (const tag of after)
    if (!before.includes(tag)) db.run('INSERT OR IGNORE INTO doc_tag VALUES (?, ?, ?)', collection, tag, key);
  const columns = [collection, key, body, tags === '' ? null : tags, expires];
  db.run(`INSERT ${row ? 'OR REPLACE ' : ''}INTO doc VALUES (?, ?, ?, ?, ?)`, ...columns);
}

/** Expired documents, a few at a time. Number of them. */
export function purge(db: Connection, now: number, documentsMax: number): number {
  const rows = db.all('SELECT collection, key, tags FROM doc WHERE expires <= ? LIMIT 0 + ?', now, documentsMax);
  for (const [collection, key, tags] of rows as [string, string, string | null][]) {
    for (const tag of tags?.split(TAG_SEPARATOR) ?? [])
      db.run('DELETE FROM doc_tag WHERE collection = ? AND tag = ? AND key = ?', collection, tag, key);
    db.run('DELETE FROM doc WHERE collection = ? AND key = ?', collection, key);
  }
  return rows.length;
}
