/** Paging while others write: nothing that is new, nothing twice, nothing left out. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { and, type Filter, type Plan, type SortKey } from '../../src/search/plan.ts';
import type { Store } from '../../src/store/store.ts';
import { accessTo, committed, deletion, type OpenStore, observation, writeOf } from './support.ts';

const day = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString();
const ofPatient = (id: string): Filter => ({ op: 'reference', param: 'patient', type: 'Patient', id });
const tag = (code: string): Filter => ({ op: 'token', param: '_tag', code });
const tagged = (of: string, date: string, code: string, more = {}): string =>
  observation(of, date, { meta: { tag: [{ code }] }, ...more });

const SORTS: Readonly<Record<string, readonly SortKey[]>> = {
  'the default order': [],
  'date ascending': [{ param: 'date', type: 'date', descending: false }],
  _lastUpdated: [{ param: '_lastUpdated', type: 'date', descending: false }],
  '-_lastUpdated': [{ param: '_lastUpdated', type: 'date', descending: true }],
  'status, then -date': [
    { param: 'status', type: 'token', descending: false },
    { param: 'date', type: 'date', descending: true },
  ],
};

/** Walks by pages of three; `between` is done after each page. */
async function walk(store: Store, plan: Plan, between: (page: number) => Promise<void>): Promise<string[]> {
  const ids: string[] = [];
  let page = await store.search(plan, accessTo('Observation'));
  for (let n = 0; n < 100; n++) {
    ids.push(...page.entries.map((e) => e.id));
    if (!page.next) return ids;
    await between(n);
    page = await store.search({ ...plan, cursor: page.next }, accessTo('Observation'));
  }
  throw new Error('the walk does not end');
}

export function walksContract(name: string, open: OpenStore): void {
  describe(`${name}: walks`, () => {
    const opened = open();
    after(async () => (await opened).store.close());

    for (const [what, sort] of Object.entries(SORTS))
      for (const byPatient of [true, false])
        test(`by ${what}${byPatient ? ' of a patient' : ''}, while others create, update and delete`, async () => {
          const { store } = await opened;
          const code = `${what}-${byPatient}`;
          const who = `walk-${Object.keys(SORTS).indexOf(what)}-${byPatient}`;
          const ids = Array.from({ length: 20 }, (_, i) => `${who.replaceAll('_', '')}-${i}`);
          for (const [i, id] of ids.entries())
            await committed(store, { writes: [writeOf(tagged(who, day((i * 7) % 20), code), id, 0)] });
          const versions = new Map(ids.map((id) => [id, 1]));
          const update = async (id: string, date: string): Promise<void> => {
            const follows = versions.get(id) as number;
            await committed(store, { writes: [writeOf(tagged(who, date, code, { status: 'amended' }), id, follows)] });
            versions.set(id, follows + 1);
          };
          const deleted = new Set<string>();
          const between = async (page: number): Promise<void> => {
            // New ones before and after where the walk is.
            await committed(store, {
              writes: [day(-5), day(10), day(40)].map((date) => writeOf(tagged(who, date, code), store.newId(), 0)),
            });
            // One jumps to the front, one to the end, one stays; some twice.
            await update(ids[page] as string, day(100));
            await update(ids[19 - page] as string, day(-100));
            await update(ids[10] as string, day((10 * 7) % 20));
          };
          const plan: Plan = {
            type: 'Observation',
            filter: byPatient ? and(ofPatient(who), tag(code)) : tag(code),
            sort,
            count: 3,
            total: true,
          };
          const seen = await walk(store, plan, between);
          assert.deepEqual([...seen].sort(), ids.filter((id) => !deleted.has(id)).sort());
        });

    test('what is deleted meanwhile is left out, what is no longer found too, and the total says how many are left', async () => {
      const { store } = await opened;
      const ids = Array.from({ length: 9 }, (_, i) => `left-${i}`);
      const writes = ids.map((id, i) => writeOf(tagged('left', day(i), 'left'), id, 0));
      await committed(store, { writes });
      const plan: Plan = { type: 'Observation', filter: tag('left'), sort: [], count: 3, total: true };
      const first = await store.search(plan, accessTo('Observation'));
      assert.equal(first.total, 9);
      await committed(store, {
        writes: [
          deletion('Observation', 'left-0', 1),
          writeOf(tagged('left', day(1), 'moved-away'), 'left-1', 1),
          writeOf(tagged('left', day(3), 'left'), store.newId(), 0),
        ],
      });
      const second = await store.search({ ...plan, count: 10, cursor: first.next }, accessTo('Observation'));
      assert.deepEqual(
        second.entries.map((e) => e.id),
        ['left-5', 'left-4', 'left-3', 'left-2'],
      );
      assert.equal(second.total, 7);
      assert.equal(second.next, undefined);
    });

    test('a page of none counts only', async () => {
      const { store } = await opened;
      await committed(store, { writes: [writeOf(tagged('counted', day(0), 'counted'), 'counted-1', 0)] });
      const plan: Plan = { type: 'Observation', filter: tag('counted'), sort: [], count: 0, total: true };
      assert.deepEqual(await store.search(plan, accessTo('Observation')), { entries: [], total: 1 });
    });

    test('a page that just holds all has no next one', async () => {
      const { store } = await opened;
      await committed(store, {
        writes: [0, 1, 2].map((i) => writeOf(tagged('exactly', day(i), 'exactly'), `exactly-${i}`, 0)),
      });
      const plan: Plan = { type: 'Observation', filter: tag('exactly'), sort: [], count: 3, total: false };
      const page = await store.search(plan, accessTo('Observation'));
      assert.deepEqual([page.entries.length, page.next, page.total], [3, undefined, undefined]);
    });
  });
}
