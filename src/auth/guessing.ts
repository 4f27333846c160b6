/**
 * Counts wrong secrets, so that they cannot be tried at will. Kept in the store: a restart or another server does not begin
 * anew. CONTRACT §2 guessing.
 */
import type { Clock } from '../base/clock.ts';
import { sha256Url } from '../base/hash.ts';
import type { Limits } from '../base/limits.ts';
import type { Doc, Store } from '../store/store.ts';

/** `wait`: seconds until the next try is allowed; then nothing was compared. */
export type Verdict = { readonly right: boolean } | { readonly wait: number };

export interface Guessing {
  /** Compares, unless too many tries were wrong lately. A wrong try is counted, durably, before this resolves. */
  attempt(subject: string, compare: () => boolean): Promise<Verdict>;
}

const COLLECTION = 'auth-wrong-secrets';

export function createGuessing(store: Store, clock: Clock, limits: Limits): Guessing {
  const { wrongSecretsMax: triesMax, wrongSecretsMsMax: window, conflictRetriesMax } = limits;
  /** Tries of one subject go one after the other, so that many at once cannot all pass the check before one is counted. */
  const turns = new Map<string, Promise<unknown>>();

  /** Times of wrong tries within the window, oldest first. */
  const recent = (doc: Doc | undefined, now: number): number[] =>
    doc ? (JSON.parse(doc.body) as number[]).filter((at) => at > now - window) : [];

  async function count(key: string): Promise<void> {
    for (let attempt = 0; attempt <= conflictRetriesMax; attempt++) {
      const now = clock.now();
      const before = await store.doc(COLLECTION, key);
      const times = [...recent(before, now), now].slice(-triesMax);
      const doc: Doc = { collection: COLLECTION, key, body: JSON.stringify(times), expires: now + window };
      const write = before ? ({ op: 'replace', doc, was: before.body } as const) : ({ op: 'insert', doc } as const);
      if ((await store.commit({ docs: [write] })).ok) return;
    }
  }

  async function attempt(key: string, compare: () => boolean): Promise<Verdict> {
    const now = clock.now();
    const oldest = recent(await store.doc(COLLECTION, key), now).at(-triesMax);
    if (oldest !== undefined) return { wait: Math.max(1, Math.ceil((oldest + window - now) / 1000)) };
    if (compare()) return { right: true };
    await count(key);
    return { right: false };
  }

  return {
    attempt(subject, compare) {
      const key = sha256Url(subject);
      const turn = (turns.get(key) ?? Promise.resolve()).then(() => attempt(key, compare));
      const settled = turn
        .catch(() => undefined)
        .finally(() => {
          if (turns.get(key) === settled) turns.delete(key);
        });
      turns.set(key, settled);
      return turn;
    },
  };
}
