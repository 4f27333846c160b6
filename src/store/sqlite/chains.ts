/**
 * Rows of numbers by a number, outside the JavaScript heap: tens of thousands of small arrays in a Map cost three times the
 * memory, and the garbage collector goes over them again and again.
 */

const SLOTS_AT_FIRST = 64;
const ROWS_AT_FIRST = 32;
const NONE = -1;

export class Chains {
  readonly #width: number;
  /** Open addressing: a key and the newest row of its chain. */
  #keys = new Float64Array(SLOTS_AT_FIRST).fill(Number.NaN);
  #newest = new Int32Array(SLOTS_AT_FIRST).fill(NONE);
  #used = 0;
  #rows: Float64Array;
  #older = new Int32Array(ROWS_AT_FIRST);
  #length = 0;

  constructor(width: number) {
    this.#width = width;
    this.#rows = new Float64Array(ROWS_AT_FIRST * width);
  }

  /** The slot of a key, or the free one where it belongs. */
  #slot(key: number, keys: Float64Array): number {
    const mask = keys.length - 1;
    let h = Math.imul((key / 2 ** 32) ^ Math.imul(key | 0, 0x9e3779b1), 0x85ebca6b);
    h ^= h >>> 15;
    for (let slot = h & mask; ; slot = (slot + 1) & mask) {
      const found = keys[slot] as number;
      if (found === key || Number.isNaN(found)) return slot;
    }
  }

  #grow(): void {
    const keys = new Float64Array(this.#keys.length * 2).fill(Number.NaN);
    const newest = new Int32Array(keys.length).fill(NONE);
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i] as number;
      if (Number.isNaN(key)) continue;
      const slot = this.#slot(key, keys);
      keys[slot] = key;
      newest[slot] = this.#newest[i] as number;
    }
    this.#keys = keys;
    this.#newest = newest;
  }

  /** Adds the row of numbers that begins at `at`. */
  add(key: number, from: Float64Array, at: number): void {
    if (this.#used * 2 >= this.#keys.length) this.#grow();
    if (this.#length >= this.#older.length) {
      const older = new Int32Array(this.#older.length * 2);
      older.set(this.#older);
      this.#older = older;
      const rows = new Float64Array(this.#rows.length * 2);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    const slot = this.#slot(key, this.#keys);
    if (Number.isNaN(this.#keys[slot] as number)) {
      this.#keys[slot] = key;
      this.#used++;
    }
    const row = this.#length++;
    for (let i = 0; i < this.#width; i++) this.#rows[row * this.#width + i] = from[at + i] as number;
    this.#older[row] = this.#newest[slot] as number;
    this.#newest[slot] = row;
  }

  /** Appends the rows of a key, flat, newest first. */
  collect(key: number, to: number[]): void {
    const slot = this.#slot(key, this.#keys);
    for (let row = this.#newest[slot] as number; row !== NONE; row = this.#older[row] as number)
      for (let i = 0; i < this.#width; i++) to.push(this.#rows[row * this.#width + i] as number);
  }

  /** Goes through the rows of a key without copying them, until `use` says that it has enough. */
  each(key: number, use: (rows: Float64Array, at: number) => boolean): void {
    const slot = this.#slot(key, this.#keys);
    for (let row = this.#newest[slot] as number; row !== NONE; row = this.#older[row] as number)
      if (use(this.#rows, row * this.#width)) return;
  }

  /** Takes every row away that is equal to the one that begins at `at`: a resource may say the same twice. */
  remove(key: number, like: Float64Array, at: number): void {
    const slot = this.#slot(key, this.#keys);
    let newer = NONE;
    for (let row = this.#newest[slot] as number; row !== NONE; row = this.#older[row] as number) {
      if (!this.#isLike(row, like, at)) newer = row;
      else if (newer === NONE) this.#newest[slot] = this.#older[row] as number;
      else this.#older[newer] = this.#older[row] as number;
    }
  }

  #isLike(row: number, like: Float64Array, at: number): boolean {
    // Object.is: NaN stands for what is not stored.
    for (let i = 0; i < this.#width; i++) if (!Object.is(this.#rows[row * this.#width + i], like[at + i])) return false;
    return true;
  }

  /** Every key with its rows, flat. */
  *all(): Generator<[key: number, rows: number[]], void> {
    for (const key of this.#keys) {
      if (Number.isNaN(key)) continue;
      const rows: number[] = [];
      this.collect(key, rows);
      if (rows.length > 0) yield [key, rows];
    }
  }
}
