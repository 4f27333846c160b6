import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VitalwireError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { resourceTypes } from '../../src/fhir/definitions.ts';
import { assertValid, validate } from '../../src/fhir/validate.ts';
import { bloodPressure, heartRate, patient, type Resource, sample, samples, T } from '../support/resources.ts';
import { BROKEN, bundle, device, entry, name, observation } from './broken.ts';

test('samples of many types are valid', () => {
  for (const resource of samples()) assert.deepEqual(validate(resource), [], resource['resourceType'] as string);
  assert.ok(new Set(samples().map((r) => r['resourceType'])).size > 20);
});

for (const [what, resource, expression, code] of BROKEN)
  test(`refused: ${what} (${expression})`, () => {
    const issues = validate(resource);
    const found = issues.map((i) => `${i.severity} ${i.code} ${i.expression.join()}`);
    assert.ok(
      found.includes(`error ${code} ${expression}`),
      `${found.join('; ')} for ${JSON.stringify(resource).slice(0, 200)}`,
    );
    for (const issue of issues) assert.match(issue.details, /^.{10,}[.)]?$/s);
  });

const VALID: readonly [string, Resource][] = [
  ['a type and nothing else', { resourceType: 'Patient' }],
  [
    'a required primitive that is only an extension',
    sample('Encounter', { status: undefined, _status: { extension: [{ url: 'urn:a', valueCode: 'unknown' }] } }),
  ],
  [
    'an array and its sibling of another length',
    name({ given: ['A'], _given: [null, { extension: [{ url: 'urn:a', valueCode: 'b' }] }] }),
  ],
  ['a sibling with an id only beside a value', patient({ _gender: { id: 'g' } })],
  ['a conditional reference', heartRate({ subject: { reference: 'Patient?identifier=1' } })],
  [
    'an absolute reference to any type',
    heartRate({ subject: { reference: 'https://example.org/fhir/Practitioner/1' } }),
  ],
  ['a logical reference', heartRate({ subject: { identifier: { value: '1' } } })],
  [
    'a local reference as #',
    observation({
      contained: [device({ note: [{ text: 'a', authorReference: { reference: '#' } }] })],
      device: { display: 'a' },
    }),
  ],
  ['a leap second', heartRate({ effectiveDateTime: '2016-12-31T23:59:60Z' })],
  [
    'a bound concept that only says why there is none',
    sample('Condition', {
      abatementString: undefined,
      clinicalStatus: { extension: [{ url: 'urn:a', valueCode: 'unknown' }] },
    }),
  ],
  [
    'a period whose precision leaves it open',
    patient({ identifier: [{ period: { start: '2020-05-10', end: '2020-05' } }] }),
  ],
  ['a no-break space in a string', name({ family: 'A\u00a0B' })],
  [
    'a fullUrl twice in a history',
    bundle({
      type: 'history',
      entry: [1, 2].map(() => ({ ...entry, request: { method: 'PUT', url: 'a' }, response: { status: '200' } })),
    }),
  ],
];
for (const [what, resource] of VALID)
  test(`taken: ${what}`, () => {
    assert.deepEqual(validate(resource), []);
  });

test('every resource type can be compiled, and an unknown element of each is refused', () => {
  for (const resourceType of resourceTypes()) {
    const issues = validate({ resourceType, notThere: 1 });
    assert.ok(
      issues.some((i) => i.expression[0] === `${resourceType}.notThere`),
      resourceType,
    );
  }
});

test('issues are bounded, and found in the order of the resource', () => {
  const many = patient({ name: Array.from({ length: 500 }, () => ({ use: 'x' })) });
  const issues = validate(many);
  assert.equal(issues.length, limits.validationIssuesMax);
  assert.equal(issues[7]?.expression[0], 'Patient.name[7].use');
});

test('a body full of mistakes costs no more than the first of them', () => {
  const unknown = Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`x${i}`, 1]));
  const bad = patient({ ...unknown, name: Array.from({ length: 300_000 }, () => 7) });
  const start = performance.now();
  for (let i = 0; i < 5; i++) assert.equal(validate(bad).length, limits.validationIssuesMax);
  assert.ok(performance.now() - start < 2000);
});

test('warnings do not crowd out an error', () => {
  const exam = heartRate({ category: undefined });
  const many = bundle({
    entry: [...Array.from({ length: 150 }, () => exam), patient({ gender: 'f' })].map((resource) => ({ resource })),
  });
  const issues = validate(many);
  assert.equal(issues.length, limits.validationIssuesMax);
  assert.equal(issues[0]?.expression[0], 'Bundle.entry[150].resource.gender');
  assert.throws(() => assertValid(many));
});

test('a nest that no text could have brought is an issue, not a stack overflow', () => {
  let extension: Resource = { url: 'a', valueCode: 'b' };
  for (let i = 0; i < 100_000; i++) extension = { url: 'a', extension: [extension] };
  assert.ok(validate(patient({ extension: [extension] })).some((i) => /nested deeper/.test(i.details)));
});

test('sentences show a value only in part', () => {
  const [issue] = validate(patient({ gender: 'x'.repeat(10_000) }));
  assert.ok((issue as { details: string }).details.length < 400);
});

test('assertValid throws all issues as one error, and not for a warning', () => {
  assert.throws(
    () => assertValid(patient({ gender: 'f', active: 1 })),
    (e) => e instanceof VitalwireError && e.code === 'resource.invalid' && e.options.issues?.length === 2,
  );
  assertValid(heartRate({ category: [{ coding: [{ system: `${T}observation-category`, code: 'exam' }] }] }));
  assertValid(bloodPressure());
});

test('never throws, whatever stands in a resource', () => {
  const keys = fc.constantFrom(
    'status',
    'code',
    'coding',
    'valueQuantity',
    'extension',
    'url',
    'contained',
    'entry',
    'resource',
    'component',
    'category',
    'meta',
    '_status',
    '__proto__',
    'resourceType',
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(null, '', 'a', '#', 0, -1.5, true, 'Patient', 'Bundle', 'vital-signs'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(
      fc.constantFrom('Observation', 'Bundle', 'Patient', 'Parameters'),
      fc.dictionary(keys, value, { maxKeys: 6 }),
      (type, members) => {
        assert.ok(Array.isArray(validate({ ...members, resourceType: type })));
      },
    ),
    { numRuns: 500 },
  );
});
