/**
 * A store of its own for each test, with a place to let others be faster and to break single calls: in memory, because most
 * tests are about the interactions; the embedded engine in a folder of its own where they are about both, and for all of them
 * with TEST_REST_ENGINE=sqlite.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Clock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { openSqliteStore } from '../../../src/store/sqlite/index.ts';
import type { Store } from '../../../src/store/store.ts';
import { memoryStore } from './memory-store.ts';

export type Engine = 'memory' | 'sqlite';

export type BenchStore = { -readonly [K in keyof Store]: Store[K] } & {
  /** Runs once, before the next commit is judged. */
  beforeCommit(work: () => Promise<void>): void;
  /** How many commits were asked for. */
  readonly commits: number;
};

const opened: { store: Store; dir: string }[] = [];
after(async () => {
  for (const { store, dir } of opened) {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

async function openStore(clock: Clock, base: string, engine: Engine): Promise<Store> {
  if (engine === 'memory' && process.env['TEST_REST_ENGINE'] !== 'sqlite') return memoryStore(clock.now);
  const dir = mkdtempSync(join(tmpdir(), 'vitalwire-rest-'));
  const store = await openSqliteStore({ dir, clock, limits, log: silentLogger, base });
  opened.push({ store, dir });
  return store;
}

export async function openBenchStore(clock: Clock, base: string, engine: Engine): Promise<BenchStore> {
  const store = await openStore(clock, base, engine);
  let commits = 0;
  let before: (() => Promise<void>) | undefined;
  const over: Partial<BenchStore> = {
    async commit(batch) {
      commits++;
      const first = before;
      before = undefined;
      await first?.();
      return store.commit(batch);
    },
    beforeCommit: (work) => {
      before = work;
    },
  };
  // Methods of the engine need the engine itself as `this`.
  return new Proxy(over, {
    get(target, name) {
      if (name === 'commits') return commits;
      if (Object.hasOwn(target, name)) return Reflect.get(target, name);
      const value: unknown = Reflect.get(store, name, store);
      return typeof value === 'function' ? value.bind(store) : value;
    },
  }) as BenchStore;
}
