/** The index rows of a group as the blobs of one log row. */
import type { Row } from './connection.ts';
import { WIDTH } from './rows.ts';

/** Columns of a log row: the records in their order, then a block a kind. */
export const LOG_COLUMNS = ['records', 'by_patient', 'reference', 'quantity', 'date_term', 'key'] as const;
const BYTES_PER_NUMBER = 8;

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
  /** In the order of `LOG_COLUMNS`. */
  readonly blobs: readonly (Uint8Array | null)[];
  readonly records: number;
}

const bytesOf = (numbers: Float64Array): Uint8Array | null =>
  numbers.length === 0 ? null : new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);

export function pack(logs: readonly Float64Array[]): Packed {
  const counts = WIDTH.map(() => 0);
  let records = 0;
  let removes = false;
  for (const log of logs)
    records += eachRecord(log, (kind, remove) => {
      counts[kind] = (counts[kind] as number) + 1;
      removes ||= remove;
    });
  if (removes) return { blobs: [bytesOf(inOrder(logs)), ...WIDTH.map(() => null)], records };
  return { blobs: [null, ...byKind(logs, counts).map(bytesOf)], records };
}

function inOrder(logs: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(logs.reduce((sum, log) => sum + log.length, 0));
  let at = 0;
  for (const log of logs) {
    all.set(log, at);
    at += log.length;
  }
  return all;
}

/** The rows of each kind without their op. */
function byKind(logs: readonly Float64Array[], counts: readonly number[]): Float64Array[] {
  const blocks = WIDTH.map((width, kind) => new Float64Array(width * (counts[kind] as number)));
  const filled = WIDTH.map(() => 0);
  for (const log of logs)
    eachRecord(log, (kind, _, numbers, from) => {
      const block = blocks[kind] as Float64Array;
      const width = WIDTH[kind] as number;
      const to = filled[kind] as number;
      for (let i = 0; i < width; i++) block[to + i] = numbers[from + i] as number;
      filled[kind] = to + width;
    });
  return blocks;
}

/** The bytes that SQLite hands out need not lie on a multiple of eight. */
export function numbersOf(blob: Uint8Array): Float64Array {
  if (blob.byteOffset % BYTES_PER_NUMBER === 0)
    return new Float64Array(blob.buffer, blob.byteOffset, blob.byteLength / BYTES_PER_NUMBER);
  return new Float64Array(new Uint8Array(blob).buffer);
}

/** `LOG_COLUMNS` of a row as the main thread has it: op, then the numbers of the row, record after record. */
export function recordsOf([inTheirOrder, ...blocks]: Row): Float64Array {
  if (inTheirOrder) return numbersOf(inTheirOrder as Uint8Array);
  const found: number[] = [];
  for (const [kind, blob] of blocks.entries()) {
    if (!blob) continue;
    const rows = numbersOf(blob as Uint8Array);
    const width = WIDTH[kind] as number;
    for (let at = 0; at < rows.length; at += width) found.push(kind * 2, ...rows.subarray(at, at + width));
  }
  return Float64Array.from(found);
}
