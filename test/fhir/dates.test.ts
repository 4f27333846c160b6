import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endOf, isDate, isDateTime, isInstant, isTime, parseDateTime, startOf } from '../../src/fhir/dates.ts';

const utc = (text: string): number => Date.parse(text);

test('the interval is what the precision means, UTC when there is no zone', () => {
  const cases: readonly [string, string, string, string][] = [
    ['2026', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 'year'],
    ['2026-12', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z', 'month'],
    ['2024-02', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z', 'month'],
    ['2026-02-28', '2026-02-28T00:00:00Z', '2026-03-01T00:00:00Z', 'day'],
    ['2026-02-28T23:59', '2026-02-28T23:59:00Z', '2026-03-01T00:00:00Z', 'minute'],
    ['2026-02-28T23:59Z', '2026-02-28T23:59:00Z', '2026-03-01T00:00:00Z', 'minute'],
    ['2026-02-28T23:59:59', '2026-02-28T23:59:59Z', '2026-03-01T00:00:00Z', 'second'],
    ['2026-04-02T23:30:00-02:00', '2026-04-03T01:30:00Z', '2026-04-03T01:30:01Z', 'second'],
    ['2026-04-02T02:30:00+02:00', '2026-04-02T00:30:00Z', '2026-04-02T00:30:01Z', 'second'],
    ['2026-04-02T02:30:00.5Z', '2026-04-02T02:30:00.500Z', '2026-04-02T02:30:00.600Z', 'fraction'],
    ['2026-04-02T02:30:00.120Z', '2026-04-02T02:30:00.120Z', '2026-04-02T02:30:00.121Z', 'fraction'],
    ['2026-04-02T02:30:00.123456789Z', '2026-04-02T02:30:00.123Z', '2026-04-02T02:30:00.124Z', 'fraction'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z', '2017-01-01T00:00:01Z', 'second'],
    ['0001', '0001-01-01T00:00:00Z', '0002-01-01T00:00:00Z', 'year'],
    ['9999-12-31', '9999-12-31T00:00:00Z', '+010000-01-01T00:00:00Z', 'day'],
    ['1999', '1999-01-01T00:00:00Z', '2000-01-01T00:00:00Z', 'year'],
    ['9900', '9900-01-01T00:00:00Z', '9901-01-01T00:00:00Z', 'year'],
  ];
  for (const [text, low, high, precision] of cases)
    assert.deepEqual(parseDateTime(text), { low: utc(low), high: utc(high), precision }, text);
});

test('what does not exist or is no FHIR date is refused', () => {
  for (const text of [
    '',
    '26',
    '2026-1',
    '2026-13',
    '2026-00',
    '2026-02-29',
    '1900-02-29',
    '2026-04-31',
    '2026-02-30',
    '2026-13-45',
    '2026-01-00',
    '0000',
    '0000-01-01',
    '2026-01-01T',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:60:00Z',
    '2026-01-01T23:59:61Z',
    '2026-01-01T10Z',
    '2026-01-01T10:00:00.Z',
    '2026-01-01T10:00:00+14:01',
    '2026-01-01T10:00:00+15:00',
    '2026-01-01T10:00:00+0200',
    '2026-01-01T10:00:00z',
    '2026-01-01t10:00:00Z',
    '2026-01-01 10:00:00Z',
    '2026-01-01Z',
    '2026-01-01T10:00:00ZZ',
    ' 2026',
    '2026 ',
    '2026/01/01',
    '20260101',
    '-2026',
    '2026-01-01T1a:00:00Z',
    '２０２６',
    'yesterday',
    '2026-01-01T10:00:00 02:00',
    'abcd',
    '99a9',
  ]) {
    assert.equal(parseDateTime(text), undefined, text);
    assert.ok(Number.isNaN(startOf(text)) && Number.isNaN(endOf(text)), text);
    assert.ok(!isDate(text) && !isDateTime(text) && !isInstant(text), text);
  }
});

test('the types of resources are stricter than a search', () => {
  const yes = (text: string): string =>
    [isDate(text) && 'date', isDateTime(text) && 'dateTime', isInstant(text) && 'instant'].filter(Boolean).join(' ');
  assert.equal(yes('2026'), 'date dateTime');
  assert.equal(yes('2026-02-28'), 'date dateTime');
  assert.equal(yes('2026-02-28T10:00:00Z'), 'dateTime instant');
  assert.equal(yes('2026-02-28T10:00:00.1+05:30'), 'dateTime instant');
  assert.equal(yes('2026-02-28T10:00:00'), '', 'no zone');
  assert.equal(yes('2026-02-28T10:00Z'), '', 'no seconds');
});

test('a time of day', () => {
  for (const text of ['00:00:00', '23:59:60', '10:11:12.345']) assert.ok(isTime(text), text);
  for (const text of ['24:00:00', '10:00', '10:00:00Z', '10:00:00.', '1:00:00', '10:00:00.1a', ''])
    assert.ok(!isTime(text), text);
});

test('agrees with the platform on every instant', () => {
  const years = { min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true };
  fc.assert(
    fc.property(fc.date(years), fc.integer({ min: -14 * 60, max: 14 * 60 }), (date, offset) => {
      const hhmm = `${String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0')}:${String(Math.abs(offset) % 60).padStart(2, '0')}`;
      const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 23);
      const text = `${local}${offset < 0 ? '-' : '+'}${hhmm}`;
      assert.deepEqual(
        parseDateTime(text),
        { low: date.getTime(), high: date.getTime() + 1, precision: 'fraction' },
        text,
      );
      assert.equal(
        parseDateTime(date.toISOString().slice(0, 10))?.low,
        Math.floor(date.getTime() / 86_400_000) * 86_400_000,
      );
    }),
  );
});
