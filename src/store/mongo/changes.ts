/** The change log, the newest terms in memory, and what other processes wrote. */

import type { Limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import type { Terms } from '../../fhir/terms.ts';
import type { Change } from '../store.ts';
import type { Connection } from './connection.ts';
import type { GroupOutcome } from './group.ts';

const POLL_MS = 250;

export class Changes {
  readonly #db: Connection;
  readonly #limits: Limits;
  readonly #log: Logger;
  readonly #instance: string;
  /** Terms of the newest changes of this process, by change number. */
  readonly #terms = new Map<number, Terms>();
  /** Of which types terms are kept. */
  wanted: (type: string) => boolean = () => false;
  readonly #listeners = new Set<(seq: number, types: ReadonlySet<string>) => void>();
  readonly #foreign = new Set<() => void>();
  #seen = 0;
  #others = -1;
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  readonly #loadSpans: () => Promise<void>;

  constructor(db: Connection, limits: Limits, log: Logger, instance: string, loadSpans: () => Promise<void>) {
    this.#db = db;
    this.#log = log;
    this.#limits = limits;
    this.#instance = instance;
    this.#loadSpans = loadSpans;
  }

  /** Looks for commits of other processes a few times a second: they cannot wake this one. */
  start(seq: number): void {
    this.#seen = seq;
    this.#timer = setInterval(() => {
      this.#polling ??= this.#db
        .heard(() => this.#poll())
        .catch(() => {})
        .finally(() => {
          this.#polling = undefined;
        });
    }, POLL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#polling;
  }

  async #poll(): Promise<void> {
    const found = await this.#db.numbers
      .find({ $or: [{ _id: 'seq' }, { _id: { $gte: 'writer/', $lt: 'writer0' } }] })
      .toArray();
    const seq = found.find((n) => n._id === 'seq')?.n ?? 0;
    const others = found
      .filter((n) => n._id !== 'seq' && n._id !== `writer/${this.#instance}`)
      .reduce((sum, n) => sum + n.n, 0);
    const docsChanged = this.#others !== -1 && others !== this.#others;
    this.#others = others;
    if (seq > this.#seen) {
      const after = this.#seen;
      await this.#loadSpans();
      const types = new Set(
        (
          await this.#db.changes
            .find({ _id: { $gt: after } }, { projection: { type: 1 }, limit: this.#limits.changesPerMatchMax })
            .toArray()
        ).map((c) => c.type),
      );
      // Not before: a look that fails half way is repeated.
      this.#seen = Math.max(this.#seen, seq);
      this.#call(this.#listeners, seq, types);
      this.#call(this.#foreign);
    } else if (docsChanged) this.#call(this.#foreign);
  }

  /** After a commit of this process. */
  committed(outcome: GroupOutcome): void {
    for (const { seq, write } of outcome.changes)
      if (write.method !== 'DELETE' && this.wanted(write.draft.type)) this.#terms.set(seq, write.terms);
    for (const seq of this.#terms.keys()) {
      if (this.#terms.size <= this.#limits.changeTermsKeptMax) break;
      this.#terms.delete(seq);
    }
    this.#seen = Math.max(this.#seen, outcome.seq);
    this.#call(this.#listeners, outcome.seq, outcome.types);
  }

  /** What a listener does wrong keeps no commit from being answered. */
  #call<A extends unknown[]>(listeners: ReadonlySet<(...args: A) => void>, ...args: A): void {
    for (const listener of listeners)
      try {
        listener(...args);
      } catch (error) {
        this.#log.error({ err: error }, 'a listener of the store failed');
      }
  }

  async since(after: number, limit: number): Promise<Change[]> {
    const found = await this.#db.changes
      .find({ _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id, ...change }) => ({ seq: _id, ...change, terms: this.#terms.get(_id) }));
  }

  onChange(listener: (seq: number, types: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onForeignChange(listener: () => void): () => void {
    this.#foreign.add(listener);
    return () => this.#foreign.delete(listener);
  }
}
