/**
 * A filter lowered to classes: which classes can hold what is asked for, and what is left to be decided for each resource of
 * them. The answer depends on the set of classes alone, so it is kept until that changes.
 */
import { and, type Filter } from '../../search/plan.ts';
import type { Classes, ClassRecord } from './classes.ts';
import { decide } from './decide.ts';

const CACHE_ENTRIES_MAX = 2_000;

export interface Pick {
  readonly cls: ClassRecord;
  /** Conjuncts that the class does not decide. */
  readonly rest: readonly Filter[];
}

export interface Lowered {
  readonly type: string;
  readonly conjuncts: readonly Filter[];
  readonly picks: ReadonlyMap<number, Pick>;
  /** Conjuncts that at least one of the picked classes does not decide. */
  readonly rest: readonly Filter[];
}

/** Class id → whether the class decides the conjunct; classes that cannot match are not in it. */
type Mask = ReadonlyMap<number, boolean>;

export class Lowering {
  readonly #classes: Classes;
  readonly #masks = new Map<string, Mask | null>();
  #generation = -1;

  constructor(classes: Classes) {
    this.#classes = classes;
  }

  lower(type: string, filter: Filter): Lowered {
    if (this.#generation !== this.#classes.generation || this.#masks.size > CACHE_ENTRIES_MAX) {
      this.#masks.clear();
      this.#generation = this.#classes.generation;
    }
    const flat = and(filter);
    const conjuncts = flat.op === 'and' ? flat.of : [flat];
    const masks = conjuncts.map((conjunct) => (decidable(conjunct) ? this.#mask(type, conjunct) : null));
    const picks = new Map<number, Pick>();
    const left = new Set<Filter>();
    for (const cls of this.#classesOf(type, masks)) {
      const rest: Filter[] = [];
      let can = true;
      for (let i = 0; i < conjuncts.length && can; i++) {
        const decided = masks[i] === null ? false : masks[i]?.get(cls.id);
        if (decided === undefined) can = false;
        else if (!decided) rest.push(conjuncts[i] as Filter);
      }
      if (!can) continue;
      picks.set(cls.id, { cls, rest });
      for (const filter of rest) left.add(filter);
    }
    return { type, conjuncts, picks, rest: [...left] };
  }

  /** Those of the smallest mask: the others need not be looked at. */
  #classesOf(type: string, masks: readonly (Mask | null)[]): Iterable<ClassRecord> {
    let smallest: Mask | undefined;
    for (const mask of masks) if (mask && (!smallest || mask.size < smallest.size)) smallest = mask;
    return smallest ? [...smallest.keys()].map((id) => this.#classes.get(id)) : this.#classes.of(type);
  }

  /** Null: no class decides it, either way. */
  #mask(type: string, conjunct: Filter): Mask | null {
    const key = `${type} ${JSON.stringify(conjunct)}`;
    const known = this.#masks.get(key);
    if (known !== undefined) return known;
    const mask = new Map<number, boolean>();
    let useful = false;
    const classes = this.#classes.of(type);
    for (const cls of classes) {
      const verdict = decide(conjunct, cls);
      if (verdict !== false) mask.set(cls.id, verdict === true);
      useful ||= verdict !== undefined;
    }
    const made = useful ? mask : null;
    this.#masks.set(key, made);
    return made;
  }
}

/** Whether some class could decide it; the values of the others would only fill the cache. */
function decidable(filter: Filter): boolean {
  switch (filter.op) {
    case 'id':
    case 'last-updated':
    case 'string':
    case 'number':
    case 'quantity':
    case 'has':
    case 'chain':
      return false;
    case 'reference':
    case 'date':
      // Only that there is none at all: not worth an entry for each value.
      return false;
    case 'and':
    case 'or':
      return filter.of.some(decidable);
    case 'not':
      return decidable(filter.of);
    default:
      return true;
  }
}
