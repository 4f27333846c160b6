/**
 * Log and sorted merge. An index row with a random place (by patient, by device, by value, by key) costs a page of its own when
 * it is inserted alone. So a group's rows first go into `log` as one blob; when many have gathered they are inserted into their
 * tables in the order of those tables, some with each commit, so that a page takes many rows at once and nobody waits.
 *
 * A merge can be cut off anywhere: rows that are in a table already are ignored when they come again, and the log rows are
 * deleted last. A row that a later version took away is left out (`cancel`).
 */

import { Bulk } from './bulk.ts';
import type { Connection } from './connection.ts';
import { eachRecord, LOG_COLUMNS, numbersOf } from './log-blob.ts';
import { BY_PATIENT, DATE, KEY, QUANTITY, REFERENCE, WIDTH } from './rows.ts';

/** Merged for each row that is appended: more than one, so that a merge ends before the next one begins. */
const MERGED_PER_ROW = 1.5;
/** Below this it waits for more: a few rows would cost a page each. */
const ROWS_PER_STEP = 500;
const LOG_ROWS_DELETED_PER_STEP = 50;
const MEAN_ROW_BYTES = 32;

const INTO: Readonly<Record<number, string>> = {
  [BY_PATIENT]: 'INSERT OR IGNORE INTO by_patient',
  [REFERENCE]: 'INSERT OR IGNORE INTO reference',
  [QUANTITY]: 'INSERT OR IGNORE INTO quantity',
  [DATE]: 'INSERT OR IGNORE INTO date_term',
  [KEY]: 'INSERT OR IGNORE INTO key',
};
const REMOVE: Readonly<Record<number, string>> = {
  [BY_PATIENT]: 'DELETE FROM by_patient WHERE pat = ? AND cls = ? AND date = ? AND rid = ?',
  [REFERENCE]: 'DELETE FROM reference WHERE param = ? AND target = ? AND date = ? AND rid = ?',
  [QUANTITY]: 'DELETE FROM quantity WHERE param = ? AND unit = ? AND value = ? AND rid = ?',
  [DATE]: 'DELETE FROM date_term WHERE param = ? AND low = ? AND high = ? AND rid = ?',
  [KEY]: 'DELETE FROM key WHERE hash = ? AND rid = ?',
};
const KINDS = [BY_PATIENT, REFERENCE, QUANTITY, DATE, KEY] as const;
interface Chunk {
  readonly upTo: number;
  /** Index into KINDS; KINDS.length: only the log rows are left to delete. */
  at: number;
  rows: Float64Array;
  order: Float64Array;
  done: number;
}

export class Merge {
  readonly #db: Connection;
  #chunk: Chunk | undefined;
  #gathered: number;
  #owed = 0;
  readonly #cancelled = new Set<string>();
  /** 250,000 rows are some 64,000 Observations: 10 MB in the log, as much in the memory of the main thread. */
  readonly #rowsPerMerge: number;
  readonly #rowsPerStep: number;

  constructor(db: Connection, rowsPerMerge: number) {
    this.#db = db;
    this.#rowsPerMerge = rowsPerMerge;
    this.#rowsPerStep = Math.min(ROWS_PER_STEP, rowsPerMerge);
    this.#gathered = this.#waiting();
  }

  #waiting(): number {
    const bytes = LOG_COLUMNS.map((column) => `coalesce(length(${column}), 0)`).join(' + ');
    return Math.ceil(this.#db.number(0, `SELECT sum(${bytes}) FROM log`) / MEAN_ROW_BYTES);
  }

  /** Another process wrote, or a transaction was rolled back: what is known of the log may be wrong. */
  restart(): void {
    this.#chunk = undefined;
    this.#cancelled.clear();
    this.#gathered = this.#waiting();
    this.#owed = 0;
  }

  /** Takes rows out of their tables; a savepoint may bring them back. */
  remove(log: Float64Array): void {
    eachRecord(log, (kind, remove, numbers, from) => {
      const width = kind === BY_PATIENT ? 4 : (WIDTH[kind] as number);
      if (remove) this.#db.run(REMOVE[kind] as string, ...numbers.subarray(from, from + width));
    });
  }

