/**
 * Log and sorted merge. An index row with a random place (by patient, by device, by value, by key) costs a page of its own when
 * it is inserted alone. So a group's rows first go into `log` as one blob; when many have gathered they are inserted into their
 * tables in the order of those tables, some with each commit, so that a page takes many rows at once and nobody waits.
 *
 * A merge can be cut off anywhere: rows that are in a table already are ignored when they come again, and the log rows are
 * deleted last. A row that a later version took away is left out (`cancel`).
 */
import type { Connection } from './connection.ts';
import { BY_PATIENT, DATE, KEY, QUANTITY, REFERENCE, WIDTH } from './rows.ts';

/** Merged for each row that is appended: more than one, so that a merge ends before the next one begins. */
const MERGED_PER_ROW = 1.5;
/** Below this it waits for more: a few rows would cost a page each. */
const ROWS_PER_STEP = 500;
const LOG_ROWS_DELETED_PER_STEP = 50;
const BYTES_PER_NUMBER = 8;
const MEAN_ROW_BYTES = 38;

const INSERT: Readonly<Record<number, string>> = {
  [BY_PATIENT]: 'INSERT OR IGNORE INTO by_patient(pat, cls, date, rid, high) VALUES (?, ?, ?, ?, ?)',
  [REFERENCE]: 'INSERT OR IGNORE INTO reference(param, target, date, rid) VALUES (?, ?, ?, ?)',
  [QUANTITY]: 'INSERT OR IGNORE INTO quantity(param, unit, value, rid) VALUES (?, ?, ?, ?)',
  [DATE]: 'INSERT OR IGNORE INTO date_term(param, low, high, rid) VALUES (?, ?, ?, ?)',
  [KEY]: 'INSERT OR IGNORE INTO key(hash, rid) VALUES (?, ?)',
};
const REMOVE: Readonly<Record<number, string>> = {
  [BY_PATIENT]: 'DELETE FROM by_patient WHERE pat = ? AND cls = ? AND date = ? AND rid = ?',
  [REFERENCE]: 'DELETE FROM reference WHERE param = ? AND target = ? AND date = ? AND rid = ?',
  [QUANTITY]: 'DELETE FROM quantity WHERE param = ? AND unit = ? AND value = ? AND rid = ?',
  [DATE]: 'DELETE FROM date_term WHERE param = ? AND low = ? AND high = ? AND rid = ?',
  [KEY]: 'DELETE FROM key WHERE hash = ? AND rid = ?',
};
const KINDS = [BY_PATIENT, REFERENCE, QUANTITY, DATE, KEY] as const;
/** NaN stands for a column that is not stored. */
const sqlValue = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** Numbers of the blob of a log row. */
export function numbersOf(blob: Uint8Array): Float64Array {
  // The bytes that SQLite hands out need not lie on a multiple of eight.
  const copy = new Uint8Array(blob);
  return new Float64Array(copy.buffer, 0, copy.length / BYTES_PER_NUMBER);
}

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
    return Math.ceil(this.#db.number(0, 'SELECT sum(length(rows)) FROM log') / MEAN_ROW_BYTES);
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
    each(log, (kind, remove, record) => {
      if (remove) this.#db.run(REMOVE[kind] as string, ...(kind === BY_PATIENT ? record.subarray(0, 4) : record));
    });
  }

  /** The rows that an accepted batch took away are left out of a merge that is under way. */
  cancel(log: Float64Array): void {
    if (this.#chunk)
      each(log, (kind, remove, record) => {
        if (remove) this.#cancelled.add(`${kind},${record.join()}`);
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
    const insert = this.#db.statement(INSERT[kind] as string);
    const end = Math.min(chunk.done + rows, chunk.order.length);
    for (; chunk.done < end; chunk.done++) {
      const at = (chunk.order[chunk.done] as number) * width;
      const record = chunk.rows.subarray(at, at + width);
      if (this.#cancelled.size > 0 && this.#cancelled.has(`${kind},${record.join()}`)) continue;
      if (kind === KEY) insert.run(record[0] as number, record[1] as number);
      else if (kind === BY_PATIENT)
        insert.run(
          record[0] as number,
          record[1] as number,
          record[2] as number,
          record[3] as number,
          sqlValue(record[4] as number),
        );
      else insert.run(record[0] as number, record[1] as number, record[2] as number, record[3] as number);
    }
    return false;
  }

  /** Some each time; the last log row stays, empty, so that the numbers go on without a gap. */
  #deleteLog(chunk: Chunk): boolean {
    chunk.rows = chunk.order = new Float64Array(0);
    const first = this.#db.number(chunk.upTo, 'SELECT min(lid) FROM log');
    const end = Math.min(first + LOG_ROWS_DELETED_PER_STEP, chunk.upTo);
    this.#db.run('DELETE FROM log WHERE lid < ?', end);
    if (end < chunk.upTo) return false;
    this.#db.run("UPDATE log SET rows = x'' WHERE lid = ?", chunk.upTo);
    this.#chunk = undefined;
    this.#cancelled.clear();
    return true;
  }

  /** The rows of one kind, flat, without those that were taken away again. */
  #load(wanted: number, upTo: number): Float64Array {
    const width = WIDTH[wanted] as number;
    const found: number[] = [];
    const gone: string[] = [];
    for (const row of this.#db.statement('SELECT rows FROM log WHERE lid <= ? ORDER BY lid').iterate(upTo))
      each(numbersOf((row as unknown as [Uint8Array])[0]), (kind, remove, record) => {
        if (kind !== wanted) return;
        // Only what came before it goes: a row may be added again later.
        if (remove) gone.push(`${found.length / width} ${record.join()}`);
        else for (let i = 0; i < width; i++) found.push(record[i] as number);
      });
    const rows = Float64Array.from(found);
    return gone.length === 0 ? rows : without(rows, width, gone);
  }
}

function each(log: Float64Array, use: (kind: number, remove: boolean, record: Float64Array) => void): void {
  for (let i = 0; i < log.length; ) {
    const op = log[i] as number;
    const end = i + 1 + (WIDTH[op >> 1] as number);
    use(op >> 1, (op & 1) === 1, log.subarray(i + 1, end));
    i = end;
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
  const groups = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const [group] = place(kind, rows, i * width);
    const list = groups.get(group);
    if (list) list.push(i);
    else groups.set(group, [i]);
  }
  const order = new Float64Array(count);
  let filled = 0;
  for (const group of [...groups.keys()].sort((a, b) => a - b)) {
    const list = groups.get(group) as number[];
    const values = list.map((i) => place(kind, rows, i * width)[1]);
    const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const scale = high > low ? (Math.floor(2 ** 52 / count) - 1) / (high - low) : 0;
    const packed = Float64Array.from(
      list,
      (i, n) => Math.floor(((values[n] as number) - low) * scale) * count + i,
    ).sort();
    for (const p of packed) order[filled++] = p % count;
  }
  return order;
}
