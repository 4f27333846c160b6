/**
 * Puts batches together to a group. The writer runs one group at a time and groups are built here alone, so while one is built
 * nothing of this process is under way: queries and keys can be compared with the file as it is, and with the batches before it
 * in the same group. What cannot be told apart from those waits for the next group.
 */
import { and } from '../../search/plan.ts';
import { isLocal, matches } from '../../search/predicate.ts';
import type { Batch, KeyHolder, Precondition, Refusal, Write } from '../store.ts';
import type { Keys } from './keys.ts';
import type { Search } from './search.ts';

/** Comparisons of a query with writes of the same group, for a whole group: more would hold it up. */
const COMPARISONS_MAX = 5_000;

export type Judgement =
  | { readonly kind: 'go'; readonly heldKeys: ReadonlySet<number> }
  | { readonly kind: 'wait' }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

const GO_WITHOUT_KEYS: Judgement = { kind: 'go', heldKeys: new Set() };
const WAIT: Judgement = { kind: 'wait' };

export class Sequence {
  readonly #search: Search;
  readonly #keys: Keys;
  readonly #at: number;
  /** Ids, whatever their type: two of one id only wait for each other. */
  readonly #touched = new Set<string>();
  readonly #keysTaken = new Set<string>();
  readonly #writes: Write[] = [];
  #comparisons = 0;

  /** For one group, inside one snapshot. `at`: its lastUpdated. */
  constructor(search: Search, keys: Keys, at: number) {
    this.#search = search;
    this.#keys = keys;
    this.#at = at;
  }

  /** Says what is to become of the next batch; one that goes is counted in. */
  judge(batch: Batch): Judgement {
    const writes = batch.writes ?? [];
    for (const write of writes) {
      if (this.#touched.has(write.draft.id)) return WAIT;
      if (write.key !== undefined && this.#keysTaken.has(write.key)) return WAIT;
    }
    for (const [index, p] of (batch.preconditions ?? []).entries()) {
      if (p.kind !== 'query') continue;
      if (this.#mayConcern(p)) return WAIT;
      if (!this.#holds(p)) return { kind: 'refuse', refusal: { kind: 'query', index } };
    }
    const judgement = this.#judgeKeys(writes);
    if (judgement.kind === 'go') this.#count(writes);
    return judgement;
  }

  #count(writes: readonly Write[]): void {
    for (const write of writes) {
      this.#touched.add(write.draft.id);
      if (write.key !== undefined) this.#keysTaken.add(write.key);
      this.#writes.push(write);
    }
  }

  /** Whether a batch before it in the group may change what the query finds. */
  #mayConcern(p: Extract<Precondition, { kind: 'query' }>): boolean {
    const filter = and(p.filter, p.access.filter);
    if (!isLocal(filter)) return this.#writes.length > 0;
    for (const write of this.#writes) {
      const { type, id } = write.draft;
      if (type !== p.type) continue;
      if (p.ids.includes(id) || ++this.#comparisons > COMPARISONS_MAX) return true;
      if (write.method !== 'DELETE' && matches(filter, write.terms, { id, lastUpdated: this.#at })) return true;
    }
    return false;
  }

  #holds(p: Extract<Precondition, { kind: 'query' }>): boolean {
    const found = this.#search.find(p.type, and(p.filter, p.access.filter), p.ids.length + 1);
    const ids = new Set(p.ids);
    return found.length === ids.size && found.every((c) => ids.has(c.id));
  }

  #judgeKeys(writes: readonly Write[]): Judgement {
    if (writes.every((w) => w.key === undefined)) return GO_WITHOUT_KEYS;
    const heldKeys = new Set<number>();
    const own = new Map<string, KeyHolder>();
    this.#keys.lookUp(writes.map((w) => w.key).filter((key) => key !== undefined));
    for (const [index, write] of writes.entries()) {
      const { key } = write;
      if (key === undefined) continue;
      const { type, id } = write.draft;
      const holder = own.get(key) ?? this.#keys.holder(key);
      if (holder && (holder.type !== type || holder.id !== id))
        return { kind: 'refuse', refusal: { kind: 'key', index, holder } };
      if (holder) heldKeys.add(index);
      own.set(key, { key, type, id, version: write.follows + 1, note: write.keyNote ?? '' });
    }
    return { kind: 'go', heldKeys };
  }
}
