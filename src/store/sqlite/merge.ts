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
import { eachRecord, LOG_COLUMNS } from './log-blob.ts';
import { BY_PATIENT, DATE, KEY, QUANTITY, REFERENCE, WIDTH } from './rows.ts';
import { type Place, SortedRows } from './sorted-rows.ts';

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
  /** Of that kind. */
  sorted: SortedRows | undefined;
  loaded: boolean;
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
      this.#chunk = { upTo: lid, at: 0, sorted: undefined, loaded: false };
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
    const kind = KINDS[chunk.at];
    if (kind === undefined) return this.#deleteLog(chunk);
    chunk.sorted ??= new SortedRows(this.#db, kind, chunk.upTo);
    if (!chunk.loaded) {
      chunk.loaded = chunk.sorted.load();
      return false;
    }
    const width = WIDTH[kind] as number;
    const bulk = new Bulk(this.#db, INTO[kind] as string, width);
    const more = chunk.sorted.take(rows, (place) => {
      if (!this.#isCancelled(kind, place, width)) bulk.addNumbers(place.rows, place.at);
    });
    bulk.flush();
    if (more) return false;
    chunk.at++;
    chunk.sorted = undefined;
    chunk.loaded = false;
    return false;
  }

  #isCancelled(kind: number, { rows, at }: Place, width: number): boolean {
    return this.#cancelled.size > 0 && this.#cancelled.has(`${kind},${rows.subarray(at, at + width).join()}`);
  }

  /** Some each time; the last log row stays, empty, so that the numbers go on without a gap. */
  #deleteLog(chunk: Chunk): boolean {
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
}
