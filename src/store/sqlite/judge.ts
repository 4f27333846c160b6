/** Whether a candidate is really found: from its class, its index row, sets of the index, and its text, in this order of cost. */
import { and, type ChainFilter, type Filter, type HasFilter, type ReferenceFilter } from '../../search/plan.ts';
import { compareInterval, matches } from '../../search/predicate.ts';
import { Candidate } from './candidate.ts';
import { decide } from './decide.ts';
import { memo } from './memo.ts';
import type { Reader } from './reader.ts';
import { primaryDate } from './routes.ts';
import { DELETE } from './wire.ts';

/** The part of the search that a judge needs for other resources. */
export interface Others {
  /** Whether any resource of the type is found. */
  exists(type: string, filter: Filter): boolean;
}

/** What a chain or `_has` asks of the other resource, access included. */
export const within = (filter: ChainFilter | HasFilter): Filter =>
  filter.access === undefined ? filter.filter : and(filter.filter, filter.access.filter);

/** For one search: it remembers what it has found out about other resources. */
export class Judge {
  readonly #reader: Reader;
  readonly #others: Others;
  readonly #codes = new Map<ReferenceFilter, ReadonlySet<number>>();
  readonly #targets = new Map<Filter, Map<string, boolean>>();
  readonly #pointed = new Map<Filter, Map<number, boolean>>();
  readonly #sets = new Map<Filter, ReadonlySet<number>>();

  constructor(reader: Reader, others: Others) {
    this.#reader = reader;
    this.#others = others;
  }

  /**
   * From now on the leaf is looked up in this set. Of a `missing` it holds those that have a value, of a composite all that it
   * finds and more.
   */
  useSet(leaf: Filter, rids: ReadonlySet<number>): void {
    this.#sets.set(leaf, rids);
  }

  /** `given` is known to be true. */
  all(filters: readonly Filter[], candidate: Candidate, given?: Filter): boolean {
    for (const filter of filters) if (filter !== given && !this.finds(filter, candidate)) return false;
    return true;
  }

  finds(filter: Filter, c: Candidate): boolean {
    switch (filter.op) {
      case 'and':
        return filter.of.every((f) => this.finds(f, c));
      case 'or':
        return filter.of.some((f) => this.finds(f, c));
      case 'not':
        return !this.finds(filter.of, c);
      default:
        return decide(filter, c.cls) ?? this.#byRow(filter, c) ?? this.#bySet(filter, c) ?? this.#byText(filter, c);
    }
  }

  #byRow(filter: Filter, c: Candidate): boolean | undefined {
    if (filter.op === 'date') {
      if (filter.param !== primaryDate(c.cls.type) || c.cls.span === 'many') return undefined;
      const { date, end } = c;
      if (Number.isNaN(date) || Number.isNaN(end)) return undefined;
      return compareInterval(filter.comparator, { low: date, high: end }, filter);
    }
    if (filter.op === 'reference') {
      if (Number.isNaN(c.pat) || !c.cls.owners.includes(filter.param)) return undefined;
      if (this.codesOf(filter).has(c.pat)) return true;
      return c.cls.shared ? undefined : false;
    }
    if (filter.op === 'chain') {
      if (Number.isNaN(c.pat) || !c.cls.owners.includes(filter.param)) return undefined;
      const { type, id } = this.#reader.refs.target(c.pat);
      if (this.#leadsTo(filter, type, id)) return true;
      return c.cls.shared ? undefined : false;
    }
    return undefined;
  }

  #bySet(filter: Filter, c: Candidate): boolean | undefined {
    const set = this.#sets.get(filter);
    if (!set) return undefined;
    if (filter.op === 'composite') return set.has(c.rid) ? undefined : false;
    return filter.op === 'missing' ? set.has(c.rid) !== filter.missing : set.has(c.rid);
  }

  #byText(filter: Filter, c: Candidate): boolean {
    if (filter.op === 'chain')
      return c.terms.reference.some((t) => t.param === filter.param && this.#leadsTo(filter, t.type, t.id));
    if (filter.op === 'has') return this.#isPointedTo(filter, c);
    if (filter.op === 'id') return filter.ids.includes(c.id);
    if (filter.op === 'last-updated') {
      const { updated } = c.row;
      return compareInterval(filter.comparator, { low: updated, high: updated + 1 }, filter);
    }
    return matches(filter, c.terms, { id: c.id, lastUpdated: c.row.updated });
  }

  codesOf(filter: ReferenceFilter): ReadonlySet<number> {
    return memo(this.#codes, filter, () => new Set(this.#reader.refs.codes(filter)));
  }

  #leadsTo(filter: ChainFilter, type: string, id: string): boolean {
    if (type !== filter.type) return false;
    return memo(
      memo(this.#targets, filter, () => new Map<string, boolean>()),
      id,
      () => {
        const row = this.#reader.resolve(type, id);
        if (row === undefined || row.method === DELETE) return false;
        return this.finds(within(filter), Candidate.of(this.#reader, row, this.#reader.classes.get(row.cls)));
      },
    );
  }

  #isPointedTo(filter: HasFilter, c: Candidate): boolean {
    const known = memo(this.#pointed, filter, () => new Map<number, boolean>());
    return memo(known, c.rid, () => {
      const pointer: Filter = { op: 'reference', param: filter.param, type: c.cls.type, id: c.id };
      return this.#others.exists(filter.type, and(pointer, within(filter)));
    });
  }
}
