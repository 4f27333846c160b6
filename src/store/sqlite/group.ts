/** The message of one group while it is being built: one growing array of numbers, used again for each group, and the texts. */

const NUMBERS_AT_FIRST = 16 * 1024;
/** What a large group has left behind is given back. */
const NUMBERS_KEPT_MAX = 256 * 1024;

export interface Mark {
  readonly numbers: number;
  readonly texts: number;
}

export class GroupBuffer {
  #numbers = new Float64Array(NUMBERS_AT_FIRST);
  #length = 0;
  texts: string[] = [];

  clear(): void {
    this.#length = 0;
    this.texts = [];
    if (this.#numbers.length > NUMBERS_KEPT_MAX) this.#numbers = new Float64Array(NUMBERS_AT_FIRST);
  }

  get length(): number {
    return this.#length;
  }

  push(...values: number[]): void {
    this.pushAll(values);
  }

  pushAll(values: readonly number[]): void {
    const end = this.#length + values.length;
    if (end > this.#numbers.length) {
      const larger = new Float64Array(Math.max(end, this.#numbers.length * 2));
      larger.set(this.#numbers.subarray(0, this.#length));
      this.#numbers = larger;
    }
    for (let i = 0; i < values.length; i++) this.#numbers[this.#length + i] = values[i] as number;
    this.#length = end;
  }

  set(at: number, value: number): void {
    this.#numbers[at] = value;
  }

  mark(): Mark {
    return { numbers: this.#length, texts: this.texts.length };
  }

  /** Forgets what came after the mark. */
  cut(mark: Mark): void {
    this.#length = mark.numbers;
    this.texts.length = mark.texts;
  }

  slice(from: number, to: number): Float64Array {
    return this.#numbers.subarray(from, to);
  }

  /** A copy of all numbers, to be given away. */
  numbers(): Float64Array {
    return this.#numbers.slice(0, this.#length);
  }
}
