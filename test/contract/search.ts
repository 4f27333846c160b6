/** Search of an engine against the reference engine in memory: same resources, same order, same totals, whatever the query. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../src/base/limits.ts';
import { extract } from '../../src/fhir/extract.ts';
import type { Terms } from '../../src/fhir/terms.ts';
import { finds, type MemoryRow, search as searchMemory, sortKeys } from '../../src/search/memory.ts';
import { type AccessFilter, ALL, type Filter, type Plan } from '../../src/search/plan.ts';
import { parseFilter, parseQuery } from '../../src/search/query.ts';
import type { Store } from '../../src/store/store.ts';
import { queries, type Resource, resource } from '../support/arbitrary.ts';
import { accessTo, BASE, committed, deletion, type OpenStore, writeOf } from './support.ts';

/** Access as it may come: everything, one patient, those of a practitioner, and nothing. */
const ACCESS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  Observation: [
    ['patient', 'Patient/p1'],
    ['subject', 'Patient/p2'],
    ['patient.gender', 'male'],
    ['code:not', 'http://loinc.org|8867-4'],
  ],
  Device: [['patient', 'Patient/p1']],
  Patient: [
    ['_id', 'p1'],
    ['_has:Observation:patient:status', 'final'],
  ],
};

const options = {
  base: BASE,
  limits,
  strict: true,
  secret: new Uint8Array(32),
  binding: '',
  accessFor: (type: string): AccessFilter => accessTo(type),
};

const accesses = (type: string): fc.Arbitrary<AccessFilter> =>
  fc
    .constantFrom<Filter>(
      ALL,
      ALL,
      { op: 'none' },
      ...(ACCESS[type] ?? []).map(([name, value]) => parseFilter(type, name, value, options)),
    )
    .map((filter) => accessTo(type, filter));

const searches = queries().chain(({ type, query }) =>
  fc.record({
    type: fc.constant(type),
    query: fc.constant(query),
    access: accesses(type),
    count: fc.integer({ min: 1, max: 4 }),
  }),
);

/** The state of a store as rows of the reference engine. */
class Mirror {
  readonly rows = new Map<string, MemoryRow>();
  #created = 0;

  put(type: string, id: string, terms: Terms, version: number, lastUpdated: number): void {
    const before = this.rows.get(`${type}/${id}`);
    this.rows.set(`${type}/${id}`, {
      type,
      id,
      version,
      lastUpdated,
      created: before?.created ?? ++this.#created,
      terms,
    });
  }
}

/** Newest version of each id that was ever used, so that a later run revives it. */
const versions = new WeakMap<Store, Map<string, number>>();

async function write(store: Store, all: readonly Resource[]): Promise<Mirror> {
  const known = versions.get(store) ?? new Map<string, number>();
  versions.set(store, known);
  const mirror = new Mirror();
  for (const one of all) {
    const path = `${one.resourceType}/${one.id}`;
    const follows = known.get(path) ?? 0;
    const done = await committed(store, { writes: [writeOf(JSON.stringify(one), one.id, follows)] });
    known.set(path, follows + 1);
    const at = Date.parse(done.written[0]?.lastUpdated as string);
    mirror.put(one.resourceType, one.id, extract(one, BASE), follows + 1, at);
  }
  return mirror;
}

async function clear(store: Store, mirror: Mirror): Promise<void> {
  const known = versions.get(store) as Map<string, number>;
  const writes = [...mirror.rows.values()].map((row) => deletion(row.type, row.id, row.version));
  await committed(store, { writes });
  for (const row of mirror.rows.values()) known.set(`${row.type}/${row.id}`, row.version + 1);
}

/** Ids of the whole walk, page by page. */
async function walk(
  store: Store,
  plan: Plan,
  access: AccessFilter,
): Promise<{ ids: string[]; total: number | undefined }> {
  const ids: string[] = [];
  let page = await store.search(plan, access);
  const { total } = page;
  for (let pages = 1; ; pages++) {
    assert.ok(page.entries.length <= plan.count, 'a page holds no more than was asked for');
    for (const entry of page.entries) ids.push(entry.id);
    if (!page.next) return { ids, total };
    assert.ok(page.entries.length > 0 && pages < 100, 'a page that has a next one is not empty, and the walk ends');
    page = await store.search({ ...plan, cursor: page.next }, access);
    assert.equal(page.total, total, 'the total is the same on every page');
  }
}

