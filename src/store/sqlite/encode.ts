import { NO_TERMS, type Terms } from '../../fhir/terms.ts';
import type { Batch, DocWrite, Write, Written } from '../store.ts';
import { TYPE } from './dictionary.ts';
import type { GroupBuffer } from './group.ts';
import { keyHash, storedKey } from './keys.ts';
import type { Reader, ResourceRow } from './reader.ts';
import { additionsOf, changesOf, checksumOf, type IndexRows, indexRows, KEY, noRows, type TextRow } from './rows.ts';
import type { Skeletons, StoredBody } from './skeletons.ts';
import { strayRows } from './stray.ts';
import {
  DELETE,
  DOC_OPS,
  HAS_BODY,
  HAS_ID,
  HAS_KEY,
  HAS_NOTE,
  HAS_ORIGIN,
  IS_LIVE,
  METHODS,
  PRE_GUARD,
  PRE_VERSION,
  TAG_SEPARATOR,
  WAS_LIVE,
} from './wire.ts';

/** A write with what it becomes. */
export interface EncodedWrite {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly stored: StoredBody | undefined;
  readonly terms: Terms;
}

export interface EncodedBatch {
  readonly writes: readonly EncodedWrite[];
  /** Index rows for the log: [from, to) in the numbers of the group, a pair a write. */
  readonly logs: readonly number[];
}

/** The version of a resource that a write follows, as it is or as an earlier write of the batch leaves it. */
interface Before {
  readonly rid: number;
  readonly version: number;
  readonly id: string | null;
  readonly live: boolean;
  readonly rows: IndexRows;
}

const NOT_STORED = Number.NaN;

export class Encoder {
  readonly #reader: Reader;
  readonly #skeletons: Skeletons;
  readonly #nextRid: () => number;

  constructor(reader: Reader, skeletons: Skeletons, nextRid: () => number) {
    this.#reader = reader;
    this.#skeletons = skeletons;
    this.#nextRid = nextRid;
  }

