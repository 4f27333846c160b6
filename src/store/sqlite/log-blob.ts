/**
 * The index rows of a group as the blob of one log row. Rows that only add are laid out kind by kind, so that a merge takes each
 * kind as a block; a group that takes rows away keeps its records in their order, which then counts.
 */
import { WIDTH } from './rows.ts';

const KINDS = WIDTH.length;
const BYTES_PER_NUMBER = 8;
/** First number of a blob. */
const IN_ORDER = 0;
const BY_KIND = 1;

/** Calls with each record of a log as it comes from the main thread: op, then the numbers of the row. */
export function eachRecord(
  log: Float64Array,
  use: (kind: number, remove: boolean, log: Float64Array, at: number) => void,
): number {
  let records = 0;
  for (let i = 0; i < log.length; records++) {
    const op = log[i] as number;
    use(op >> 1, (op & 1) === 1, log, i + 1);
    i += 1 + (WIDTH[op >> 1] as number);
  }
  return records;
}

export interface Packed {
  readonly blob: Uint8Array;
  readonly records: number;
}

export function pack(logs: readonly Float64Array[]): Packed {
  const counts = new Array<number>(KINDS).fill(0);
  let records = 0;
  let removes = false;
  for (const log of logs)
    records += eachRecord(log, (kind, remove) => {
      counts[kind] = (counts[kind] as number) + 1;
      removes ||= remove;
    });
  return { blob: new Uint8Array((removes ? inOrder(logs) : byKind(logs, counts)).buffer), records };
}

function inOrder(logs: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(1 + logs.reduce((sum, log) => sum + log.length, 0));
  all[0] = IN_ORDER;
  let at = 1;
  for (const log of logs) {
    all.set(log, at);
    at += log.length;
  }
  return all;
}

/** BY_KIND, a count a kind, then the rows without their op. */
function byKind(logs: readonly Float64Array[], counts: readonly number[]): Float64Array {
  const starts: number[] = [];
  let length = 1 + KINDS;
  for (let kind = 0; kind < KINDS; kind++) {
    starts.push(length);
    length += (counts[kind] as number) * (WIDTH[kind] as number);
  }
  const all = new Float64Array(length);
  all[0] = BY_KIND;
  all.set(counts, 1);
  for (const log of logs)
    eachRecord(log, (kind, _, numbers, from) => {
      const width = WIDTH[kind] as number;
      const to = starts[kind] as number;
      for (let i = 0; i < width; i++) all[to + i] = numbers[from + i] as number;
      starts[kind] = to + width;
    });
  return all;
}

/** The bytes that SQLite hands out need not lie on a multiple of eight. */
function numbersOf(blob: Uint8Array): Float64Array {
  const copy = new Uint8Array(blob);
  return new Float64Array(copy.buffer, 0, copy.length / BYTES_PER_NUMBER);
}

/** The rows of one kind: a block of rows to add, or record after record. */
export function unpack(
  blob: Uint8Array,
  wanted: number,
  block: (rows: Float64Array) => void,
  record: (remove: boolean, row: Float64Array) => void,
): void {
  const all = numbersOf(blob);
  if (all.length === 0) return;
  const width = WIDTH[wanted] as number;
  if (all[0] === IN_ORDER) {
    eachRecord(all.subarray(1), (kind, remove, numbers, from) => {
      if (kind === wanted) record(remove, numbers.subarray(from, from + width));
    });
    return;
  }
  let start = 1 + KINDS;
  for (let kind = 0; kind < wanted; kind++) start += (all[1 + kind] as number) * (WIDTH[kind] as number);
  block(all.subarray(start, start + (all[1 + wanted] as number) * width));
}

/** As the main thread has it: op, then the numbers of the row, record after record. */
export function records(blob: Uint8Array): Float64Array {
  const all = numbersOf(blob);
  if (all.length === 0 || all[0] === IN_ORDER) return all.subarray(1);
  const found: number[] = [];
  let at = 1 + KINDS;
  for (let kind = 0; kind < KINDS; kind++) {
    const width = WIDTH[kind] as number;
    for (let n = all[1 + kind] as number; n > 0; n--, at += width)
      found.push(kind * 2, ...all.subarray(at, at + width));
  }
  return Float64Array.from(found);
}
