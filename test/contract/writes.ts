/** Creating, updating, deleting, reviving; ids; everything of a batch or nothing. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ALL, type Filter, type Plan } from '../../src/search/plan.ts';
import { accessTo, committed, deletion, type OpenStore, observation, patient, refusalOf, writeOf } from './support.ts';

const byTag = (code: string): Plan => ({
  type: 'Patient',
  filter: { op: 'token', param: '_tag', code },
  sort: [],
  count: 10,
  total: true,
});
const tagged = (code: string): string => patient({ meta: { tag: [{ code }] } });

export function writesContract(name: string, open: OpenStore): void {
  describe(`${name}: writes`, () => {
    const opened = open();
    after(async () => (await opened).store.close());

    test('a created resource is read, found and counted as version 1', async () => {
      const { store } = await opened;
      const id = store.newId();
      const done = await committed(store, { writes: [writeOf(tagged('created'), id, 0)] });
      const [written] = done.written;
      const read = await store.read('Patient', id);
      assert.equal(written?.version, 1);
      assert.equal(read?.text, written?.text);
      assert.equal(read?.lastUpdated, written?.lastUpdated);
      assert.equal(read?.method, 'POST');
      assert.equal(done.seq, await store.lastSeq());
      const page = await store.search(byTag('created'), accessTo('Patient'));
      assert.deepEqual([page.total, page.entries.map((e) => e.id)], [1, [id]]);
    });

    test('an update replaces what it is found under; the version before stays readable', async () => {
      const { store } = await opened;
      const id = store.newId();
      await committed(store, { writes: [writeOf(tagged('before'), id, 0)] });
      await committed(store, { writes: [writeOf(tagged('after'), id, 1)] });
      assert.equal((await store.search(byTag('before'), accessTo('Patient'))).total, 0);
      assert.equal((await store.search(byTag('after'), accessTo('Patient'))).total, 1);
      assert.match((await store.readVersion('Patient', id, 1))?.text ?? '', /"before"/);
      assert.match((await store.readVersion('Patient', id, 2))?.text ?? '', /"after"/);
      assert.equal(await store.readVersion('Patient', id, 3), undefined);
    });

    test('a deleted resource is a version without text, in no search; it can be revived', async () => {
      const { store } = await opened;
      const id = 'client-named-1';
      await committed(store, { writes: [writeOf(tagged('mortal'), id, 0)] });
      const done = await committed(store, { writes: [deletion('Patient', id, 1)] });
      assert.deepEqual(
        [done.written[0]?.version, done.written[0]?.text],
        [2, ''],
        'a deletion is a version and has no text',
      );
      const read = await store.read('Patient', id);
      assert.deepEqual([read?.deleted, read?.version, read?.text], [true, 2, '']);
      assert.equal((await store.search(byTag('mortal'), accessTo('Patient'))).total, 0);
      assert.deepEqual(await store.readMany([{ type: 'Patient', id }]), []);
      assert.equal(await store.visible('Patient', id, accessTo('Patient')), false);
      await committed(store, { writes: [writeOf(tagged('mortal'), id, 2)] });
      assert.equal((await store.read('Patient', id))?.version, 3);
      assert.equal((await store.search(byTag('mortal'), accessTo('Patient'))).total, 1);
    });

    test('what was stored is there after the store was closed and opened again', async () => {
      const { store, reopen } = await open();
      const id = store.newId();
      const done = await committed(store, {
        writes: [writeOf(tagged('kept'), id, 0, { key: 'k-kept', keyNote: 'n', origin: 'raw/1#0' })],
        docs: [{ op: 'put', doc: { collection: 'c', key: 'k', body: 'b', tags: ['t'] } }],
        counters: { kept: 2 },
        touches: ['kept'],
      });
      const again = await reopen();
      const read = await again.read('Patient', id);
      assert.deepEqual([read?.text, read?.origin], [done.written[0]?.text, 'raw/1#0']);
      assert.equal((await again.search(byTag('kept'), accessTo('Patient'))).total, 1);
      assert.deepEqual(await again.keyHolders(['k-kept']), [
        { key: 'k-kept', type: 'Patient', id, version: 1, note: 'n' },
      ]);
      assert.equal((await again.doc('c', 'k'))?.body, 'b');
      assert.deepEqual(await again.counters(['kept']), { kept: 2 });
      assert.equal(await again.guard('kept'), 1);
      assert.equal(await again.lastSeq(), done.seq);
      await committed(again, { writes: [writeOf(tagged('kept'), again.newId(), 0)] });
      assert.equal(await again.lastSeq(), done.seq + 1);
      await again.close();
    });

    test('a batch is all or nothing: one refused write takes the others, documents and counters with it', async () => {
      const { store } = await opened;
      const taken = store.newId();
      await committed(store, { writes: [writeOf(tagged('taken'), taken, 0)] });
      const [first, last] = [store.newId(), store.newId()];
      const seq = await store.lastSeq();
      const refused = await store.commit({
        docs: [{ op: 'put', doc: { collection: 'atomic', key: 'k', body: 'b' } }],
        counters: { atomic: 1 },
        touches: ['atomic'],
        writes: [
          writeOf(tagged('atomic'), first, 0, { key: 'atomic-key' }),
          writeOf(tagged('atomic'), taken, 0),
          writeOf(tagged('atomic'), last, 0),
        ],
      });
      assert.deepEqual(refusalOf(refused), { kind: 'exists', index: 1, version: 1 });
      assert.equal(await store.read('Patient', first), undefined);
      assert.equal(await store.read('Patient', last), undefined);
      assert.equal((await store.search(byTag('atomic'), accessTo('Patient'))).total, 0);
      assert.equal(await store.doc('atomic', 'k'), undefined);
      assert.deepEqual(await store.counters(['atomic']), { atomic: 0 });
      assert.equal(await store.guard('atomic'), 0);
      assert.deepEqual(await store.keyHolders(['atomic-key']), []);
      assert.equal(await store.lastSeq(), seq);
    });

    test('a refused batch never hurts those that are committed with it', async () => {
      const { store } = await opened;
      const taken = store.newId();
      await committed(store, { writes: [writeOf(tagged('neighbour'), taken, 0)] });
      const batches = Array.from({ length: 40 }, (_, i) => ({
        writes: [
          writeOf(tagged('neighbour'), store.newId(), 0),
          writeOf(tagged('neighbour'), i % 3 === 0 ? taken : store.newId(), 0),
        ],
        counters: { neighbour: 1 },
      }));
      const all = await Promise.all(batches.map((batch) => store.commit(batch)));
      const good = all.filter((one) => one.ok).length;
      assert.equal(good, 26);
      assert.equal((await store.search(byTag('neighbour'), accessTo('Patient'))).total, 1 + 2 * good);
      assert.deepEqual(await store.counters(['neighbour']), { neighbour: good });
    });

    test('two writes of one resource in a batch follow each other', async () => {
      const { store } = await opened;
      const id = store.newId();
      const done = await committed(store, {
        writes: [
          writeOf(tagged('twice-a'), id, 0),
          writeOf(tagged('twice-b'), id, 1),
          writeOf(tagged('twice-c'), id, 2),
        ],
      });
      assert.deepEqual(
        done.written.map((w) => w.version),
        [1, 2, 3],
      );
      for (const [code, total] of [
        ['twice-a', 0],
        ['twice-b', 0],
        ['twice-c', 1],
      ] as const)
        assert.equal((await store.search(byTag(code), accessTo('Patient'))).total, total, code);
      assert.match((await store.readVersion('Patient', id, 2))?.text ?? '', /twice-b/);
    });

    test('ids are unique, cannot be counted, and lead only to their own type', async () => {
      const { store } = await opened;
      const ids = Array.from({ length: 20_000 }, () => store.newId());
      assert.equal(new Set(ids).size, ids.length);
      for (const id of ids.slice(0, 100)) assert.match(id, /^[A-Za-z0-9\-.]{1,64}$/);
      const sorted = [...ids].sort();
      assert.notDeepEqual(sorted.slice(0, 50), ids.slice(0, 50), 'ids do not tell the order of creation');
      const id = ids[0] as string;
      await committed(store, { writes: [writeOf(patient(), id, 0)] });
      assert.equal(await store.read('Observation', id), undefined);
      const guesses = Array.from({ length: 500 }, (_, i) => {
        const at = i % id.length;
        const next = id[at] === 'a' ? 'b' : 'a';
        return id.slice(0, at) + next + id.slice(at + 1);
      });
      for (const guess of new Set(guesses)) assert.equal(await store.read('Patient', guess), undefined);
      assert.deepEqual(
        await store.readMany([
          { type: 'Observation', id },
          { type: 'Patient', id: 'no-such' },
        ]),
        [],
      );
    });

    test('an id that a client made up is its own, also when it looks like one of the server', async () => {
      const { store } = await opened;
      const look = store.newId();
      const made = look.slice(0, -1) + (look.endsWith('0') ? '1' : '0');
      await committed(store, { writes: [writeOf(tagged('look-alike'), made, 0)] });
      assert.equal((await store.read('Patient', made))?.id, made);
      assert.equal((await store.search(byTag('look-alike'), accessTo('Patient'))).entries[0]?.id, made);
      assert.deepEqual(refusalOf(await store.commit({ writes: [writeOf(patient(), made, 0)] })), {
        kind: 'exists',
        index: 0,
        version: 1,
      });
      // The same id for another type is another resource.
      await committed(store, { writes: [writeOf(observation('p', '2026-01-01T00:00:00Z'), made, 0)] });
      assert.equal((await store.read('Observation', made))?.version, 1);
    });

    test('terms that the text would not give are found, and replaced by the next version all the same', async () => {
      const { store } = await opened;
      const id = store.newId();
      const quantity = { value: 1, system: '', code: 'x', unit: 'x' };
      const { terms, ...write } = writeOf(observation('odd', '2026-01-01T00:00:00Z'), id, 0);
      const odd = {
        ...terms,
        token: [...terms.token, { param: '_tag', system: '', code: 'odd' }],
        date: [{ param: 'date', low: 5, high: 6 }],
        reference: [
          { param: 'patient', type: 'Patient', id: 'elsewhere' },
          { param: 'device', type: 'Device', id: 'odd' },
        ],
        quantity: [{ param: 'value-quantity', ...quantity }],
        string: [{ param: 'value-string', text: 'Odd', folded: 'odd' }],
      };
      await committed(store, { writes: [{ ...write, terms: odd }] });
      const filters: Filter[] = [
        { op: 'token', param: '_tag', code: 'odd' },
        { op: 'reference', param: 'patient', type: 'Patient', id: 'elsewhere' },
        { op: 'quantity', param: 'value-quantity', comparator: 'eq', value: 1, low: 0.5, high: 1.5, code: 'x' },
        { op: 'string', param: 'value-string', mode: 'starts', value: 'od' },
      ];
      const total = async (filter: Filter) =>
        (await store.search({ type: 'Observation', filter, sort: [], count: 5, total: true }, accessTo('Observation')))
          .total;
      for (const filter of filters) assert.equal(await total(filter), 1, JSON.stringify(filter));
      await committed(store, { writes: [writeOf(observation('even', '2026-01-01T00:00:00Z'), id, 1)] });
      for (const filter of filters) assert.equal(await total(filter), 0, JSON.stringify(filter));
      assert.equal(await total({ op: 'reference', param: 'patient', type: 'Patient', id: 'even' }), 1);
    });

    test('what a resource says twice is gone at once with its next version', async () => {
      const { store } = await opened;
      const id = store.newId();
      const valueQuantity = { value: 7.25, unit: 'twice' };
      const component = [1, 2].map(() => ({ code: {}, valueQuantity }));
      const device = { reference: 'Device/twice' };
      const twice = observation('twice', '2026-01-01T00:00:00Z', {
        component,
        device,
        meta: { tag: [{ code: 'x' }, { code: 'x' }] },
      });
      const filter: Filter = {
        op: 'quantity',
        param: 'component-value-quantity',
        comparator: 'eq',
        value: 7.25,
        low: 7.245,
        high: 7.255,
      };
      const total = async () =>
        (await store.search({ type: 'Observation', filter, sort: [], count: 5, total: true }, accessTo('Observation')))
          .total;
      await committed(store, { writes: [writeOf(twice, id, 0)] });
      assert.equal(await total(), 1);
      await committed(store, { writes: [writeOf(observation('once', '2026-01-01T00:00:00Z'), id, 1)] });
      assert.equal(await total(), 0);
    });

    test('a batch that is not well formed is rejected alone', async () => {
      const { store } = await opened;
      const id = store.newId();
      const broken = writeOf(patient(), store.newId(), 0);
      const skeleton = { key: 'broken', parts: [',"a":', '}'] };
      const results = await Promise.allSettled([
        store.commit({ writes: [writeOf(patient(), id, 0)] }),
        store.commit({ writes: [{ ...broken, draft: { ...broken.draft, body: { skeleton, values: [] } } }] }),
        store.commit({ writes: [writeOf(patient(), store.newId(), 0)] }),
      ]);
      assert.deepEqual(
        results.map((r) => r.status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.equal((await store.read('Patient', id))?.version, 1);
    });

    test('only what is within the access filter is visible', async () => {
      const { store } = await opened;
      const id = store.newId();
      await committed(store, { writes: [writeOf(observation('p-seen', '2026-01-01T00:00:00Z'), id, 0)] });
      const of = (who: string) =>
        accessTo('Observation', { op: 'reference', param: 'patient', type: 'Patient', id: who });
      assert.equal(await store.visible('Observation', id, of('p-seen')), true);
      assert.equal(await store.visible('Observation', id, of('p-other')), false);
      assert.equal(await store.visible('Observation', id, accessTo('Observation', { op: 'none' })), false);
      assert.equal(await store.visible('Observation', 'no-such', accessTo('Observation')), false);
      const plan: Plan = { type: 'Observation', filter: ALL, sort: [], count: 10, total: true };
      assert.equal((await store.search(plan, of('p-other'))).total, 0);
      await assert.rejects(
        async () => store.search(plan, accessTo('Patient')),
        'a filter for another type is no filter',
      );
    });
  });
}
