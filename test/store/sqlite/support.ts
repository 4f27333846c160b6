/** Stores in temporary folders, taken away when the tests of the file are done. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { type Limits, limits } from '../../../src/base/limits.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { openSqliteStore } from '../../../src/store/sqlite/index.ts';
import type { Store } from '../../../src/store/store.ts';
import { BASE } from '../../contract/support.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vitalwire-store-'));
  folders.push(folder);
  return folder;
}

export const openIn = (dir: string, more: Partial<Limits> = {}, clock: Clock = systemClock): Promise<Store> =>
  openSqliteStore({ dir, clock, limits: { ...limits, ...more }, log: silentLogger, base: BASE });

export async function openTemporary(
  more: Partial<Limits> = {},
  clock: Clock = systemClock,
): Promise<{ store: Store; dir: string; reopen: () => Promise<Store> }> {
  const dir = temporaryFolder();
  let store = await openIn(dir, more, clock);
  const reopen = async (): Promise<Store> => {
    await store.close();
    store = await openIn(dir, more, clock);
    return store;
  };
  return { store, dir, reopen };
}
