/**
 * Filters filed under the one equality term that lets the fewest through, so that a change looks only at filters it has a term
 * for, however many there are. Equal filters share one entry.
 */
import type { Terms } from '../fhir/terms.ts';
import type { Filter } from '../search/plan.ts';
import { matches } from '../search/predicate.ts';

interface Group<T> {
  readonly key: string;
  readonly filter: Filter;
  readonly members: Set<T>;
  readonly keys: readonly AccessKey[];
  /** Number of the look-up that saw it last: a filter with several keys is judged once. */
  seen: number;
}

type Kind = 'reference' | 'token' | 'id';
interface AccessKey {
  readonly kind: Kind;
  readonly param: string;
  readonly value: string;
}
interface Choice {
  readonly rank: number;
  readonly keys: readonly AccessKey[];
}

/** How few resources share a value, fewest first. */
const RANKS: Readonly<Record<string, number>> = {
  _id: 0,
  patient: 1,
  subject: 1,
  device: 2,
  identifier: 3,
  organization: 4,
  code: 5,
  'combo-code': 5,
  type: 6,
  category: 7,
  status: 8,
  _tag: 8,
};
const RANK_OTHER = 6;

const single = (kind: Kind, param: string, value: string): Choice => ({
  rank: RANKS[param] ?? RANK_OTHER,
  keys: [{ kind, param, value }],
});

/** A set of terms of which every match must have at least one; undefined when there is none. */
function choose(filter: Filter): Choice | undefined {
  switch (filter.op) {
    case 'reference':
      return single('reference', filter.param, filter.id);
    case 'token':
      return filter.code === undefined ? undefined : single('token', filter.param, filter.code.toLowerCase());
    case 'id':
      return { rank: RANKS['_id'] as number, keys: filter.ids.map((id) => ({ kind: 'id', param: '_id', value: id })) };
    case 'and': {
      const found = filter.of.map(choose).filter((choice) => choice !== undefined);
      return found.sort((a, b) => a.rank - b.rank || a.keys.length - b.keys.length)[0];
    }
    case 'or': {
      const found = filter.of.map(choose);
      if (!found.every((choice) => choice !== undefined)) return undefined;
      return { rank: Math.max(...found.map((c) => c.rank)), keys: found.flatMap((c) => c.keys) };
    }
    default:
      return undefined;
  }
}

type Table<T> = Map<string, Map<string, Set<Group<T>>>>;

export class PredicateIndex<T> {
  readonly #groups = new Map<string, Group<T>>();
  readonly #tables: Readonly<Record<Kind, Table<T>>> = { reference: new Map(), token: new Map(), id: new Map() };
  /** Filters without an equality term: judged for each change. */
  readonly #rest = new Set<Group<T>>();
  #lookup = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(filter: Filter, member: T): void {
    const key = JSON.stringify(filter);
    let group = this.#groups.get(key);
    if (!group) {
      group = { key, filter, members: new Set(), keys: choose(filter)?.keys ?? [], seen: 0 };
      this.#groups.set(key, group);
      this.#file(group);
    }
    group.members.add(member);
    this.#size++;
  }

  remove(filter: Filter, member: T): void {
    const group = this.#groups.get(JSON.stringify(filter));
    if (!group?.members.delete(member)) return;
    this.#size--;
    if (group.members.size > 0) return;
    this.#groups.delete(group.key);
    this.#rest.delete(group);
    for (const { kind, param, value } of group.keys) {
      const values = this.#tables[kind].get(param);
      const groups = values?.get(value);
      groups?.delete(group);
      if (groups?.size === 0) values?.delete(value);
      if (values?.size === 0) this.#tables[kind].delete(param);
    }
  }

  /** Members whose filter the terms satisfy, in no order. */
  match(terms: Terms, meta: { id: string; lastUpdated: number }): T[] {
    const found: T[] = [];
    const lookup = ++this.#lookup;
    const judge = (groups: Set<Group<T>> | undefined): void => {
      if (!groups) return;
      for (const group of groups) {
        if (group.seen === lookup) continue;
        group.seen = lookup;
        if (matches(group.filter, terms, meta)) for (const member of group.members) found.push(member);
      }
    };
    const { reference, token, id } = this.#tables;
    if (reference.size > 0) for (const t of terms.reference) judge(reference.get(t.param)?.get(t.id));
    if (token.size > 0) for (const t of terms.token) judge(token.get(t.param)?.get(t.code.toLowerCase()));
    if (id.size > 0) judge(id.get('_id')?.get(meta.id));
    judge(this.#rest);
    return found;
  }

  #file(group: Group<T>): void {
    if (group.keys.length === 0) this.#rest.add(group);
    for (const { kind, param, value } of group.keys) {
      const table = this.#tables[kind];
      let values = table.get(param);
      if (!values) {
        values = new Map();
        table.set(param, values);
      }
      const groups = values.get(value);
      if (groups) groups.add(group);
      else values.set(value, new Set([group]));
    }
  }
}
