/** History of one resource, a type and the system, newest first, page by page, within access. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { AccessFilter } from '../../src/search/plan.ts';
import type { HistoryQuery, Store } from '../../src/store/store.ts';
import { accessTo, committed, deletion, type OpenStore, observation, patient, writeOf } from './support.ts';

async function walk(store: Store, query: HistoryQuery, access: AccessFilter | AccessFilter[]): Promise<string[]> {
  const found: string[] = [];
  let before: number | undefined;
  for (let pages = 0; pages < 50; pages++) {
    const page = await store.history({ ...query, before }, access);
    assert.ok(page.entries.length <= query.count);
    for (const e of page.entries) found.push(`${e.type}/${e.id}/${e.version}${e.deleted ? ' deleted' : ''}`);
    if (page.next === undefined) return found;
    before = page.next;
  }
  throw new Error('the walk does not end');
}

const ofPatient = (id: string): AccessFilter =>
  accessTo('Observation', { op: 'reference', param: 'patient', type: 'Patient', id });
const at = '2026-01-01T00:00:00Z';

export function historyContract(name: string, open: OpenStore): void {
  describe(`${name}: history`, () => {
    const opened = open();
    after(async () => (await opened).store.close());

    test('every version of a resource, a type and the system, newest first', async () => {
      const { store } = await opened;
      for (const writes of [
        [writeOf(patient(), 'h1', 0), writeOf(observation('h1', at), 'o1', 0)],
        [writeOf(patient({ active: false }), 'h1', 1)],
        [writeOf(patient(), 'h2', 0)],
        [deletion('Patient', 'h1', 2)],
        [writeOf(patient(), 'h1', 3)],
      ])
        await committed(store, { writes });
      const h1 = ['Patient/h1/4', 'Patient/h1/3 deleted', 'Patient/h1/2', 'Patient/h1/1'];
      const all = [accessTo('Patient'), accessTo('Observation')];
      for (const count of [1, 2, 10]) {
        assert.deepEqual(await walk(store, { type: 'Patient', id: 'h1', count }, accessTo('Patient')), h1);
        const type = [h1[0], h1[1], 'Patient/h2/1', h1[2], h1[3]];
        assert.deepEqual(await walk(store, { type: 'Patient', count }, accessTo('Patient')), type);
        const system = [h1[0], h1[1], 'Patient/h2/1', h1[2], 'Observation/o1/1', h1[3]];
        assert.deepEqual(await walk(store, { count }, all), system);
        assert.deepEqual(await walk(store, { count }, [accessTo('Observation')]), ['Observation/o1/1']);
      }
      assert.deepEqual(await walk(store, { type: 'Patient', id: 'never', count: 5 }, accessTo('Patient')), []);
      const page = await store.history({ type: 'Patient', id: 'h1', count: 10 }, accessTo('Patient'));
      assert.deepEqual(
        page.entries.map((e) => e.method),
        ['PUT', 'DELETE', 'PUT', 'POST'],
      );
      assert.equal(page.entries[1]?.text, '');
      assert.match(page.entries[2]?.text ?? '', /"active":false/);
    });

    test('_since is inclusive, and the log keeps the order of time', async () => {
      const { store } = await opened;
      await committed(store, { writes: [writeOf(patient(), 's1', 0)] });
      await new Promise((resolve) => setTimeout(resolve, 5));
      const second = await committed(store, { writes: [writeOf(patient(), 's2', 0)] });
      const since = Date.parse(second.written[0]?.lastUpdated as string);
      assert.deepEqual(await walk(store, { type: 'Patient', count: 10, since }, accessTo('Patient')), ['Patient/s2/1']);
      assert.deepEqual(await walk(store, { type: 'Patient', count: 10, since: since + 1 }, accessTo('Patient')), []);
    });

    test('a version is shown when it and the resource as it stands are within access; a deletion by what lived last', async () => {
      const { store } = await opened;
      await committed(store, {
        writes: [writeOf(observation('a', at), 'moved', 0), writeOf(observation('a', at), 'gone', 0)],
      });
      await committed(store, {
        writes: [writeOf(observation('b', at), 'moved', 1), deletion('Observation', 'gone', 1)],
      });
      const of = (id: string, who: string) => walk(store, { type: 'Observation', id, count: 10 }, ofPatient(who));
      assert.deepEqual(await of('moved', 'a'), [], 'what was moved to another patient is not shown to the former one');
      assert.deepEqual(await of('moved', 'b'), ['Observation/moved/2']);
      assert.deepEqual(await of('gone', 'a'), ['Observation/gone/2 deleted', 'Observation/gone/1']);
      assert.deepEqual(await of('gone', 'b'), []);
      assert.deepEqual(await walk(store, { count: 1 }, [ofPatient('a')]), [
        'Observation/gone/2 deleted',
        'Observation/gone/1',
      ]);
      assert.deepEqual(
        await walk(store, { type: 'Observation', count: 3 }, accessTo('Observation', { op: 'none' })),
        [],
      );
    });

    test('access by a chain holds for former versions too', async () => {
      const { store } = await opened;
      const doctor = { generalPractitioner: [{ reference: 'Practitioner/dr' }] };
      await committed(store, {
        writes: [
          writeOf(patient(doctor), 'mine', 0),
          writeOf(patient(), 'other', 0),
          writeOf(observation('mine', at), 'c1', 0),
          writeOf(observation('other', at), 'c2', 0),
        ],
      });
      await committed(store, { writes: [writeOf(observation('mine', at, { status: 'amended' }), 'c1', 1)] });
      const access = accessTo('Observation', {
        op: 'chain',
        param: 'patient',
        type: 'Patient',
        filter: { op: 'reference', param: 'general-practitioner', type: 'Practitioner', id: 'dr' },
      });
      assert.deepEqual(await walk(store, { type: 'Observation', count: 10 }, access), [
        'Observation/c1/2',
        'Observation/c1/1',
      ]);
    });
  });
}