  /** The rows that an accepted batch took away are left out of a merge that is under way. */
  cancel(log: Float64Array): void {
    if (this.#chunk)
      eachRecord(log, (kind, remove, numbers, from) => {
        if (remove) this.#cancelled.add(`${kind},${numbers.subarray(from, from + (WIDTH[kind] as number)).join()}`);
      });
  }

  /**
   * After a group with `rows` new index rows, the last of them in log row `lid`; inside its transaction.
   * Says whether a merge of everything up to `lid` begins, and whether one has ended.
   */
  step(rows: number, lid: number): { sealed: boolean; merged: boolean } {
    this.#gathered += rows;
    const sealed = this.#chunk === undefined && this.#gathered >= this.#rowsPerMerge && lid > 0;
    if (sealed) {
      this.#chunk = { upTo: lid, at: -1, rows: new Float64Array(0), order: new Float64Array(0), done: 0 };
      this.#gathered = 0;
      this.#owed = 0;
      return { sealed, merged: false };
    }
    if (!this.#chunk) return { sealed, merged: false };
    this.#owed += Math.ceil(rows * MERGED_PER_ROW);
    if (this.#owed < this.#rowsPerStep) return { sealed, merged: false };
    const owed = this.#owed;
    this.#owed = 0;
    return { sealed, merged: this.#advance(this.#chunk, owed) };
  }

  /** True when the chunk is finished. */
  #advance(chunk: Chunk, rows: number): boolean {
    if (chunk.done >= chunk.order.length) {
      chunk.at++;
      if (chunk.at >= KINDS.length) return this.#deleteLog(chunk);
      chunk.rows = this.#load(KINDS[chunk.at] as number, chunk.upTo);
      chunk.order = sortedOrder(KINDS[chunk.at] as number, chunk.rows);
      chunk.done = 0;
      return false;
    }
    const kind = KINDS[chunk.at] as number;
    const width = WIDTH[kind] as number;
    const bulk = new Bulk(this.#db, INTO[kind] as string, width);
    const end = Math.min(chunk.done + rows, chunk.order.length);
    for (; chunk.done < end; chunk.done++) {
      const at = (chunk.order[chunk.done] as number) * width;
      const record = chunk.rows.subarray(at, at + width);
      if (this.#cancelled.size > 0 && this.#cancelled.has(`${kind},${record.join()}`)) continue;
      // NaN is stored as NULL.
      bulk.add(...record);
    }
    bulk.flush();
    return false;
  }

  /** Some each time; the last log row stays, empty, so that the numbers go on without a gap. */
  #deleteLog(chunk: Chunk): boolean {
    chunk.rows = chunk.order = new Float64Array(0);
    const first = this.#db.number(chunk.upTo, 'SELECT min(lid) FROM log');
    const end = Math.min(first + LOG_ROWS_DELETED_PER_STEP, chunk.upTo);
    this.#db.run('DELETE FROM log WHERE lid < ?', end);
    if (end < chunk.upTo) return false;
    const empty = LOG_COLUMNS.map((column) => `${column} = NULL`).join();
    this.#db.run(`UPDATE log SET ${empty} WHERE lid = ?`, chunk.upTo);
    this.#chunk = undefined;
    this.#cancelled.clear();
    return true;
  }

  /** The rows of one kind, flat, without those that were taken away again. */
  #load(kind: number, upTo: number): Float64Array {
    const width = WIDTH[kind] as number;
    const blocks: Float64Array[] = [];
    const gone: string[] = [];
    let length = 0;
    const add = (rows: Float64Array): void => {
      blocks.push(rows);
      length += rows.length;
    };
    const sql = `SELECT records, ${LOG_COLUMNS[kind + 1]} FROM log WHERE lid <= ? ORDER BY lid`;
    for (const row of this.#db.statement(sql).iterate(upTo)) {
      const [inOrder, block] = row as unknown as (Uint8Array | null)[];
      if (block) add(numbersOf(block));
      if (!inOrder) continue;
      eachRecord(numbersOf(inOrder), (of, remove, numbers, from) => {
        if (of !== kind) return;
        const record = numbers.subarray(from, from + width);
        // Only what came before it goes: a row may be added again later.
        if (remove) gone.push(`${length / width} ${record.join()}`);
        else add(record);
      });
    }
    const rows = new Float64Array(length);
    let at = 0;
    for (const block of blocks) {
      rows.set(block, at);
      at += block.length;
    }
    return gone.length === 0 ? rows : without(rows, width, gone);
  }
}

/** `gone`: `<number of rows before> <the row>`, each takes one earlier row away. */
function without(rows: Float64Array, width: number, gone: readonly string[]): Float64Array {
  const lastEnd = new Map<string, number>();
  for (const text of gone) {
    const space = text.indexOf(' ');
    lastEnd.set(text.slice(space + 1), Number(text.slice(0, space)));
  }
  const kept: number[] = [];
  for (let i = 0; i * width < rows.length; i++) {
    const record = rows.subarray(i * width, i * width + width);
    if (i >= (lastEnd.get(record.join()) ?? 0)) kept.push(...record);
  }
  return Float64Array.from(kept);
}

/** Rows of one group lie together in the table; within it the place goes by the second number. */
function place(kind: number, rows: Float64Array, at: number): [group: number, within: number] {
  const first = rows[at] as number;
  const second = rows[at + 1] as number;
  if (kind === BY_PATIENT) return [0, first * 4096 + second];
  if (kind === KEY) return [0, first];
  if (kind === QUANTITY) return [first * 2 ** 20 + second, rows[at + 2] as number];
  return [first, second];
}

/**
 * Row numbers in about the order of the table: near is enough, it is the pages that count. Sorting plain numbers natively is
 * ten times faster than with a comparison, so place and row number are packed into one.
 */
function sortedOrder(kind: number, rows: Float64Array): Float64Array {
  const width = WIDTH[kind] as number;
  const count = rows.length / width;
  const extents = new Map<number, { low: number; high: number; rank: number }>();
  for (let i = 0; i < count; i++) {
    const [group, within] = place(kind, rows, i * width);
    const extent = extents.get(group);
    if (!extent) extents.set(group, { low: within, high: within, rank: 0 });
    else if (within < extent.low) extent.low = within;
    else if (within > extent.high) extent.high = within;
  }
  const groups = [...extents.keys()].sort((a, b) => a - b);
  for (const [rank, group] of groups.entries()) (extents.get(group) as { rank: number }).rank = rank;
  // Every group has an equal share of what a double holds exactly.
  const share = Math.floor(2 ** 52 / Math.max(1, count) / Math.max(1, groups.length));
  const packed = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const [group, within] = place(kind, rows, i * width);
    const { low, high, rank } = extents.get(group) as { low: number; high: number; rank: number };
    const part = high > low ? (within - low) / (high - low) : 0;
    packed[i] = (rank * share + Math.floor(part * (share - 1))) * count + i;
  }
  packed.sort();
  for (let i = 0; i < count; i++) packed[i] = (packed[i] as number) % count;
  return packed;
}