  /**
   * Appends the batch to the group. `heldAlready`: the key of the write at an index is held by the same resource.
   * @throws when the batch is not well formed; what it has appended is to be cut off.
   */
  encode(batch: Batch, heldAlready: ReadonlySet<number>, out: GroupBuffer): EncodedBatch {
    const start = out.mark();
    const parts = [
      (batch.preconditions ?? []).filter((p) => p.kind !== 'query').length,
      batch.writes?.length ?? 0,
      batch.docs?.length ?? 0,
      Object.keys(batch.counters ?? {}).length,
      batch.touches?.length ?? 0,
    ];
    out.push(0, 0, ...parts);
    const begin = out.length;
    this.#preconditions(batch, out);
    const before = new Map<string, Before>();
    const logs: number[] = [];
    const writes = (batch.writes ?? []).map((write, i) => this.#write(write, heldAlready.has(i), before, out, logs));
    for (const doc of batch.docs ?? []) encodeDoc(doc, out);
    for (const [name, amount] of Object.entries(batch.counters ?? {})) {
      out.push(amount);
      out.texts.push(name);
    }
    out.texts.push(...(batch.touches ?? []));
    out.set(start.numbers, out.length - begin);
    out.set(start.numbers + 1, out.texts.length - start.texts);
    return { writes, logs };
  }

  #preconditions(batch: Batch, out: GroupBuffer): void {
    for (const [index, p] of (batch.preconditions ?? []).entries()) {
      // What a query finds was compared when the group was put together (sequence.ts).
      if (p.kind === 'query') continue;
      if (p.kind === 'guard') {
        out.push(PRE_GUARD, index, p.stamp);
        out.texts.push(p.name);
        continue;
      }
      const row = this.#reader.resolve(p.type, p.id);
      const rid = row?.rid ?? this.#ownRid(p.id) ?? 0;
      out.push(PRE_VERSION, index, this.#reader.dict.id(TYPE, p.type), rid, p.version);
      out.texts.push(p.id);
    }
  }

  #write(write: Write, held: boolean, befores: Map<string, Before>, out: GroupBuffer, logs: number[]): EncodedWrite {
    const { type, id } = write.draft;
    const before = befores.get(`${type}/${id}`) ?? this.#before(write);
    const own = before ? undefined : this.#ownRid(id);
    const rid = before?.rid ?? own ?? this.#nextRid();
    const isOurs = before ? before.id === null : own !== undefined;
    const deleted = write.method === 'DELETE';
    const rows = deleted ? noRows(this.#reader, type) : indexRows(this.#reader, type, rid, write.terms);
    const old = before?.live ? before.rows : undefined;
    const { log, removed, added } = old ? changesOf(old, rows) : additionsOf(rows);
    const key = write.key === undefined ? undefined : storedKey(write.key);
    const stored = deleted ? undefined : this.#skeletons.store(write.draft);
    const flags =
      (isOurs || write.follows > 0 ? 0 : HAS_ID) |
      (stored ? HAS_BODY : 0) |
      (write.origin === undefined ? 0 : HAS_ORIGIN) |
      (key === undefined ? 0 : HAS_KEY) |
      (write.keyNote === undefined ? 0 : HAS_NOTE) |
      (deleted ? 0 : IS_LIVE) |
      (old ? WAS_LIVE : 0);
    const { cls, date, high, pat } = rows.place;
    out.push(flags, this.#reader.dict.id(TYPE, type), rid, cls, stored?.form ?? 0, write.follows);
    out.push(METHODS.indexOf(write.method), old?.place.cls ?? 0, old?.place.date ?? NOT_STORED);
    const newKey = key === undefined || held ? 0 : 1;
    out.push(date, high, pat, checksumOf(rows), removed.length, added.length, log.length + newKey * 3);
    logs.push(out.length);
    out.pushAll(log);
    if (newKey) out.push(KEY * 2, keyHash(key as string), rid);
    logs.push(out.length);
    if (flags & HAS_ID) out.texts.push(id);
    if (stored) out.texts.push(stored.body);
    if (write.origin !== undefined) out.texts.push(write.origin);
    if (key !== undefined) out.texts.push(key);
    if (write.keyNote !== undefined) out.texts.push(write.keyNote);
    for (const row of removed) encodeText(row, out);
    for (const row of added) encodeText(row, out);
    const version = write.follows + 1;
    befores.set(`${type}/${id}`, { rid, version, id: isOurs ? null : id, live: !deleted, rows });
    return { type, id, version, stored, terms: deleted ? NO_TERMS : write.terms };
  }

  /** The number that an id of ours has; undefined for an id that a client made up. */
  #ownRid(id: string): number | undefined {
    const own = this.#reader.ids.decode(id);
    return own !== undefined && this.#reader.isHandedOut(own) ? own : undefined;
  }

  #before(write: Write): Before | undefined {
    if (write.follows === 0) return undefined;
    const { type, id } = write.draft;
    const row = this.#reader.resolve(type, id);
    if (!row) return { rid: 0, version: 0, id, live: false, rows: noRows(this.#reader, type) };
    const live = row.method !== DELETE && row.version === write.follows;
    return { rid: row.rid, version: row.version, id: row.id, live, rows: this.#rowsOf(type, row, live) };
  }

  /** The index rows that the newest version was stored with. */
  #rowsOf(type: string, row: ResourceRow, live: boolean): IndexRows {
    if (!live) return noRows(this.#reader, type);
    const rows = indexRows(this.#reader, type, row.rid, this.#reader.termsOf(row));
    return checksumOf(rows) === row.checksum ? rows : strayRows(this.#reader, row);
  }
}

function encodeText(row: TextRow, out: GroupBuffer): void {
  out.push(row.table, row.param, row.system);
  out.texts.push(row.first, row.second);
}

function encodeDoc(write: DocWrite, out: GroupBuffer): void {
  out.push(DOC_OPS.indexOf(write.op));
  if (write.op === 'delete') {
    out.push(NOT_STORED);
    out.texts.push(write.collection, write.key, '', '', '');
    return;
  }
  const { collection, key, body, tags, expires } = write.doc;
  out.push(expires ?? NOT_STORED);
  out.texts.push(
    collection,
    key,
    body,
    [...new Set(tags)].join(TAG_SEPARATOR),
    write.op === 'replace' ? write.was : '',
  );
}

/** What a commit answers for one write. Its text is put together when somebody asks for it: ingest never does. */
export class WrittenVersion implements Written {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly lastUpdated: string;
  readonly #stored: StoredBody | undefined;
  readonly #updated: number;
  readonly #skeletons: Skeletons;

  constructor({ type, id, version, stored }: EncodedWrite, updated: number, lastUpdated: string, skeletons: Skeletons) {
    this.type = type;
    this.id = id;
    this.version = version;
    this.lastUpdated = lastUpdated;
    this.#stored = stored;
    this.#updated = updated;
    this.#skeletons = skeletons;
  }

  get text(): string {
    const { type, id, version } = this;
    return this.#stored ? this.#skeletons.render(type, id, version, this.#updated, this.#stored) : '';
  }
}
