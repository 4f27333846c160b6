/** Stores on a MongoDB of the tests, each in a database of its own. */
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { type Limits, limits } from '../../../src/base/limits.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { openMongoStore } from '../../../src/store/mongo/index.ts';
import type { Store } from '../../../src/store/store.ts';
import { BASE } from '../../contract/support.ts';
import { newDatabase } from '../../support/mongo.ts';

export const openAt = (uri: string, more: Partial<Limits> = {}, clock: Clock = systemClock): Promise<Store> =>
  openMongoStore({ uri, clock, limits: { ...limits, ...more }, log: silentLogger, base: BASE });

export async function openMongo(
  more: Partial<Limits> = {},
): Promise<{ store: Store; uri: string; reopen: () => Promise<Store> }> {
  const uri = await newDatabase();
  let store = await openAt(uri, more);
  const reopen = async (): Promise<Store> => {
    await store.close();
    store = await openAt(uri, more);
    return store;
  };
  return { store, uri, reopen };
}
