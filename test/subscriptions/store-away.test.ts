/** A store that does not answer when the server starts: subscriptions begin as soon as it does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { COLLECTIONS } from '../../src/subscriptions/names.ts';
import { openStore } from './support/open-store.ts';
import { listen, reading, until, World } from './support/world.ts';

test('the first look at the checkpoint fails: it is repeated, and nothing is missed', async (t) => {
  const opened = await openStore();
  const hook = await listen();
  let failures = 2;
  const { store } = opened;
  const doc: Store['doc'] = store.doc.bind(store);
  store.doc = (collection, key) => {
    if (collection === COLLECTIONS.checkpoint && failures-- > 0) throw new Error('the store is away');
    return doc(collection, key);
  };
  const world = await World.open(store);
  t.after(async () => {
    await world.subscriptions.stop();
    await hook.close();
    await opened.remove();
  });
  const made = await world.subscribe(hook.url);
  await world.is(made.id, 'active');
  const { id } = await world.create(reading());
  await until('the event', () => hook.events().length > 0);
  assert.deepEqual(hook.events(), [{ n: 1, focus: id }]);
  assert.ok(failures < 0, 'it failed before');
});
