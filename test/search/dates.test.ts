/** FHIR R4 search.html#date and #prefix: precision makes intervals on both sides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find } from '../support/search.ts';

const observation = (over: object): object => ({ resourceType: 'Observation', status: 'final', ...over });
/** Ids in the order of the resources. */
const dates = (query: string, resources: readonly object[]): string =>
  find(
    'Observation',
    `${query}&_sort=_id`,
    resources.map((r, i) => ({ ...r, id: String(i) })),
  );
const at = (...instants: string[]) => instants.map((effectiveDateTime) => observation({ effectiveDateTime }));

test('the table of the prefixes, on a day', () => {
  const all = at(
    '2013-01-13',
    '2013-01-14',
    '2013-01-14T00:00:00Z',
    '2013-01-14T10:00:00Z',
    '2013-01-15T00:00:00Z',
    '2013-01',
    '2013',
  );
  const want: Record<string, string> = {
    eq: '1 2 3',
    ne: '0 4 5 6',
    lt: '0 5 6',
    gt: '4 5 6',
    ge: '1 2 3 4 5 6',
    le: '0 1 2 3 5 6',
    sa: '4',
    eb: '0',
    ap: '0 1 2 3 4 5 6',
  };
  for (const [prefix, ids] of Object.entries(want)) assert.equal(dates(`date=${prefix}2013-01-14`, all), ids, prefix);
});

test('the table of the prefixes, on a Period', () => {
  const period = (start?: string, end?: string) => observation({ effectivePeriod: { start, end } });
  const all = [
    period('2013-01-01', '2013-01-31'),
    period('2013-01-14T01:00:00Z', '2013-01-14T02:00:00Z'),
    period('2013-01-20'),
    period(undefined, '2013-01-10'),
    period('2013-01-14'),
  ];
  const want: Record<string, string> = {
    eq: '1',
    ne: '0 2 3 4',
    lt: '0 3',
    gt: '0 2 4',
    ge: '0 1 2 4',
    le: '0 1 3',
    sa: '2',
    eb: '3',
  };
  for (const [prefix, ids] of Object.entries(want)) assert.equal(dates(`date=${prefix}2013-01-14`, all), ids, prefix);
});

test('gt and lt of a second leave out that whole second, ge and le take it in', () => {
  const all = at(
    '2026-04-02T10:00:00Z',
    '2026-04-02T10:00:00.500Z',
    '2026-04-02T10:00:01Z',
    '2026-04-02T09:59:59.999Z',
  );
  assert.equal(dates('date=2026-04-02T10:00:00Z', all), '0 1');
  assert.equal(dates('date=gt2026-04-02T10:00:00Z', all), '2');
  assert.equal(dates('date=lt2026-04-02T10:00:00Z', all), '3');
  assert.equal(dates('date=ge2026-04-02T10:00:00Z', all), '0 1 2');
  assert.equal(dates('date=le2026-04-02T10:00:00Z', all), '0 1 3');
  assert.equal(dates('date=ge2026-04-02T10:00Z', all), '0 1 2');
  assert.equal(dates('date=2026-04-02T10:00:00.500Z', all), '1');
});

test('a day is a UTC day, whatever the zone of the resource or of the server', () => {
  const all = at('2026-04-01T23:30:00Z', '2026-04-02T00:30:00Z', '2026-04-02T23:30:00-02:00', '2026-05-01T00:00:00Z');
  assert.equal(dates('date=2026-04-02', all), '1');
  assert.equal(dates('date=2026-04', all), '0 1 2');
  assert.equal(dates('date=gt2026-04-02', all), '2 3');
  assert.equal(dates('date=lt2026-04-02', all), '0');
  assert.equal(dates('date=2026-04-03T01:30:00Z', all), '2');
  assert.equal(dates('date=ge2026-04-02T02:30:00%2B02:00', all), '1 2 3');
  assert.equal(dates('date=ge2026-04-02T02:30:00+02:00', all), '1 2 3', 'a plus that arrives as a space');
  assert.equal(dates('date=ge2026-04-02&date=lt2026-04-03', all), '1');
});

test('a search finer than the resource: the resource may still lie above or below', () => {
  const all = at('2026', '2026-04-02');
  assert.equal(dates('date=2026-04-02T10:00:00Z', all), '');
  assert.equal(dates('date=gt2026-04-02T10:00:00Z', all), '0 1');
  assert.equal(dates('date=lt2026-04-02T10:00:00Z', all), '0 1');
  assert.equal(dates('date=sa2026-04-02T10:00:00Z', all), '');
});
