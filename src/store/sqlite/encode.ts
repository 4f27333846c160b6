/** A batch as the flat numbers and texts of one message to the writer, and what is kept here until it is committed. */
import { instant } from '../../base/clock.ts';
import { NO_TERMS, type Terms } from '../../fhir/terms.ts';
import type { Batch, DocWrite, Write, Written } from '../store.ts';
import { TYPE } from './dictionary.ts';
import { keyHash, storedKey } from './keys.ts';
import type { Reader, ResourceRow } from './reader.ts';
import { changesOf, type IndexRows, indexRows, KEY, noRows, type TextRow } from './rows.ts';
import type { Skeletons, StoredBody } from './skeletons.ts';
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
  readonly numbers: number[];
  readonly texts: string[];
  readonly writes: readonly EncodedWrite[];
  /** Index rows for the log. */
  readonly log: number[];
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

  /** `heldAlready`: the key of the write at an index is held by the same resource. */
  encode(batch: Batch, heldAlready: ReadonlySet<number>): EncodedBatch {
    const out: EncodedBatch = { numbers: [], texts: [], writes: [], log: [] };
    this.#preconditions(batch, out);
    const before = new Map<string, Before>();
    const writes = (batch.writes ?? []).map((write, i) => this.#write(write, heldAlready.has(i), before, out));
    for (const doc of batch.docs ?? []) encodeDoc(doc, out);
    for (const [name, amount] of Object.entries(batch.counters ?? {})) {
      out.numbers.push(amount);
      out.texts.push(name);
    }
    out.texts.push(...(batch.touches ?? []));
    return { ...out, writes };
  }

  #preconditions(batch: Batch, out: EncodedBatch): void {
    for (const [index, p] of (batch.preconditions ?? []).entries()) {
      // What a query finds was compared when the group was put together (sequence.ts).
      if (p.kind === 'query') continue;
      if (p.kind === 'guard') {
        out.numbers.push(PRE_GUARD, index, p.stamp);
        out.texts.push(p.name);
        continue;
      }
      const row = this.#reader.resolve(p.type, p.id);
      const rid = row?.rid ?? this.#reader.ids.decode(p.id) ?? 0;
      out.numbers.push(PRE_VERSION, index, this.#reader.dict.id(TYPE, p.type), row ? rid : 0, p.version);
      out.texts.push(p.id);
    }
  }

  #write(write: Write, held: boolean, befores: Map<string, Before>, out: EncodedBatch): EncodedWrite {
    const { type, id } = write.draft;
    const path = `${type}/${id}`;
    const before = befores.get(path) ?? this.#before(write);
    const named = this.#reader.ids.decode(id) !== undefined && before?.id === null;
    const rid = before?.rid ?? this.#ridFor(id);
    const isOurs = before ? named : rid === this.#reader.ids.decode(id);
    const deleted = write.method === 'DELETE';
    const tools = this.#reader;
    const terms = deleted ? NO_TERMS : write.terms;
    const rows = deleted ? noRows(tools, type) : indexRows(tools, type, rid, terms);
    const old = before?.live ? before.rows : noRows(tools, type);
    const { log, removed, added } = changesOf(old, rows);
    const key = write.key === undefined ? undefined : storedKey(write.key);
    const logged = key === undefined || held ? log : [...log, KEY * 2, keyHash(key), rid];
    const stored = deleted ? undefined : this.#skeletons.store(write.draft);
    const flags =
      (isOurs || write.follows > 0 ? 0 : HAS_ID) |
      (stored ? HAS_BODY : 0) |
      (write.origin === undefined ? 0 : HAS_ORIGIN) |
      (key === undefined ? 0 : HAS_KEY) |
      (write.keyNote === undefined ? 0 : HAS_NOTE) |
      (deleted ? 0 : IS_LIVE) |
      (before?.live ? WAS_LIVE : 0);
    const place = before?.live ? before.rows.place : undefined;
    out.numbers.push(flags, this.#reader.dict.id(TYPE, type), rid, rows.place.cls, stored?.form ?? 0, write.follows);
    out.numbers.push(METHODS.indexOf(write.method), place?.cls ?? 0, place?.date ?? NOT_STORED);
    out.numbers.push(rows.place.date, rows.place.high, rows.place.pat, removed.length, added.length);
    pushAll(out.numbers, [logged.length], logged);
    pushAll(out.log, logged);
    if (flags & HAS_ID) out.texts.push(id);
    if (stored) out.texts.push(stored.body);
    if (write.origin !== undefined) out.texts.push(write.origin);
    if (key !== undefined) out.texts.push(key);
    if (write.keyNote !== undefined) out.texts.push(write.keyNote);
    for (const row of removed) encodeText(row, out);
    for (const row of added) encodeText(row, out);
    const version = write.follows + 1;
    befores.set(path, { rid, version, id: isOurs ? null : id, live: !deleted, rows });
    return { type, id, version, stored, terms };
  }

  /** A new id of ours has its number already; a client's gets the next one. */
  #ridFor(id: string): number {
    const own = this.#reader.ids.decode(id);
    return own !== undefined && this.#reader.isHandedOut(own) ? own : this.#nextRid();
  }

  #before(write: Write): Before | undefined {
    if (write.follows === 0) return undefined;
    const { type, id } = write.draft;
    const row = this.#reader.resolve(type, id);
    if (!row) return { rid: 0, version: 0, id, live: false, rows: noRows(this.#reader, type) };
    const live = row.method !== DELETE && row.version === write.follows;
    return { rid: row.rid, version: row.version, id: row.id, live, rows: this.#rowsOf(type, row, live) };
  }

  /** The index rows of a version as it was written: the extractor says the same of the same text. */
  #rowsOf(type: string, row: ResourceRow, live: boolean): IndexRows {
    if (!live) return noRows(this.#reader, type);
    return indexRows(this.#reader, type, row.rid, this.#reader.termsOf(row));
  }
}

function pushAll(to: number[], ...lists: readonly (readonly number[])[]): void {
  for (const list of lists) for (const n of list) to.push(n);
}

function encodeText(row: TextRow, out: EncodedBatch): void {
  out.numbers.push(row.table, row.param, row.system);
  out.texts.push(row.first, row.second);
}

function encodeDoc(write: DocWrite, out: EncodedBatch): void {
  out.numbers.push(DOC_OPS.indexOf(write.op));
  if (write.op === 'delete') {
    out.numbers.push(NOT_STORED);
    out.texts.push(write.collection, write.key, '', '', '');
    return;
  }
  const { collection, key, body, tags, expires } = write.doc;
  out.numbers.push(expires ?? NOT_STORED);
  out.texts.push(
    collection,
    key,
    body,
    [...new Set(tags)].join(TAG_SEPARATOR),
    write.op === 'replace' ? write.was : '',
  );
}

/** What a commit answers for one write. */
export const writtenOf = (write: EncodedWrite, updated: number, skeletons: Skeletons): Written => ({
  type: write.type,
  id: write.id,
  version: write.version,
  lastUpdated: instant(updated),
  text: write.stored ? skeletons.render(write.type, write.id, write.version, updated, write.stored) : '',
});
