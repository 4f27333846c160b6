/**
 * The rows of one kind that wait in the log, in about the order of their table: near is enough, it is the pages that count. They
 * are loaded and sorted a segment a step, so that no commit waits for all of them, and then taken from all segments at once.
 */
import type { Connection } from './connection.ts';
import { Heap } from './heap.ts';
import { eachRecord, LOG_COLUMNS, numbersOf } from './log-blob.ts';
import { BY_PATIENT, KEY, QUANTITY, WIDTH } from './rows.ts';

/** Loading and sorting them takes a few milliseconds. */
const ROWS_PER_SEGMENT = 8_000;

interface Segment {
  readonly rows: Float64Array;
  /** Row numbers in the order of the table. */
  readonly order: Float64Array;
  /** How many rows were loaded before its first one. */
  readonly first: number;
  next: number;
  /** Where the next row begins in `rows`. */
  at: number;
}

export interface Place {
  readonly rows: Float64Array;
  readonly at: number;
}

export class SortedRows {
  readonly #db: Connection;
  readonly #kind: number;
  readonly #width: number;
  readonly #upTo: number;
  readonly #segments: Segment[] = [];
  /** Rows that were taken away again, with how many rows had been loaded by then: only what came before goes. */
  readonly #gone = new Map<string, number>();
  #heap: Heap<Segment> | undefined;
  #lid = 0;
  #count = 0;

  constructor(db: Connection, kind: number, upTo: number) {
    this.#db = db;
    this.#kind = kind;
    this.#width = WIDTH[kind] as number;
    this.#upTo = upTo;
  }

  /** One segment more; true when there is nothing left to load. */
  load(): boolean {
    const blocks: Float64Array[] = [];
    const first = this.#count;
    const sql = `SELECT records, ${LOG_COLUMNS[this.#kind + 1]}, lid FROM log WHERE lid > ? AND lid <= ? ORDER BY lid`;
    let more = false;
    for (const row of this.#db.statement(sql).iterate(this.#lid, this.#upTo)) {
      const [inOrder, block, lid] = row as unknown as [Uint8Array | null, Uint8Array | null, number];
      this.#lid = lid;
      if (block) this.#add(numbersOf(block), blocks);
      if (inOrder) this.#addRecords(numbersOf(inOrder), blocks);
      more = this.#count - first >= ROWS_PER_SEGMENT;
      if (more) break;
    }
    if (blocks.length > 0) this.#segments.push(this.#segment(blocks, first));
    if (more) return false;
    const width = this.#width;
    this.#heap = new Heap<Segment>((a, b) => precedes(a.rows, a.at, b.rows, b.at, width), this.#segments);
    return true;
  }

  #add(rows: Float64Array, blocks: Float64Array[]): void {
    blocks.push(rows);
    this.#count += rows.length / this.#width;
  }

  #addRecords(records: Float64Array, blocks: Float64Array[]): void {
    eachRecord(records, (of, remove, numbers, from) => {
      if (of !== this.#kind) return;
      const record = numbers.subarray(from, from + this.#width);
      if (remove) this.#gone.set(record.join(), this.#count);
      else this.#add(record, blocks);
    });
  }

  #segment(blocks: readonly Float64Array[], first: number): Segment {
    const rows = new Float64Array((this.#count - first) * this.#width);
    let at = 0;
    for (const block of blocks) {
      rows.set(block, at);
      at += block.length;
    }
    const order = sortedOrder(this.#kind, rows);
    return { rows, order, first, next: 1, at: (order[0] as number) * this.#width };
  }

  /** Calls `use` with at most `max` rows; false when there are none left. */
  take(max: number, use: (place: Place) => void): boolean {
    const heap = this.#heap as Heap<Segment>;
    for (let n = 0; n < max; n++) {
      const segment = heap.first;
      if (!segment) return false;
      if (!this.#isGone(segment)) use(segment);
      if (segment.next < segment.order.length) {
        segment.at = (segment.order[segment.next++] as number) * this.#width;
        heap.moved();
      } else heap.removeFirst();
    }
    return true;
  }

  #isGone({ rows, at, first }: Segment): boolean {
    if (this.#gone.size === 0) return false;
    return first + at / this.#width < (this.#gone.get(rows.subarray(at, at + this.#width).join()) ?? 0);
  }
}

/** The columns stand in the order of the primary key of their table. */
function precedes(a: Float64Array, i: number, b: Float64Array, j: number, width: number): boolean {
  for (let k = 0; k < width; k++) {
    const x = a[i + k] as number;
    const y = b[j + k] as number;
    if (x !== y) return x < y;
  }
  return false;
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

/** Sorting plain numbers natively is ten times faster than with a comparison, so place and row number are packed into one. */
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
