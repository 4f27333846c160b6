/**
 * Runs of index rows in order of (date, rid), and their merge. A run is one (patient, class), one class or one (parameter,
 * target); it is read in pieces, so that a page costs what it shows, not what there is.
 */
import type { Row } from './connection.ts';
import { Heap } from './heap.ts';
import type { DateRange } from './range.ts';
import type { Reader } from './reader.ts';

export interface Entry {
  readonly date: number;
  readonly rid: number;
  /** 0: not known. */
  readonly cls: number;
  /** NaN: not stored. */
  readonly high: number;
  /** NaN: not known. */
  readonly pat: number;
}

/** Exclusive: what comes next in the order. */
export interface Position {
  readonly date: number;
  readonly rid: number;
}

export interface Course {
  readonly descending: boolean;
  readonly after: Position | undefined;
  /** Rows to read at first; later pieces grow. */
  readonly piece: number;
}

const PIECE_ROWS_MAX = 1_000;
const PIECE_ROWS_MIN = 4;
/** Runs are of unequal length: a little more than an equal share of each is read at first. */
const SHARE = 1.3;

/** Rows to read at first of each of several runs that together are to give `rows`. */
export const pieceOf = (rows: number, runs: number): number =>
  Math.min(rows, Math.max(PIECE_ROWS_MIN, Math.ceil((rows * SHARE) / Math.max(1, runs))));

interface Source {
  readonly table: 'by_patient' | 'by_class' | 'reference';
  readonly first: number;
  readonly second: number;
}

const TABLES = {
  by_patient: { keys: 'pat = ? AND cls = ?', columns: 'date, rid, high, 0' },
  by_class: { keys: 'cls = ? AND 0 = ?', columns: 'date, rid, high, pat' },
  reference: { keys: 'param = ? AND target = ?', columns: 'date, rid, NULL, 0' },
} as const;

const SQL: Record<string, string> = {};
for (const [table, { keys, columns }] of Object.entries(TABLES)) {
  SQL[`${table} down`] =
    `SELECT ${columns} FROM ${table} WHERE ${keys} AND (date, rid) < (?, ?) AND date >= ? ORDER BY date DESC, rid DESC LIMIT 0 + ?`;
  SQL[`${table} up`] =
    `SELECT ${columns} FROM ${table} WHERE ${keys} AND (date, rid) > (?, ?) AND date < ? ORDER BY date, rid LIMIT 0 + ?`;
}

/** One run of rows of a table. */
class TableRun {
  readonly #reader: Reader;
  readonly #source: Source;
  readonly #sql: string;
  /** The end that is not moved by reading. */
  readonly #end: number;
  #from: Position;
  #rows: Row[] = [];
  #at = 0;
  #piece: number;
  #more = true;

  constructor(reader: Reader, source: Source, range: DateRange, course: Course) {
    this.#reader = reader;
    this.#source = source;
    this.#sql = SQL[`${source.table} ${course.descending ? 'down' : 'up'}`] as string;
    this.#piece = course.piece;
    // Rids begin at 1: (date, 0) stands before every row of that date.
    const begin = { date: course.descending ? range.to : range.from, rid: 0 };
    this.#end = course.descending ? range.from : range.to;
    this.#from = course.after && precedes(begin, course.after, course.descending) ? course.after : begin;
  }

  next(): Entry | undefined {
    if (this.#at >= this.#rows.length) {
      if (!this.#more) return undefined;
      const { first, second } = this.#source;
      const { date, rid } = this.#from;
      this.#rows = this.#reader.db.all(this.#sql, first, second, date, rid, this.#end, this.#piece);
      this.#at = 0;
      this.#more = this.#rows.length === this.#piece;
      this.#piece = Math.min(this.#piece * 4, PIECE_ROWS_MAX);
      const last = this.#rows.at(-1);
      if (!last) return undefined;
      this.#from = { date: last[0] as number, rid: last[1] as number };
    }
    const row = this.#rows[this.#at++] as Row;
    const high = typeof row[2] === 'number' ? row[2] : Number.NaN;
    const { table, first, second } = this.#source;
    if (table === 'by_patient') return { date: row[0] as number, rid: row[1] as number, cls: second, high, pat: first };
    const pat = table === 'by_class' ? (row[3] as number) : Number.NaN;
    return { date: row[0] as number, rid: row[1] as number, cls: table === 'by_class' ? first : 0, high, pat };
  }
}

/** Rows that are at hand, in any order: sorted as far as they are asked for. */
class ListRun {
  readonly #heap: Heap<Entry>;
  constructor(entries: readonly Entry[], { after, descending }: Course) {
    const left = after ? entries.filter((e) => precedes(after, e, descending)) : entries;
    this.#heap = new Heap<Entry>((a, b) => precedes(a, b, descending), left);
  }
  next(): Entry | undefined {
    return this.#heap.removeFirst();
  }
}

export type Run = TableRun | ListRun;

/** Whether a comes before b in the order. */
export const precedes = (a: Position, b: Position, descending: boolean): boolean =>
  a.date === b.date ? (descending ? a.rid > b.rid : a.rid < b.rid) : descending ? a.date > b.date : a.date < b.date;

export const patientRun = (reader: Reader, pat: number, cls: number, range: DateRange, course: Course): Run =>
  new TableRun(reader, { table: 'by_patient', first: pat, second: cls }, range, course);
export const classRun = (reader: Reader, cls: number, range: DateRange, course: Course): Run =>
  new TableRun(reader, { table: 'by_class', first: cls, second: 0 }, range, course);
export const referenceRun = (reader: Reader, param: number, target: number, range: DateRange, course: Course): Run =>
  new TableRun(reader, { table: 'reference', first: param, second: target }, range, course);
export const listRun = (entries: readonly Entry[], course: Course): Run => new ListRun(entries, course);

/** All entries in order, each resource once. */
export function* merged(runs: readonly Run[], descending: boolean): Generator<Entry, void> {
  const heads: { entry: Entry; readonly run: Run }[] = [];
  for (const run of runs) {
    const entry = run.next();
    if (entry) heads.push({ entry, run });
  }
  const heap = new Heap<{ entry: Entry; readonly run: Run }>((a, b) => precedes(a.entry, b.entry, descending), heads);
  let last = 0;
  for (let top = heap.first; top; top = heap.first) {
    // A row that is being merged is in its table and in the tail; a shared resource is in the runs of several patients.
    if (top.entry.rid !== last) yield top.entry;
    last = top.entry.rid;
    const next = top.run.next();
    if (next) {
      top.entry = next;
      heap.moved();
    } else heap.removeFirst();
  }
}
