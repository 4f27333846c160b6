/** Several stores on one database, as several processes would have them. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Filter } from '../../../src/search/plan.ts';
import type { Change, Store } from '../../../src/store/store.ts';
import { accessTo, committed, patient, writeOf } from '../../contract/support.ts';
import { newDatabase, noMongo } from '../../support/mongo.ts';
import { openAt } from './support.ts';

async function stores(t: TestContext, count: number): Promise<Store[]> {
  const uri = await newDatabase();
  const all = await Promise.all(Array.from({ length: count }, () => openAt(uri)));
  t.after(() => Promise.all(all.map((store) => store.close())));
  return all;
}
const [byTag, tagged] = [
  (code: string): Filter => ({ op: 'token', param: '_tag', code }),
  (code: string): string => patient({ meta: { tag: [{ code }] } }),
];

describe('MongoDB: several stores on one database', { skip: noMongo }, () => {
  test('a reader of the log misses nothing while all of them write, and sees it in commit order', async (t) => {
    const [reader, ...writers] = (await stores(t, 4)) as [Store, ...Store[]];
    const written: string[] = [];
    let writing = true;
    const seen: Change[] = [];
    const follow = (async (): Promise<void> => {
      for (;;) {
        const more = writing;
        const changes = await reader.changesSince(seen.at(-1)?.seq ?? 0, 5);
        seen.push(...changes);
        if (!more && changes.length === 0) return;
      }
    })();
    const lane = async (store: Store): Promise<void> => {
      for (let i = 0; i < 15; i++) {
        const ids = [store.newId(), store.newId()];
        await committed(store, { writes: ids.map((id) => writeOf(patient(), id, 0)) });
        written.push(...ids);
      }
    };
    await Promise.all(writers.flatMap((store) => [lane(store), lane(store)]));
    writing = false;
    await follow;
    assert.deepEqual(
      seen.map((c) => c.seq),
      seen.map((_, i) => i + 1),
    );
    assert.deepEqual(seen.map((c) => c.id).sort(), written.sort());
    for (let i = 1; i < seen.length; i++) assert.ok((seen[i - 1] as Change).at <= (seen[i] as Change).at);
  });

  test('one key, one conditional create, one guard: of many writers one wins', async (t) => {
    const all = await stores(t, 3);
    const race = (batch: (store: Store) => Parameters<Store['commit']>[0]) =>
      Promise.all(all.flatMap((store) => [store.commit(batch(store)), store.commit(batch(store))]));
    const wins = (results: Awaited<ReturnType<typeof race>>): number => results.filter((r) => r.ok).length;
    const keyed = await race((s) => ({ writes: [writeOf(tagged('keyed'), s.newId(), 0, { key: 'one' })] }));
    assert.equal(wins(keyed), 1);
    const winner = keyed.find((r) => r.ok);
    for (const r of keyed)
      if (!r.ok)
        assert.equal(
          r.refusal.kind === 'key' && r.refusal.holder.id,
          winner?.ok && winner.written[0]?.id,
          'who is late is told by whom',
        );
    const access = accessTo('Patient');
    const none = { kind: 'query', type: 'Patient', filter: byTag('conditional'), access, ids: [] } as const;
    const conditional = await race((s) => ({
      preconditions: [none],
      writes: [writeOf(tagged('conditional'), s.newId(), 0)],
    }));
    assert.equal(wins(conditional), 1);
    const guarded = await race((s) => ({
      preconditions: [{ kind: 'guard', name: 'g', stamp: 0 }],
      touches: ['g'],
      writes: [writeOf(tagged('guarded'), s.newId(), 0)],
    }));
    assert.equal(wins(guarded), 1);
    const inserted = await race(() => ({
      docs: [{ op: 'insert', doc: { collection: 'c', key: 'k', body: 'b' } }],
      counters: { inserted: 1 },
    }));
    assert.equal(wins(inserted), 1);
    assert.deepEqual(await all[0]?.counters(['inserted']), { inserted: 1 });
  });

  test('a guard keeps documents apart that no resource goes with', async (t) => {
    const [a, b] = (await stores(t, 2)) as [Store, Store];
    const batch = (body: string) => ({
      preconditions: [{ kind: 'guard', name: 'd', stamp: 0 } as const],
      touches: ['d'],
      docs: [{ op: 'put', doc: { collection: 'd', key: 'k', body } } as const],
    });
    const results = await Promise.all([a.commit(batch('a')), b.commit(batch('b'))]);
    assert.equal(results.filter((r) => r.ok).length, 1);
    assert.equal((await a.doc('d', 'k'))?.body, results[0].ok ? 'a' : 'b');
  });

  test('what one writes the others are told of within two seconds: resources with their types, documents too', async (t) => {
    const [a, b] = (await stores(t, 2)) as [Store, Store];
    const told = async (write: () => Promise<unknown>): Promise<string[]> => {
      const types: string[] = [];
      const foreign = new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('nobody said anything')), 2_000);
        b.onForeignChange(() => {
          clearTimeout(late);
          resolve();
        });
      });
      const stop = b.onChange((_seq, changed) => types.push(...changed));
      await write();
      await foreign;
      stop();
      return types;
    };
    // The first look only learns what is there.
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.deepEqual(await told(() => committed(a, { writes: [writeOf(patient(), a.newId(), 0)] })), ['Patient']);
    await told(() => committed(a, { docs: [{ op: 'put', doc: { collection: 'c', key: 'k', body: 'b' } }] }));
  });

  test('a write that this process followed with one of its own is told of too', async (t) => {
    const [a, b] = (await stores(t, 2)) as [Store, Store];
    await new Promise((resolve) => setTimeout(resolve, 600));
    for (let i = 0; i < 3; i++) {
      const foreign = new Promise<void>((resolve) => {
        const stop = b.onForeignChange(() => {
          stop();
          resolve();
        });
      });
      await committed(a, { writes: [writeOf(patient(), a.newId(), 0)] });
      await committed(b, { writes: [writeOf(patient(), b.newId(), 0)] });
      await foreign;
    }
  });
});
