/**
 * The index rows that are committed but not merged into their tables yet (merge.ts), as the main thread's searches see them.
 * A row may be here and in its table at once while a merge is under way; it is never in neither.
 */
import { Chains } from './chains.ts';
import { eachRecord } from './log-blob.ts';
import { BY_PATIENT, DATE, KEY, QUANTITY, REFERENCE, WIDTH } from './rows.ts';

/** Which number of a record it is looked up with: patient, target, parameter, parameter, hash. The others follow in order. */
const KEY_AT: readonly number[] = [0, 1, 0, 0, 0];
const KINDS = [BY_PATIENT, REFERENCE, QUANTITY, DATE, KEY] as const;

type Generation = readonly Chains[];
const newGeneration = (): Generation => WIDTH.map((width) => new Chains(width - 1));

export class Tail {
  /** Of the last log row that is in here. */
  lid = 0;
  #open = newGeneration();
  #sealed: Generation[] = [];
  readonly #row = new Float64Array(Math.max(...WIDTH));

  reset(): void {
    this.#open = newGeneration();
    this.#sealed = [];
    this.lid = 0;
  }

  /** Everything until now is being merged. */
  seal(): void {
    this.#sealed.push(this.#open);
    this.#open = newGeneration();
  }

  /** What was sealed is in its tables. */
  merged(): void {
    this.#sealed = [];
  }

  apply(lid: number, log: Float64Array): void {
    eachRecord(log, (kind, remove, numbers, at) => {
      const keyAt = KEY_AT[kind] as number;
      const width = WIDTH[kind] as number;
      for (let i = 0, to = 0; i < width; i++) if (i !== keyAt) this.#row[to++] = numbers[at + i] as number;
      const key = numbers[at + keyAt] as number;
      if (!remove) this.#open[kind]?.add(key, this.#row, 0);
      else for (const generation of this.#generations()) generation[kind]?.remove(key, this.#row, 0);
    });
    this.lid = lid;
  }

  #generations(): Generation[] {
    return [this.#open, ...this.#sealed];
  }

  #rows(kind: number, key: number): number[] {
    const found: number[] = [];
    this.#open[kind]?.collect(key, found);
    for (const generation of this.#sealed) generation[kind]?.collect(key, found);
    return found;
  }

  /** Goes through the rows of a patient, (cls, date, rid, high) each at `at`. */
  eachOfPatient(pat: number, use: (rows: Float64Array, at: number) => void): void {
    for (const generation of this.#generations())
      generation[BY_PATIENT]?.each(pat, (rows, at) => {
        use(rows, at);
        return false;
      });
  }
  /** (param, date, rid)… */
  reference(target: number): readonly number[] {
    return this.#rows(REFERENCE, target);
  }
  /**
   * Goes through the rows of QUANTITY (unit, value, rid) or DATE (low, high, rid) of a parameter, until `use` says that it has
   * enough: there may be tens of thousands.
   */
  each(kind: typeof QUANTITY | typeof DATE, param: number, use: (a: number, b: number, rid: number) => boolean): void {
    for (const generation of this.#generations())
      generation[kind]?.each(param, (rows, at) =>
        use(rows[at] as number, rows[at + 1] as number, rows[at + 2] as number),
      );
  }
  /** rid… */
  key(hash: number): readonly number[] {
    return this.#rows(KEY, hash);
  }

  /** Every reference, as (param, date, rid)…: goes through all of them. */
  references(): readonly number[] {
    return this.#generations().flatMap((g) => [...(g[REFERENCE] as Chains).all()].flatMap(([, rows]) => rows));
  }

  /** All that is here of one resource, but its keys, as records of the log: goes through everything. */
  *recordsOf(rid: number): Generator<number, void> {
    for (const generation of this.#generations())
      for (const kind of KINDS) {
        if (kind === KEY) continue;
        const width = (WIDTH[kind] as number) - 1;
        // By patient the last number is the end of the date.
        const ridAt = kind === BY_PATIENT ? width - 2 : width - 1;
        for (const [key, rows] of (generation[kind] as Chains).all())
          for (let i = 0; i < rows.length; i += width)
            if (rows[i + ridAt] === rid) {
              const record = rows.slice(i, i + width);
              record.splice(KEY_AT[kind] as number, 0, key);
              yield kind * 2;
              yield* record;
            }
      }
  }
}
