/**
 * The index rows that are committed but not merged into their tables yet (merge.ts), as the main thread's searches see them.
 * A row may be here and in its table at once while a merge is under way; it is never in neither.
 */
import { memo } from './memo.ts';
import { BY_PATIENT, DATE, QUANTITY, REFERENCE, WIDTH } from './rows.ts';

/** Flat rows by what they are looked up with. */
class Generation {
  /** pat → (cls, date, rid, high)… */
  readonly patients = new Map<number, number[]>();
  /** param → target → (date, rid)… */
  readonly references = new Map<number, Map<number, number[]>>();
  /** param → (unit, value, rid)… */
  readonly quantities = new Map<number, number[]>();
  /** param → (low, high, rid)… */
  readonly dates = new Map<number, number[]>();
  /** hash → rid… */
  readonly keys = new Map<number, number[]>();

  /** The list that a record with these first two numbers is in. */
  find(kind: number, a: number, b: number): number[] | undefined {
    return kind === REFERENCE ? this.references.get(a)?.get(b) : this.#map(kind).get(a);
  }

  /** Makes it when there is none. */
  list(kind: number, a: number, b: number): number[] {
    if (kind !== REFERENCE) return memo(this.#map(kind), a, () => []);
    const targets = memo(this.references, a, () => new Map<number, number[]>());
    return memo(targets, b, () => []);
  }

  #map(kind: number): Map<number, number[]> {
    if (kind === BY_PATIENT) return this.patients;
    if (kind === QUANTITY) return this.quantities;
    return kind === DATE ? this.dates : this.keys;
  }
}

/** How many of the first numbers of a record are the way to its list. */
const KEYS: readonly number[] = [1, 2, 1, 1, 1];

export class Tail {
  /** Of the last log row that is in here. */
  lid = 0;
  #open = new Generation();
  #sealed: Generation[] = [];

  reset(): void {
    this.#open = new Generation();
    this.#sealed = [];
    this.lid = 0;
  }

  /** Everything until now is being merged. */
  seal(): void {
    this.#sealed.push(this.#open);
    this.#open = new Generation();
  }

  /** What was sealed is in its tables. */
  merged(): void {
    this.#sealed = [];
  }

  apply(lid: number, log: Float64Array): void {
    for (let i = 0; i < log.length; ) {
      const op = log[i] as number;
      const kind = op >> 1;
      const width = WIDTH[kind] as number;
      const start = i + 1 + (KEYS[kind] as number);
      const end = i + 1 + width;
      const a = log[i + 1] as number;
      const b = log[i + 2] as number;
      if ((op & 1) === 0) {
        const list = this.#open.list(kind, a, b);
        for (let j = start; j < end; j++) list.push(log[j] as number);
      } else {
        const record = log.subarray(start, end);
        for (const g of this.#generations()) remove(g.find(kind, a, b), record);
      }
      i = end;
    }
    this.lid = lid;
  }

  #generations(): Generation[] {
    return [this.#open, ...this.#sealed];
  }

  #rows(of: (g: Generation) => number[] | undefined): readonly number[] {
    let found = of(this.#open) ?? NOTHING;
    for (const g of this.#sealed) {
      const more = of(g);
      if (more && more.length > 0) found = found.length > 0 ? found.concat(more) : more;
    }
    return found;
  }

  /** All that is here of one resource, but its keys, as records of the log: goes through everything. */
  *recordsOf(rid: number): Generator<number, void> {
    for (const g of this.#generations()) {
      for (const [pat, rows] of g.patients) yield* matching(rows, 4, 2, rid, [BY_PATIENT * 2, pat]);
      for (const [param, targets] of g.references)
        for (const [target, rows] of targets) yield* matching(rows, 2, 1, rid, [REFERENCE * 2, param, target]);
      for (const [param, rows] of g.quantities) yield* matching(rows, 3, 2, rid, [QUANTITY * 2, param]);
      for (const [param, rows] of g.dates) yield* matching(rows, 3, 2, rid, [DATE * 2, param]);
    }
  }

  /** (cls, date, rid, high)… */
  patient(pat: number): readonly number[] {
    return this.#rows((g) => g.patients.get(pat));
  }
  /** (date, rid)… */
  reference(param: number, target: number): readonly number[] {
    return this.#rows((g) => g.references.get(param)?.get(target));
  }
  /** Targets that `param` leads to. */
  targets(param: number): readonly number[] {
    return this.#rows((g) => [...(g.references.get(param)?.keys() ?? NOTHING)]);
  }
  /** (unit, value, rid)… */
  quantity(param: number): readonly number[] {
    return this.#rows((g) => g.quantities.get(param));
  }
  /** (low, high, rid)… */
  date(param: number): readonly number[] {
    return this.#rows((g) => g.dates.get(param));
  }
  /** rid… */
  key(hash: number): readonly number[] {
    return this.#rows((g) => g.keys.get(hash));
  }
}

const NOTHING: number[] = [];

/** The rows of `width` numbers that have `rid` at `place`, each after `head`. */
function* matching(
  rows: readonly number[],
  width: number,
  place: number,
  rid: number,
  head: readonly number[],
): Generator<number, void> {
  for (let i = 0; i < rows.length; i += width) {
    if (rows[i + place] !== rid) continue;
    yield* head;
    yield* rows.slice(i, i + width);
  }
}

const equal = (a: number, b: number): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b));
function remove(list: number[] | undefined, record: Float64Array): void {
  if (!list) return;
  const width = record.length;
  for (let i = 0; i < list.length; i += width) {
    if (!record.every((value, j) => equal(value, list[i + j] as number))) continue;
    list.splice(i, width);
    return;
  }
}
