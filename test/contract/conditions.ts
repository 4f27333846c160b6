/** Preconditions and keys: judged inside the transaction, whoever else writes at the same moment. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ALL, type Filter } from '../../src/search/plan.ts';
import type { Batch, Committed, Precondition } from '../../src/store/store.ts';
import { accessTo, committed, deletion, type OpenStore, patient, refusalOf, writeOf } from './support.ts';

const tagged = (code: string, more: Record<string, unknown> = {}): string =>
  patient({ meta: { tag: [{ code }] }, ...more });
const byTag = (code: string): Filter => ({ op: 'token', param: '_tag', code });
const finds = (filter: Filter, ...ids: string[]): Precondition => ({
  kind: 'query',
  type: 'Patient',
  filter,
  access: accessTo('Patient'),
  ids,
});
const kindOf = (one: Committed): string => (one.ok ? 'ok' : one.refusal.kind);

export function conditionsContract(name: string, open: OpenStore): void {
  describe(`${name}: conditions`, () => {
    const opened = open();
    after(async () => (await opened).store.close());

    test('a version that is not the newest is refused, with the newest one', async () => {
      const { store } = await opened;
      const id = store.newId();
      await committed(store, { writes: [writeOf(patient(), id, 0)] });
      await committed(store, { writes: [writeOf(patient(), id, 1)] });
      const late = await store.commit({ writes: [writeOf(patient(), id, 1)] });
      assert.deepEqual(refusalOf(late), { kind: 'version', index: 0, version: 2 });
      const early = await store.commit({ writes: [writeOf(patient(), id, 7)] });
      assert.deepEqual(refusalOf(early), { kind: 'version', index: 0, version: 2 });
      const nowhere = await store.commit({ writes: [writeOf(patient(), 'never-there', 1)] });
      assert.deepEqual(refusalOf(nowhere), { kind: 'version', index: 0, version: 0 });
      await committed(store, { writes: [deletion('Patient', id, 2)] });
      const dead = await store.commit({ writes: [writeOf(patient(), id, 0)] });
      assert.deepEqual(refusalOf(dead), { kind: 'exists', index: 0, version: 3 });
    });

    test('of many updates that follow the same version one is stored', async () => {
      const { store } = await opened;
      const id = store.newId();
      await committed(store, { writes: [writeOf(patient(), id, 0)] });
      const all = await Promise.all(
        Array.from({ length: 12 }, (_, i) => store.commit({ writes: [writeOf(tagged(`race-${i}`), id, 1)] })),
      );
      assert.equal(all.filter((one) => one.ok).length, 1);
      for (const one of all) assert.match(kindOf(one), /^(ok|version)$/);
      assert.equal((await store.read('Patient', id))?.version, 2);
    });

    test('of many creations of one id one is stored', async () => {
      const { store } = await opened;
      const all = await Promise.all(
        Array.from({ length: 12 }, () => store.commit({ writes: [writeOf(tagged('one-id'), 'race-for-id', 0)] })),
      );
      assert.equal(all.filter((one) => one.ok).length, 1);
      for (const one of all) assert.match(kindOf(one), /^(ok|exists)$/);
    });

    test('eight identical conditional creates at once make exactly one resource', async () => {
      const { store } = await opened;
      for (let round = 0; round < 5; round++) {
        const code = `conditional-${round}`;
        const batches: Batch[] = Array.from({ length: 8 }, () => ({
          writes: [writeOf(tagged(code), store.newId(), 0)],
          preconditions: [finds(byTag(code))],
        }));
        const all = await Promise.all(batches.map((batch) => store.commit(batch)));
        assert.equal(all.filter((one) => one.ok).length, 1, code);
        assert.deepEqual(new Set(all.filter((one) => !one.ok).map(kindOf)), new Set(['query']));
        const plan = { type: 'Patient', filter: byTag(code), sort: [], count: 10, total: true };
        assert.equal((await store.search(plan, accessTo('Patient'))).total, 1, code);
      }
    });

    test('a query must find exactly the ids that were seen, also through a chain', async () => {
      const { store } = await opened;
      const [a, b, c] = [store.newId(), store.newId(), store.newId()];
      await committed(store, { writes: [writeOf(tagged('exact'), a, 0)] });
      const touch = (...ids: string[]) =>
        store.commit({ counters: { exact: 1 }, preconditions: [finds(byTag('exact'), ...ids)] });
      assert.equal(kindOf(await touch(a)), 'ok');
      assert.deepEqual(refusalOf(await touch()), { kind: 'query', index: 0 });
      assert.deepEqual(refusalOf(await touch(a, b)), { kind: 'query', index: 0 });
      assert.deepEqual(refusalOf(await touch(b)), { kind: 'query', index: 0 });
      // Written one after the other, answered together.
      const practice = { resourceType: 'Organization', name: 'chained' };
      const chain: Filter = {
        op: 'chain',
        param: 'organization',
        type: 'Organization',
        filter: { op: 'string', param: 'name', mode: 'starts', value: 'chained' },
      };
      const [, second, third] = await Promise.all([
        store.commit({
          writes: [
            writeOf(JSON.stringify(practice), 'org-chained', 0),
            writeOf(patient({ managingOrganization: { reference: 'Organization/org-chained' } }), c, 0),
          ],
        }),
        store.commit({ counters: { exact: 1 }, preconditions: [finds(chain, c)] }),
        store.commit({ counters: { exact: 1 }, preconditions: [finds(chain)] }),
      ]);
      assert.deepEqual([kindOf(second), kindOf(third)], ['ok', 'query']);
    });

    test('a resource that another batch changes so that the query finds it, or no longer, counts', async () => {
      const { store } = await opened;
      const id = store.newId();
      await committed(store, { writes: [writeOf(tagged('was'), id, 0)] });
      const [moved, stale, fresh] = await Promise.all([
        store.commit({ writes: [writeOf(tagged('is'), id, 1)] }),
        store.commit({ counters: { moved: 1 }, preconditions: [finds(byTag('was'), id)] }),
        store.commit({ counters: { moved: 1 }, preconditions: [finds(byTag('is'), id)] }),
      ]);
      assert.deepEqual([kindOf(moved), kindOf(stale), kindOf(fresh)], ['ok', 'query', 'ok']);
    });

    test('the version of another resource is a precondition', async () => {
      const { store } = await opened;
      const id = store.newId();
      await committed(store, { writes: [writeOf(patient(), id, 0)] });
      const at = (type: string, of: string, version: number): Batch => ({
        counters: { versioned: 1 },
        preconditions: [
          { kind: 'version', type: 'Patient', id, version: 1 },
          { kind: 'version', type, id: of, version },
        ],
      });
      assert.equal(kindOf(await store.commit(at('Patient', id, 1))), 'ok');
      assert.equal(kindOf(await store.commit(at('Patient', 'never', 0))), 'ok');
      assert.equal(kindOf(await store.commit(at('Observation', id, 0))), 'ok');
      assert.deepEqual(refusalOf(await store.commit(at('Patient', id, 2))), { kind: 'precondition', index: 1 });
      assert.deepEqual(refusalOf(await store.commit(at('Patient', 'never', 1))), { kind: 'precondition', index: 1 });
      assert.deepEqual(await store.counters(['versioned']), { versioned: 3 });
    });

    test('a guard fails when its name was touched since; of many that read the same stamp one goes through', async () => {
      const { store } = await opened;
      const name = 'device-use/1';
      const stamp = await store.guard(name);
      assert.equal(stamp, 0);
      const guarded: Batch = {
        counters: { guarded: 1 },
        touches: [name],
        preconditions: [{ kind: 'guard', name, stamp }],
      };
      const all = await Promise.all(Array.from({ length: 8 }, () => store.commit(guarded)));
      assert.equal(all.filter((one) => one.ok).length, 1);
      assert.deepEqual(refusalOf(all.find((one) => !one.ok) as Committed), { kind: 'guard', index: 0 });
      assert.notEqual(await store.guard(name), stamp);
      assert.deepEqual(await store.counters(['guarded']), { guarded: 1 });
      // Readers of one stamp do not disturb each other.
      const now = await store.guard(name);
      const readers = Array.from({ length: 8 }, () =>
        store.commit({ counters: { guarded: 1 }, preconditions: [{ kind: 'guard', name, stamp: now }] }),
      );
      assert.ok((await Promise.all(readers)).every((one) => one.ok));
    });

    test('a key is held for ever, by one resource; whoever is late is told by whom', async () => {
      const { store } = await opened;
      const write = (id: string, key: string, follows = 0, keyNote = 'first') =>
        store.commit({ writes: [writeOf(patient(), id, follows, { key, keyNote })] });
      const [a, b] = [store.newId(), store.newId()];
      const key = `a key that is longer than most, ${'x'.repeat(100)}`;
      assert.ok((await write(a, key)).ok);
      const holder = { key, type: 'Patient', id: a, version: 1, note: 'first' };
      assert.deepEqual(refusalOf(await write(b, key)), { kind: 'key', index: 0, holder });
      assert.deepEqual(await store.keyHolders([key, 'nobody']), [holder]);
      // Its own resource may come back with it, and say something else beside it.
      assert.ok((await write(a, key, 1, 'second')).ok);
      assert.deepEqual(await store.keyHolders([key]), [{ ...holder, version: 2, note: 'second' }]);
      // A former key stays taken, and so does that of a deleted resource.
      assert.ok((await write(a, 'another', 2, 'third')).ok);
      assert.equal(kindOf(await write(b, key)), 'key');
      assert.equal(kindOf(await write(b, 'another')), 'key');
      await committed(store, { writes: [deletion('Patient', a, 3)] });
      assert.equal(kindOf(await write(b, key)), 'key');
      assert.equal(kindOf(await write(b, 'another')), 'key');
      assert.equal(await store.read('Patient', b), undefined);
    });

    test('of many batches with one key one is stored, also when each has others', async () => {
      const { store } = await opened;
      const batches: Batch[] = Array.from({ length: 10 }, (_, i) => ({
        writes: [
          writeOf(tagged('one-key'), store.newId(), 0, { key: `own-${i}` }),
          writeOf(tagged('one-key'), store.newId(), 0, { key: 'shared-key' }),
        ],
      }));
      const all = await Promise.all(batches.map((batch) => store.commit(batch)));
      assert.equal(all.filter((one) => one.ok).length, 1);
      for (const one of all) if (!one.ok) assert.deepEqual([one.refusal.kind, one.refusal.index], ['key', 1]);
      const plan = { type: 'Patient', filter: byTag('one-key'), sort: [], count: 10, total: true };
      assert.equal((await store.search(plan, accessTo('Patient'))).total, 2);
      const own = await store.keyHolders(Array.from({ length: 10 }, (_, i) => `own-${i}`));
      assert.equal(own.length, 1, 'a refused batch holds no key');
      const twice = await store.commit({
        writes: [
          writeOf(patient(), store.newId(), 0, { key: 'in-one-batch' }),
          writeOf(patient(), store.newId(), 0, { key: 'in-one-batch' }),
        ],
      });
      assert.equal(kindOf(twice), 'key');
    });

    test('access is part of a query precondition', async () => {
      const { store } = await opened;
      const id = store.newId();
      await committed(store, { writes: [writeOf(tagged('hidden'), id, 0)] });
      const query = (access: Filter, ...ids: string[]): Batch => ({
        counters: { hidden: 1 },
        preconditions: [
          { kind: 'query', type: 'Patient', filter: byTag('hidden'), access: accessTo('Patient', access), ids },
        ],
      });
      assert.equal(kindOf(await store.commit(query(ALL, id))), 'ok');
      assert.equal(kindOf(await store.commit(query({ op: 'none' }, id))), 'query');
      assert.equal(kindOf(await store.commit(query({ op: 'none' }))), 'ok');
    });
  });
}
