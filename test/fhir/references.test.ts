import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReference, type Reference } from '../../src/fhir/references.ts';

const BASE = 'http://127.0.0.1:8080/fhir';
const CASES: readonly [string, Reference][] = [
  ['Patient/1', { kind: 'relative', type: 'Patient', id: '1' }],
  ['Patient/a-B.9/_history/2', { kind: 'relative', type: 'Patient', id: 'a-B.9', version: '2' }],
  [`${BASE}/Patient/1`, { kind: 'own', type: 'Patient', id: '1' }],
  [`${BASE}/Patient/1/_history/3`, { kind: 'own', type: 'Patient', id: '1', version: '3' }],
  [`${BASE}/Patience/1`, { kind: 'absolute', url: `${BASE}/Patience/1` }],
  [`${BASE}2/Patient/1`, { kind: 'absolute', url: `${BASE}2/Patient/1` }],
  ['https://example.org/fhir/Patient/1', { kind: 'absolute', url: 'https://example.org/fhir/Patient/1' }],
  [
    'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0',
    { kind: 'urn', url: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' },
  ],
  ['urn:oid:1.2.3', { kind: 'urn', url: 'urn:oid:1.2.3' }],
  ['#d', { kind: 'contained', url: '#d' }],
  ['#', { kind: 'contained', url: '#' }],
];

for (const [text, want] of CASES)
  test(`${text} is ${want.kind}`, () => assert.deepEqual(parseReference(text, BASE), want));

test('what is no Type/id of R4 is other', () => {
  for (const url of [
    '',
    '1',
    'Patient',
    'Patient/',
    'Patient?identifier=1',
    'Patience/1',
    'patient/1',
    `Patient/${'a'.repeat(65)}`,
    'Patient/a b',
    'Patient/1/',
    'Patient/1/_history/',
    '__proto__/1',
    'constructor/1',
    'DomainResource/1',
    '../Patient/1',
    'Patient/1?x',
  ])
    assert.deepEqual(parseReference(url, BASE), { kind: 'other', url });
});
