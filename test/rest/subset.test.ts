/** _summary and _elements cut the text and keep the bytes of what is left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VitalwireError } from '../../src/base/errors.ts';
import { type Subset, subset, subsetOf } from '../../src/rest/subset.ts';

const TAG = '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}';
const head = '"resourceType":"Observation","id":"1","meta":{"versionId":"1"';
const TEXT = `{${head}},"text":{"status":"generated","div":"<div/>"},"status":"final","_status":{"id":"s"},"code":{"text":"c"},"valueQuantity":{"value":37.00},"note":[{"text":"n"}]}`;

const cases: [what: string, wanted: Subset, result: string][] = [
  [
    'elements',
    { elements: ['valueQuantity'] },
    `{${head},"tag":[${TAG}]},"status":"final","_status":{"id":"s"},"code":{"text":"c"},"valueQuantity":{"value":37.00}}`,
  ],
  [
    'elements of a choice',
    { elements: ['value'] },
    `{${head},"tag":[${TAG}]},"status":"final","_status":{"id":"s"},"code":{"text":"c"},"valueQuantity":{"value":37.00}}`,
  ],
  [
    'elements with the type',
    { elements: ['Observation.note'] },
    `{${head},"tag":[${TAG}]},"status":"final","_status":{"id":"s"},"code":{"text":"c"},"note":[{"text":"n"}]}`,
  ],
  [
    'summary',
    { summary: 'true' },
    `{${head},"tag":[${TAG}]},"status":"final","_status":{"id":"s"},"code":{"text":"c"},"valueQuantity":{"value":37.00}}`,
  ],
  [
    'text',
    { summary: 'text' },
    `{${head},"tag":[${TAG}]},"text":{"status":"generated","div":"<div/>"},"status":"final","_status":{"id":"s"},"code":{"text":"c"}}`,
  ],
  [
    'data',
    { summary: 'data' },
    `{${head},"tag":[${TAG}]},"status":"final","_status":{"id":"s"},"code":{"text":"c"},"valueQuantity":{"value":37.00},"note":[{"text":"n"}]}`,
  ],
];

test('what is wanted is kept to the digit, and marked', () => {
  for (const [what, wanted, result] of cases) assert.equal(subset(TEXT, wanted), result, what);
});

test('a tag that is there is kept beside SUBSETTED', () => {
  const text = '{"resourceType":"Patient","id":"1","meta":{"tag":[{"code":"x"}]},"active":true}';
  assert.equal(
    subset(text, { elements: ['active'] }),
    `{"resourceType":"Patient","id":"1","meta":{"tag":[{"code":"x"},${TAG}]},"active":true}`,
  );
});

test('nested elements have marks of their own', () => {
  const text =
    '{"resourceType":"Account","id":"1","meta":{},"status":"active","coverage":[{"coverage":{"reference":"Coverage/1"},"priority":1,"extension":[]}],"guarantor":[{"onHold":true}]}';
  const cut = JSON.parse(subset(text, { summary: 'true' })) as Record<string, unknown>;
  assert.deepEqual(cut['coverage'], [{ coverage: { reference: 'Coverage/1' }, priority: 1 }]);
  assert.equal(cut['guarantor'], undefined);
});

test('what a read may ask for', () => {
  assert.deepEqual(subsetOf('_summary=true'), { summary: 'true' });
  assert.deepEqual(subsetOf('_elements=status,code'), { elements: ['status', 'code'] });
  assert.equal(subsetOf('_summary=false'), undefined);
  assert.equal(subsetOf('_format=json'), undefined);
  assert.throws(() => subsetOf('_summary=all'), VitalwireError);
});
