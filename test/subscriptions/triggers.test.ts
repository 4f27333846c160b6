/** Topics as data, and the test of readings out of range. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interactionOf, topics } from '../../src/subscriptions/topics.ts';
import { outOfRange, predicate } from '../../src/subscriptions/triggers.ts';

const quantity = (value: number, code = '/min') => ({ value, system: 'http://unitsofmeasure.org', code });
const interpretation = (code: string) => [{ coding: [{ code }] }];
const range = (over: object) => [{ low: quantity(60), high: quantity(100), ...over }];

test('every topic can be evaluated and says by what it can be filtered', () => {
  assert.equal(topics().size, 6);
  for (const topic of topics().values()) {
    for (const trigger of topic.triggers) if (trigger.predicate) assert.ok(predicate(trigger.predicate));
    for (const type of topic.types)
      assert.ok(topic.filters.some((f) => f.resource === type && f.parameter === 'patient'));
  }
});

test('out of range by interpretation, of the Observation or of a component', () => {
  for (const code of ['A', 'AA', 'L', 'LL', 'H', 'HH', '<', '>'])
    assert.ok(outOfRange({ interpretation: interpretation(code) }), code);
  for (const code of ['N', 'IND', 'S']) assert.ok(!outOfRange({ interpretation: interpretation(code) }), code);
  assert.ok(outOfRange({ component: [{ valueQuantity: quantity(1) }, { interpretation: interpretation('H') }] }));
});

test('out of range by a range for everybody in the same unit, unless it is called normal', () => {
  const reading = (value: number, referenceRange: object, more = {}) =>
    outOfRange({ valueQuantity: quantity(value), referenceRange, ...more });
  assert.ok(reading(59, range({})) && reading(101, range({})));
  assert.ok(!reading(60, range({})) && !reading(100, range({})));
  assert.ok(!reading(59, range({ low: undefined })));
  assert.ok(!reading(101, range({}), { interpretation: interpretation('N') }));
  assert.ok(!reading(101, range({ appliesTo: [{ text: 'athletes' }] })));
  assert.ok(!reading(101, range({ age: { high: quantity(1, 'a') } })));
  assert.ok(!reading(101, range({ high: quantity(100, 'Hz') })));
  const type = (code: string) => ({
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/referencerange-meaning', code }],
  });
  assert.ok(reading(101, range({ type: type('normal') })));
  assert.ok(!reading(101, range({ type: type('treatment') })));
  assert.ok(!outOfRange({}) && !outOfRange({ valueQuantity: quantity(1) }));
});

test('a PUT that made version 1 is a create', () => {
  assert.deepEqual(
    [
      interactionOf('POST', 1),
      interactionOf('PUT', 1),
      interactionOf('PUT', 2),
      interactionOf('PATCH', 3),
      interactionOf('DELETE', 4),
    ],
    ['create', 'create', 'update', 'update', 'delete'],
  );
});
