import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { extract } from '../../src/fhir/extract.ts';
import { type ParamType, TIME_OPEN } from '../../src/fhir/terms.ts';
import { BASE, LOINC, resource, UCUM } from '../support/arbitrary.ts';

/** The terms of one parameter, without its name. */
function terms(of: object, kind: Exclude<ParamType, 'special'>, param: string): unknown[] {
  const list: readonly { readonly param: string }[] = extract(of as Record<string, unknown>, BASE)[kind];
  return list.filter((t) => t.param === param).map(({ param: _, ...rest }) => rest);
}
const observation = (over: object): object => ({ resourceType: 'Observation', status: 'final', ...over });
const coded = (...coding: object[]): object => ({ coding });
const mm = (value: number): object => ({ value, system: UCUM, code: 'mm[Hg]', unit: 'mmHg' });
const SYSTOLIC = { system: LOINC, code: '8480-6' };
const DIASTOLIC = { system: LOINC, code: '8462-4' };
const bloodPressure = observation({
  code: coded({ system: LOINC, code: '85354-9' }),
  component: [
    { code: coded(SYSTOLIC), valueQuantity: mm(121) },
    { code: coded(DIASTOLIC), valueQuantity: mm(79) },
  ],
});

test('token: every coding counts, the text does not', () => {
  const of = observation({ code: { ...coded(SYSTOLIC, { code: 'x' }, { display: 'none' }), text: '8867-4' } });
  assert.deepEqual(terms(of, 'token', 'code'), [SYSTOLIC, { system: '', code: 'x' }]);
  assert.deepEqual(terms(observation({ code: { text: '8867-4' } }), 'token', 'code'), []);
  assert.deepEqual(terms(observation({ code: coded({ system: 'urn:s' }) }), 'token', 'code'), [
    { system: 'urn:s', code: '' },
  ]);
});

test('token: code, boolean, Identifier, ContactPoint by kind, string', () => {
  const patient = {
    resourceType: 'Patient',
    active: false,
    gender: 'female',
    identifier: [{ system: 'urn:mrn', value: '1' }, { value: '2' }, { system: 'urn:only' }],
    telecom: [
      { system: 'phone', value: '555', use: 'home' },
      { system: 'email', value: 'a@b' },
    ],
  };
  assert.deepEqual(terms(patient, 'token', 'active'), [{ system: '', code: 'false' }]);
  assert.deepEqual(terms(patient, 'token', 'gender'), [{ system: '', code: 'female' }]);
  assert.deepEqual(terms(patient, 'token', 'identifier'), [
    { system: 'urn:mrn', code: '1' },
    { system: '', code: '2' },
    { system: 'urn:only', code: '' },
  ]);
  assert.deepEqual(terms(patient, 'token', 'phone'), [{ system: 'home', code: '555' }]);
  assert.deepEqual(terms(patient, 'token', 'email'), [{ system: '', code: 'a@b' }]);
  assert.equal(terms(patient, 'token', 'telecom').length, 2);
});

test('deceased is false without the element and with false, true with true or a date', () => {
  const deceased = (over: object) => terms({ resourceType: 'Patient', ...over }, 'token', 'deceased');
  assert.deepEqual(deceased({}), [{ system: '', code: 'false' }]);
  assert.deepEqual(deceased({ deceasedBoolean: false }), [{ system: '', code: 'false' }]);
  assert.deepEqual(deceased({ deceasedBoolean: true }), [{ system: '', code: 'true' }]);
  assert.deepEqual(deceased({ deceasedDateTime: '2026' }), [{ system: '', code: 'true' }]);
});

test('date: precision makes the interval, an open end of a Period is open, a Timing has its outer limits', () => {
  const day = Date.UTC(2026, 3, 2);
  const date = (over: object) => terms(observation(over), 'date', 'date');
  assert.deepEqual(date({ effectiveDateTime: '2026-04-02' }), [{ low: day, high: day + 86_400_000 }]);
  assert.deepEqual(date({ effectiveDateTime: '2026-04-02T02:00:00+02:00' }), [{ low: day, high: day + 1000 }]);
  assert.deepEqual(date({ effectivePeriod: { start: '2026-04-02' } }), [{ low: day, high: TIME_OPEN }]);
  assert.deepEqual(date({ effectivePeriod: { end: '2026-04-01' } }), [{ low: -TIME_OPEN, high: day }]);
  assert.deepEqual(date({ effectivePeriod: {} }), []);
  assert.deepEqual(date({ effectiveTiming: { event: ['2026-04-03', '2026-04-02'] } }), [
    { low: day, high: day + 2 * 86_400_000 },
  ]);
  assert.deepEqual(date({ effectiveTiming: { repeat: { frequency: 1 } } }), []);
});