/** Whether `ids` follow the sort keys; equal ones may stand in any order. */
function assertOrder(
  ids: readonly string[],
  plan: Plan,
  expected: readonly MemoryRow[],
  rows: readonly MemoryRow[],
): void {
  const place = new Map(expected.map((row, i) => [row.id, i]));
  const keys = sortKeys(plan);
  for (let i = 1; i < ids.length; i++) {
    const [a, b] = [place.get(ids[i - 1] as string) as number, place.get(ids[i] as string) as number];
    if (a < b) continue;
    // The reference engine has them the other way round: only creation may have decided that.
    const two = [expected[a], expected[b]] as MemoryRow[];
    const swapped = two.map((row, n) => ({ ...row, created: 2 - n }));
    const onlyTwo = { op: 'id', ids: two.map((r) => r.id) } as const;
    const again = searchMemory({ ...plan, cursor: undefined, filter: onlyTwo, count: 2 }, undefined, [
      ...swapped,
      ...rows.filter((r) => r.type !== plan.type),
    ]);
    assert.equal(again.entries[0]?.id, two[0]?.id, `${ids.join()} is not in the order of ${JSON.stringify(keys)}`);
  }
}

async function check(
  store: Store,
  mirror: Mirror,
  asked: { type: string; query: string; access: AccessFilter; count: number },
) {
  const rows = [...mirror.rows.values()];
  const plan: Plan = {
    ...parseQuery(asked.type, asked.query, options).plan,
    count: asked.count,
    total: true,
    cursor: undefined,
  };
  const all = searchMemory({ ...plan, count: 1_000 }, asked.access, rows);
  const { ids, total } = await walk(store, plan, asked.access);
  const what = `${asked.type}?${asked.query} within ${JSON.stringify(asked.access.filter)}`;
  assert.deepEqual([...ids].sort(), all.entries.map((r) => r.id).sort(), what);
  assert.equal(total, all.total, `total of ${what}`);
  assertOrder(ids, plan, all.entries, rows);
  for (const row of rows.filter((r) => r.type === asked.type))
    assert.equal(
      await store.visible(row.type, row.id, asked.access),
      finds(asked.access.filter, row, rows),
      `visible ${row.type}/${row.id} within ${JSON.stringify(asked.access.filter)}`,
    );
}

const all = (type: string, query: string) => ({ type, query, access: accessTo(type), count: 1 });
const URN = 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0';
/** What an engine once answered otherwise; always tried first. */
const FOUND_BEFORE: [Resource[], ReturnType<typeof all>[]][] = [
  [
    [
      { resourceType: 'DeviceUseStatement', id: 'u2', device: { identifier: { value: 'x' } } },
      { resourceType: 'DeviceUseStatement', id: 'u1', device: { reference: 'Device/d1' } },
    ],
    [all('DeviceUseStatement', '_sort=device'), all('DeviceUseStatement', '_sort=-device')],
  ],
  [
    [{ resourceType: 'Device', id: 'd1', patient: { reference: URN } }],
    [all('Device', `patient=${encodeURIComponent(URN)}`)],
  ],
  [
    [{ resourceType: 'Encounter', id: 'e1', period: { start: '2027-01-01T00:00:00Z', end: '2026-04-01' } }],
    [all('Encounter', 'date=2026-04-02T00:30:00')],
  ],
];

export function searchContract(name: string, open: OpenStore, numRuns = 100): void {
  describe(`${name}: search`, () => {
    const opened = open();
    after(async () => (await opened).store.close());

    test('finds what the reference engine finds, in its order, with its total, page by page', async () => {
      const { store } = await opened;
      const runs = fc.asyncProperty(
        // The same id twice is an update.
        fc.array(resource(), { minLength: 1, maxLength: 14 }),
        fc.array(searches, { minLength: 1, maxLength: 12 }),
        async (all, asked) => {
          const mirror = await write(store, all);
          try {
            for (const one of asked) await check(store, mirror, one);
          } finally {
            await clear(store, mirror);
          }
        },
      );
      await fc.assert(runs, { numRuns, examples: FOUND_BEFORE });
    });
  });
}
