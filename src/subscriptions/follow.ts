/** Subscriptions reach the matcher through the same log as what they are told of: each version holds from its own change on. */
import type { Change, DocWrite, Stored } from '../store/store.ts';
import { type Definition, definitionOf } from './definition.ts';
import type { Matcher } from './matcher.ts';
import { COLLECTIONS, type Obj } from './names.ts';
import { readOwner } from './owner.ts';
import type { Registry } from './registry.ts';
import type { SubscriptionsOptions } from './room.ts';
import { type CountRecord, countDoc, type LaneRecord, laneDoc, NEW_LANE, parseDoc } from './state.ts';
import { commitStatus } from './status-commit.ts';

const DAY_MS = 24 * 3600_000;
const NEVER: CountRecord = { n: 0, seq: 0, version: 0 };

export interface News {
  readonly docs: readonly DocWrite[];
  /** To be called once the documents are stored. */
  apply(): void;
}

export class Follower {
  readonly #options: SubscriptionsOptions;
  readonly #matcher: Matcher;
  readonly #registry: Registry;
  /** Of every subscription that is or was, in step with the documents. */
  readonly counts = new Map<string, CountRecord>();

  constructor(options: SubscriptionsOptions, matcher: Matcher, registry: Registry) {
    this.#options = options;
    this.#matcher = matcher;
    this.#registry = registry;
  }

  /** Everything as it was at the checkpoint. */
  async load(): Promise<void> {
    const { store, limits } = this.#options;
    let after: string | undefined;
    for (;;) {
      const query = { collection: COLLECTIONS.count, limit: limits.pageEntriesMax };
      const docs = await store.docs(after === undefined ? query : { ...query, after });
      for (const doc of docs) await this.#restore(doc.key, parseDoc<CountRecord>(doc));
      after = docs.at(-1)?.key;
      if (docs.length < limits.pageEntriesMax) return;
    }
  }

  async #restore(id: string, count: CountRecord): Promise<void> {
    const { store } = this.#options;
    this.counts.set(id, count);
    if (count.deleted) return;
    const doc = await store.doc(COLLECTIONS.lane, id);
    const lane = doc ? parseDoc<LaneRecord>(doc) : NEW_LANE;
    // A version of the server's own differs in its status alone.
    const stored = await store.readVersion('Subscription', id, Math.max(count.version, lane.own));
    const definition = stored && (await this.#define(stored));
    if (!definition) return;
    this.#matcher.add(definition);
    this.#registry.restore(definition, lane, count.n);
  }

  /** What a run of changes of Subscriptions means; the newest version of each decides. */
  async news(changes: readonly Change[]): Promise<News> {
    const newest = new Map(changes.map((change) => [change.id, change]));
    const docs: DocWrite[] = [];
    const steps: (() => void)[] = [];
    for (const change of newest.values()) {
      if (await this.#isOwn(change)) continue;
      const count = { ...(this.counts.get(change.id) ?? NEVER), version: change.version };
      if (change.method === 'DELETE') this.#forget(change, count, docs, steps);
      else await this.#learn(change, { n: count.n, seq: count.seq, version: count.version }, docs, steps);
    }
    return {
      docs,
      apply: () => {
        for (const step of steps) step();
      },
    };
  }

  /** Written by this room, or known already. */
  async #isOwn(change: Change): Promise<boolean> {
    const lane = this.#registry.lanes.get(change.id);
    if (lane?.writing && lane.writing.version >= change.version) await lane.writing.done;
    return change.version <= Math.max(this.counts.get(change.id)?.version ?? 0, lane?.version ?? 0);
  }

  #forget(change: Change, count: CountRecord, docs: DocWrite[], steps: (() => void)[]): void {
    const { clock, limits } = this.#options;
    const deleted: CountRecord = { ...count, deleted: true };
    // An id that comes back goes on counting as long as its old events are kept.
    docs.push(countDoc(change.id, deleted, clock.now() + (limits.subscriptionEventDaysKept + 1) * DAY_MS));
    docs.push({ op: 'delete', collection: COLLECTIONS.lane, key: change.id });
    steps.push(() => {
      this.counts.set(change.id, deleted);
      this.#matcher.remove(change.id);
      this.#registry.remove(change.id);
    });
  }

  async #learn(change: Change, count: CountRecord, docs: DocWrite[], steps: (() => void)[]): Promise<void> {
    const stored = await this.#options.store.readVersion('Subscription', change.id, change.version);
    const definition = stored && (await this.#define(stored));
    docs.push(countDoc(change.id, count));
    // An id that came back: what was told of before it was deleted is not told again.
    const returns = count.n > 0 && !this.#registry.lanes.has(change.id);
    if (returns) docs.push(laneDoc(change.id, { ...NEW_LANE, acked: count.n }));
    steps.push(() => {
      this.counts.set(change.id, count);
      if (!definition) {
        this.#matcher.remove(change.id);
        this.#registry.remove(change.id);
        return;
      }
      this.#matcher.add(definition);
      this.#registry.apply(definition, count.n);
      this.#registry.wake(change.id);
    });
  }

  async #define(stored: Stored): Promise<Definition | undefined> {
    const { store, base, limits, log } = this.#options;
    if (stored.deleted) return undefined;
    const owner = await readOwner(store, stored.id);
    const resource = JSON.parse(stored.text) as Obj;
    const definition = owner && definitionOf(stored.id, stored.version, resource, owner, base, limits);
    if (owner && !definition && resource['status'] !== 'off')
      this.#giveUp(stored).catch((err: unknown) => log.error({ subscription: stored.id, err }, 'not switched off'));
    return definition;
  }

  /** What was accepted once and can no longer be followed is off, and says why: it must not look active and tell nothing. */
  async #giveUp({ id, version }: Stored): Promise<void> {
    const { store, base, log } = this.#options;
    const error = 'The topic is gone, or its owner may no longer read what it tells of.';
    log.warn({ subscription: id }, 'a subscription cannot be followed and is switched off');
    await commitStatus(store, base, { id, version, status: 'off', error, docs: [] });
  }
}