test('quantity: a Range has two terms, Money a currency, SampledData and a Quantity without value none', () => {
  const value = (over: object) => terms(observation(over), 'quantity', 'value-quantity');
  assert.deepEqual(value({ valueQuantity: mm(7) }), [{ value: 7, system: UCUM, code: 'mm[Hg]', unit: 'mmHg' }]);
  assert.deepEqual(value({ valueQuantity: { unit: 'mmHg' } }), []);
  assert.deepEqual(value({ valueSampledData: { origin: { value: 0 }, period: 4, dimensions: 1, data: '1' } }), []);
  const condition = { resourceType: 'Condition', onsetRange: { low: { value: 1 }, high: { value: 2 } } };
  assert.deepEqual(
    terms(condition, 'quantity', 'onset-age').map((t) => (t as { value: number }).value),
    [1, 2],
  );
  const invoice = { resourceType: 'Invoice', totalNet: { value: 5, currency: 'EUR' } };
  assert.deepEqual(terms(invoice, 'quantity', 'totalnet'), [
    { value: 5, system: 'urn:iso:std:iso:4217', code: 'EUR', unit: 'EUR' },
  ]);
});

test('reference: own URLs are relative, versions do not count, contained ones are none', () => {
  const subject = (reference: object) => terms(observation({ subject: reference }), 'reference', 'subject');
  const p1 = [{ type: 'Patient', id: 'p1' }];
  assert.deepEqual(subject({ reference: 'Patient/p1' }), p1);
  assert.deepEqual(subject({ reference: `${BASE}/Patient/p1` }), p1);
  assert.deepEqual(subject({ reference: 'Patient/p1/_history/3' }), p1);
  assert.deepEqual(subject({ reference: '#p1' }), []);
  assert.deepEqual(subject({ reference: 'https://other/fhir/Patient/p1' }), [
    { type: '', id: 'https://other/fhir/Patient/p1' },
  ]);
  assert.deepEqual(subject({ reference: 'urn:uuid:1' }), [{ type: '', id: 'urn:uuid:1' }]);
  assert.deepEqual(subject({ identifier: { system: 'urn:mrn', value: '1' } }), [
    { type: '', id: '', identifier: { system: 'urn:mrn', value: '1' } },
  ]);
  assert.deepEqual(subject({ display: 'somebody' }), []);
});

test('patient comes from a subject that is a Patient', () => {
  const patient = (reference: object) => terms(observation({ subject: reference }), 'reference', 'patient').length;
  assert.equal(patient({ reference: 'Patient/p1' }), 1);
  assert.equal(patient({ reference: 'Device/p1' }), 0);
  assert.equal(patient({ reference: 'https://other/fhir/Patient/p1' }), 1);
  assert.equal(patient({ reference: 'https://other/fhir/Group/p1' }), 0);
  assert.equal(patient({ reference: 'urn:uuid:1' }), 0);
  assert.equal(patient({ reference: 'urn:uuid:1', type: 'Patient' }), 1);
});

test('string: all parts of a name, folded; value-string is the text of a concept too', () => {
  const patient = {
    resourceType: 'Patient',
    name: [{ family: 'Nagy', given: ['Éva', 'Zoë'], prefix: ['Dr'], text: 'N' }],
  };
  assert.deepEqual(
    terms(patient, 'string', 'name')
      .map((t) => (t as { folded: string }).folded)
      .sort(),
    ['dr', 'eva', 'n', 'nagy', 'zoe'],
  );
  assert.deepEqual(terms(patient, 'string', 'given'), [
    { text: 'Éva', folded: 'eva' },
    { text: 'Zoë', folded: 'zoe' },
  ]);
  assert.deepEqual(terms(observation({ valueCodeableConcept: { text: 'Yes' } }), 'string', 'value-string'), [
    { text: 'Yes', folded: 'yes' },
  ]);
});

