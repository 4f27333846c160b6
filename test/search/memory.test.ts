import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { finds, type MemoryRow, search } from '../../src/search/memory.ts';
import { isLocal, matches } from '../../src/search/predicate.ts';
import { queries, resources } from '../support/arbitrary.ts';
import { accessOf, find, page, parse, rowsOf } from '../support/search.ts';

const observation = (id: string, over: object): object => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  ...over,
});

test('order: newest by date first, without date last, then newest created', () => {
  const all = [
    observation('a', { effectiveDateTime: '2026-01-02' }),
    observation('b', {}),
    observation('c', { effectiveDateTime: '2026-01-03' }),
    observation('d', { effectiveDateTime: '2026-01-02' }),
    observation('e', {}),
  ];
  assert.equal(find('Observation', '', all), 'c d a e b');
  assert.equal(find('Observation', '_sort=date', all), 'd a c e b');
  assert.equal(find('Observation', '_sort=-date', all), 'c d a e b');
  assert.equal(find('Observation', '_sort=-_lastUpdated', all), 'e d c b a');
  assert.equal(
    find('Patient', '', [
      { resourceType: 'Patient', id: '1' },
      { resourceType: 'Patient', id: '2' },
    ]),
    '2 1',
  );
});

test('of several values the smallest counts upwards, the largest downwards', () => {
  const name = (id: string, ...families: string[]) => ({
    resourceType: 'Patient',
    id,
    name: families.map((family) => ({ family })),
  });
  const all = [name('a', 'm'), name('b', 'a', 'z'), name('c', 'É'), name('d')];
  assert.equal(find('Patient', '_sort=family', all), 'b c a d');
  assert.equal(find('Patient', '_sort=-family', all), 'b a c d');
});

test('sorted by two keys', () => {
  const value = (id: string, day: number, n: number) =>
    observation(id, { effectiveDateTime: `2026-04-0${day}`, valueQuantity: { value: n } });
  const all = [value('a', 3, 60), value('b', 1, 61), value('c', 3, 62), value('d', 2, 63)];
  assert.equal(find('Observation', '_sort=-date,value-quantity', all), 'a c d b');
  assert.equal(find('Observation', '_sort=-date,-value-quantity', all), 'c a d b');
});

test('a reference by identifier alone is no value to sort by', () => {
  const all = [
    observation('a', { device: { identifier: { value: 'x' } } }),
    observation('b', { device: { reference: 'Device/2' } }),
    observation('c', { device: { reference: 'Device/1' } }),
  ];
  assert.equal(find('Observation', '_sort=device', all), 'c b a');
  assert.equal(find('Observation', '_sort=-device', all), 'b c a');
});

test('an access filter hides from page, total and chain alike', () => {
  const all = [
    { resourceType: 'Patient', id: 'p1', gender: 'male' },
    { resourceType: 'Patient', id: 'p2', gender: 'male' },
    observation('o1', { subject: { reference: 'Patient/p1' } }),
    observation('o2', { subject: { reference: 'Patient/p2' } }),
  ];
  const access = accessOf('Patient', { op: 'id', ids: ['p2'] });
  const found = page('Patient', 'gender=male&_total=accurate', all, access);
  assert.deepEqual([found.entries.map((e) => e.id), found.total], [['p2'], 1]);
  const { plan } = parse('Observation', 'patient.gender=male', { accessFor: () => access });
  assert.deepEqual(
    search(plan, undefined, rowsOf(all)).entries.map((e) => e.id),
    ['o2'],
  );
});

test('pages walked to the end are the whole, each once, whatever is created meanwhile', () => {
  fc.assert(
    fc.property(resources(), resources(), queries(), (all, later, { type, query }) => {
      const { plan } = parse(type, query);
      const rows = rowsOf(all);
      const whole = search({ ...plan, count: 1000 }, undefined, rows).entries.map((e) => e.id);
      const added: MemoryRow[] = rowsOf(later).map((row) => ({
        ...row,
        id: `new-${row.id}`,
        created: row.created + rows.length,
      }));
      const walked: string[] = [];
      let at = search({ ...plan, count: 2 }, undefined, rows);
      walked.push(...at.entries.map((e) => e.id));
      while (at.next) {
        at = search({ ...plan, count: 2, cursor: at.next }, undefined, [...rows, ...added]);
        walked.push(...at.entries.map((e) => e.id));
      }
      // Through a chain or _has what was created meanwhile may lead to an old resource.
      if (isLocal(plan.filter)) assert.deepEqual(walked, whole);
      else assert.equal(new Set(walked).size, walked.length);
    }),
  );
});

test('a random search: what is found matches, what is not does not; self parses to the same plan', () => {
  fc.assert(
    fc.property(resources(), queries(), (all, { type, query }) => {
      const parsed = parse(type, query);
      const again = parse(type, parsed.self);
      assert.deepEqual(again.plan, parsed.plan);
      assert.equal(again.self, parsed.self);
      const rows = rowsOf(all).filter((row) => row.type === type);
      const found = search({ ...parsed.plan, count: 1000 }, undefined, rowsOf(all)).entries.map((e) => e.id);
      if (isLocal(parsed.plan.filter))
        for (const row of rows)
          assert.equal(found.includes(row.id), matches(parsed.plan.filter, row.terms, row), row.id);
      else assert.ok(rows.every((row) => found.includes(row.id) === finds(parsed.plan.filter, row, rowsOf(all))));
    }),
  );
});

test('negation and absence: :not and the plain search share nothing and leave nothing out', () => {
  fc.assert(
    fc.property(
      resources(),
      fc.constantFrom('code=8867-4', 'status=final,amended', 'combo-code=8480-6'),
      (all, query) => {
        const ids = (q: string) =>
          find('Observation', `${q}&_sort=_id`, all)
            .split(' ')
            .filter((id) => id !== '');
        const [name, value] = query.split('=');
        const both = [...ids(query), ...ids(`${name}:not=${value}`)];
        assert.deepEqual(both.sort(), ids('').sort());
        const present = [...ids(`${name}:missing=true`), ...ids(`${name}:missing=false`)];
        assert.deepEqual(present.sort(), ids('').sort());
      },
    ),
  );
});

test('what needs other resources is not decided by matches', () => {
  const { filter } = parse('Observation', 'status=final&patient.name=x').plan;
  assert.equal(isLocal(filter), false);
  const [row] = rowsOf([observation('a', {})]) as [MemoryRow];
  assert.throws(() => matches(filter, row.terms, row), /cannot be decided/);
});
