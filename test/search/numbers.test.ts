/** FHIR R4 search.html#number: the digits of the search value make its range. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNumberRange } from '../../src/search/params/number.ts';

test('implicit precision', () => {
  const want: [string, number, number][] = [
    ['100', 99.5, 100.5],
    ['100.00', 99.995, 100.005],
    ['1e2', 95, 105],
    ['1.00e2', 99.5, 100.5],
    ['37', 36.5, 37.5],
    ['38.0', 37.95, 38.05],
    ['5.4e-3', 0.00535, 0.00545],
    ['0', -0.5, 0.5],
    ['-1.5', -1.55, -1.45],
    ['+7', 6.5, 7.5],
    ['0.1', 0.05, 0.15],
  ];
  for (const [text, low, high] of want) {
    const { comparator, value, ...range } = parseNumberRange('n', text);
    assert.deepEqual(range, { low, high }, text);
    assert.deepEqual([comparator, value], ['eq', Number(text)]);
  }
});

test('ap is a tenth of the value on either side, at least the implicit precision', () => {
  assert.deepEqual(parseNumberRange('n', 'ap100'), { comparator: 'ap', value: 100, low: 90, high: 110 });
  assert.deepEqual(parseNumberRange('n', 'ap0'), { comparator: 'ap', value: 0, low: -0.5, high: 0.5 });
});

test('what is no number is refused', () => {
  for (const text of [
    '',
    'gt',
    'much',
    '1,5',
    '0x10',
    '1e',
    '.5',
    '5.',
    'NaN',
    'Infinity',
    '1e999',
    '1e-301',
    '--1',
    'gt gt1',
    '9'.repeat(41),
  ])
    assert.throws(() => parseNumberRange('n', text), { name: 'VitalwireError', code: 'request.value' }, text);
});