test('a canonical is found with and without its version', () => {
  const of = { resourceType: 'Patient', meta: { profile: ['http://a/b|1.0'], source: 'urn:x', tag: [{ code: 't' }] } };
  assert.deepEqual(terms(of, 'uri', '_profile'), [{ value: 'http://a/b|1.0' }, { value: 'http://a/b' }]);
  assert.deepEqual(terms(of, 'uri', '_source'), [{ value: 'urn:x' }]);
  assert.deepEqual(terms(of, 'token', '_tag'), [{ system: '', code: 't' }]);
  const answered = { resourceType: 'QuestionnaireResponse', questionnaire: 'http://a/q|2' };
  assert.deepEqual(terms(answered, 'reference', 'questionnaire'), [
    { type: '', id: 'http://a/q' },
    { type: '', id: 'http://a/q|2' },
  ]);
});

test('blood pressure: both components are in combo-* and component-*, value-quantity has none', () => {
  const values = (param: string) => terms(bloodPressure, 'quantity', param).map((t) => (t as { value: number }).value);
  assert.deepEqual(values('component-value-quantity'), [121, 79]);
  assert.deepEqual(values('combo-value-quantity'), [121, 79]);
  assert.deepEqual(values('value-quantity'), []);
  assert.deepEqual(
    terms(bloodPressure, 'token', 'combo-code')
      .map((t) => (t as { code: string }).code)
      .sort(),
    ['8462-4', '8480-6', '85354-9'],
  );
});

test('composite: parts of one occurrence stay together, an occurrence without a part is none', () => {
  const all = extract(bloodPressure as Record<string, unknown>, BASE).composite;
  const of = (param: string) =>
    all.filter((c) => c.param === param).map((c) => [c.parts.token[0]?.code, c.parts.quantity[0]?.value]);
  assert.deepEqual(of('component-code-value-quantity'), [
    ['8480-6', 121],
    ['8462-4', 79],
  ]);
  assert.deepEqual(of('combo-code-value-quantity'), [
    ['8480-6', 121],
    ['8462-4', 79],
  ]);
  assert.deepEqual(of('code-value-quantity'), []);
  const group = {
    resourceType: 'Group',
    characteristic: [
      { code: coded({ code: 'a' }), valueBoolean: true },
      { code: coded({ code: 'b' }), valueQuantity: mm(1) },
    ],
  };
  const parts = extract(group, BASE).composite.map((c) => c.parts.token.map((t) => `${t.param}=${t.code}`));
  assert.deepEqual(parts, [['characteristic=a', 'value=true']]);
});

test('composite parts may come from the resource, and a Bundle refers to its first entry', () => {
  const sequence = {
    resourceType: 'MolecularSequence',
    referenceSeq: { chromosome: coded({ code: '22' }) },
    variant: [{ start: 5, end: 6 }],
  };
  const [found] = extract(sequence, BASE).composite.filter((c) => c.param === 'chromosome-variant-coordinate');
  assert.deepEqual([found?.parts.token[0]?.code, found?.parts.number.map((n) => n.value)], ['22', [5, 6]]);
  const entry = [
    { resource: { resourceType: 'Composition', id: 'c' } },
    { resource: { resourceType: 'Composition', id: 'd' } },
  ];
  assert.deepEqual(terms({ resourceType: 'Bundle', entry }, 'reference', 'composition'), [
    { type: 'Composition', id: 'c' },
  ]);
  assert.deepEqual(terms({ resourceType: 'Bundle', entry }, 'reference', 'message'), []);
});

test('an unknown type, nulls and wrong shapes make no terms and no error', () => {
  const nothing = { token: [], string: [], date: [], number: [], quantity: [], reference: [], uri: [], composite: [] };
  assert.deepEqual(extract({ resourceType: 'Nothing', code: 'x' }, BASE), nothing);
  const odd = JSON.parse(
    '{"resourceType":"Observation","status":7,"code":"x","subject":[null,3],"valueQuantity":{"value":"9"},"effectiveDateTime":"soon","__proto__":{"status":"final"},"component":{"code":null},"effectiveTiming":{"event":null,"repeat":null}}',
  ) as Record<string, unknown>;
  assert.deepEqual(extract(odd, BASE), nothing);
});

test('extraction neither changes the resource nor depends on what was extracted before', () => {
  fc.assert(
    fc.property(resource(), resource(), (a, b) => {
      const before = JSON.stringify(a);
      const first = extract(a, BASE);
      extract(b, 'https://another.example/fhir');
      assert.deepEqual(extract(a, BASE), first);
      assert.equal(JSON.stringify(a), before);
    }),
  );
});
