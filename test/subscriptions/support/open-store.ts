/** The embedded store in a folder of its own that goes away with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { openSqliteStore } from '../../../src/store/sqlite/index.ts';
import type { Store } from '../../../src/store/store.ts';
import { BASE } from '../../rest/support/bench.ts';

export interface OpenStore {
  readonly store: Store;
  /** Closes it and removes its folder. */
  remove(): Promise<void>;
}

export async function openStore(): Promise<OpenStore> {
  const dir = mkdtempSync(join(tmpdir(), 'vitalwire-subscriptions-'));
  const store = await openSqliteStore({ dir, clock: systemClock, limits, log: silentLogger, base: BASE });
  return {
    store,
    async remove() {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
