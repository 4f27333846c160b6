/** A binary heap over numbers of lists that are sorted, or any things that come one after the other: the first is at hand. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean, items: readonly T[] = []) {
    this.#before = before;
    for (const item of items) this.#items.push(item);
    for (let i = (this.#items.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  /** The first has changed its place. */
  moved(): void {
    this.#sink(0);
  }

  replaceFirst(item: T): void {
    this.#items[0] = item;
    this.#sink(0);
  }

  removeFirst(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length > 0) this.replaceFirst(last as T);
    return first;
  }

  #sink(from: number): void {
    const items = this.#items;
    const item = items[from] as T;
    let i = from;
    for (let child = 2 * i + 1; child < items.length; child = 2 * i + 1) {
      if (child + 1 < items.length && this.#before(items[child + 1] as T, items[child] as T)) child++;
      if (!this.#before(items[child] as T, item)) break;
      items[i] = items[child] as T;
      i = child;
    }
    if (items.length > 0) items[i] = item;
  }
}
