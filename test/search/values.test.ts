/** What each type of parameter finds, from the tables and examples of FHIR R4 search.html. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOINC, UCUM } from '../support/arbitrary.ts';
import { find } from '../support/search.ts';

const observation = (over: object): object => ({ resourceType: 'Observation', status: 'final', ...over });
const coded = (...coding: object[]): object => ({ code: { coding } });
/** Newest first is the order without a date: turned round, so that ids rise. */
const finds = (type: string, resources: readonly object[]) => (query: string, want: string) =>
  assert.equal(find(type, query, resources).split(' ').reverse().join(' '), want, query);

test('token: code, system|code, |code, system|, several codings, never the text', () => {
  const check = finds('Observation', [
    observation(coded({ system: LOINC, code: '8867-4' }, { system: 'urn:x', code: 'hr' })),
    observation(coded({ system: 'urn:codes', code: '8867-4' })),
    observation(coded({ code: '8867-4' })),
    observation({ code: { text: '8867-4' } }),
  ]);
  check('code=8867-4', '0 1 2');
  check(`code=${LOINC}|8867-4`, '0');
  check('code=%7C8867-4', '2');
  check('code=urn:codes|', '1');
  check('code=hr', '0');
  check(`code=${LOINC}|hr`, '');
  check('code=8867-5', '');
  check('code=hr,urn:codes|8867-4', '0 1');
  check('code=8867-4&code=hr', '0');
  check('code:not=hr', '1 2 3');
  check('code:not=hr,urn:codes|', '2 3');
  check('code:missing=true', '3');
  check('code:missing=false', '0 1 2');
});

test('token: the system of a code element is implicit; another system finds nothing', () => {
  const check = finds('Patient', [
    { resourceType: 'Patient', gender: 'male', active: true },
    { resourceType: 'Patient', gender: 'other' },
  ]);
  check('gender=male', '0');
  check('gender=http://hl7.org/fhir/administrative-gender|male', '0');
  check('gender=http://hl7.org/fhir/administrative-gender|', '0 1');
  check('gender=%7Cmale', '0');
  check('gender=urn:other|male', '');
  check('gender:not=urn:other|male', '0 1');
  check('gender=MALE', '');
  check('active=true', '0');
  check('active=http://terminology.hl7.org/CodeSystem/special-values|true', '0');
  check('active:not=true', '1');
});

test('escaping: a comma, a bar, a dollar and a backslash that belong to the value', () => {
  const id = (value: string) => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:s', value }],
    name: [{ family: value }],
  });
  const check = finds('Patient', ['a,b', 'a|b', 'a$b', 'a\\b', 'a', 'b'].map(id));
  check('identifier=a\\,b', '0');
  check('identifier=a,b', '4 5');
  check('identifier=urn:s|a\\|b', '1');
  check('identifier=a\\$b', '2');
  check('identifier=a\\\\b', '3');
  check('identifier=a%5C%2Cb', '0');
  check('family:exact=a\\,b', '0');
  check('family:exact=a\\,b,b', '0 5');
});

test('string: starts with, whatever the case and the accents; :exact and :contains', () => {
  const check = finds('Patient', [
    { resourceType: 'Patient', name: [{ family: 'Zoë  Nagy', given: ['Éva'] }] },
    { resourceType: 'Patient', name: [{ family: 'Son' }, { family: 'Sonder' }] },
    { resourceType: 'Patient', name: [{ family: '100%_' }] },
  ]);
  check('family=ZOE', '0');
  check('family=nagy', '');
  check('family=zoe%20nagy', '0');
  check('family=zoe+nagy', '0');
  check('family:contains=NÁGY', '0');
  check('family:exact=Son', '1');
  check('family:exact=son', '');
  check('family=so', '1');
  check('name=eva&family=zo%C3%AB', '0');
  check('family=%25', '');
  check('family=100%25_', '2');
  check('family=1__%25', '');
  check('family:contains=%25_', '2');
});

test('quantity: implicit precision, comparators, units', () => {
  const value = (n: number, over = {}) =>
    observation({ valueQuantity: { value: n, unit: 'C', system: UCUM, code: 'Cel', ...over } });
  const check = finds('Observation', [
    value(36.4),
    value(37),
    value(38.2),
    value(37.95, { system: 'urn:u', unit: 'x' }),
  ]);
  check('value-quantity=gt37', '2 3');
  check('value-quantity=ge37', '1 2 3');
  check('value-quantity=lt37', '0');
  check('value-quantity=le36.4', '0');
  check(`value-quantity=36.4|${UCUM}|Cel`, '0');
  check('value-quantity=38', '2 3');
  check('value-quantity=38.0', '3');
  check('value-quantity=ne38.0', '0 1 2');
  check('value-quantity=ap37', '0 1 2 3');
  check('value-quantity=ap33.5', '0');
  check('value-quantity=sa37', '2 3');
  check('value-quantity=eb37', '0');
  check(`value-quantity=gt30|${UCUM}|/min`, '');
  check('value-quantity=gt30||Cel', '0 1 2 3');
  check('value-quantity=gt30||C', '0 1 2');
  check('value-quantity=gt30|urn:u|Cel', '3');
  check('value-quantity=36.4,37', '0 1');
  check('value-quantity=gt36&value-quantity=lt38', '0 1 3');
});

test('number', () => {
  const risk = (probabilityDecimal: number) => ({
    resourceType: 'RiskAssessment',
    prediction: [{ probabilityDecimal }],
  });
  const check = finds('RiskAssessment', [risk(0.8), risk(0.85), risk(0.9)]);
  check('probability=gt0.8', '1 2');
  check('probability=0.8', '0');
  check('probability=0.80', '0');
  check('probability=8e-1', '0');
  check('probability=le0.85', '0 1');
});

test('reference: id, Type/id, absolute URL, type modifier, URN, :identifier', () => {
  const subject = (of: object) => observation({ subject: of });
  const check = finds('Observation', [
    subject({ reference: 'Patient/a' }),
    subject({ reference: 'https://vitalwire.example/fhir/Patient/a' }),
    subject({ reference: 'Device/a' }),
    subject({ reference: 'https://other.example/fhir/Patient/a' }),
    subject({ reference: 'urn:uuid:1' }),
    subject({ identifier: { system: 'urn:mrn', value: '7' } }),
  ]);
  check('subject=a', '0 1 2');
  check('subject=Patient/a', '0 1');
  check('subject=https://vitalwire.example/fhir/Patient/a', '0 1');
  check('subject:Patient=a', '0 1');
  check('subject:Device=a', '2');
  check('patient=a', '0 1');
  check('patient=Device/a', '');
  check('subject=https://other.example/fhir/Patient/a', '3');
  check('patient=https://other.example/fhir/Patient/a', '3');
  check('subject=urn:uuid:1', '4');
  check('subject:identifier=urn:mrn|7', '5');
  check('subject:identifier=7', '5');
  check('subject:identifier=%7C7', '');
  check('subject:missing=true', '');
});

test('uri: to the letter, :below and :above by whole segments', () => {
  const device = (url: string) => ({ resourceType: 'Device', url });
  const check = finds('Device', ['http://a/b', 'http://a/b/c', 'http://a/bc', 'http://A/b'].map(device));
  check('url=http://a/b', '0');
  check('url:below=http://a/b', '0 1');
  check('url:below=http://a/b/', '1');
  check('url:above=http://a/b/c/d', '0 1');
});

test('composite: code and value of the same component', () => {
  const component = (code: string, value: number) => ({
    ...coded({ system: LOINC, code }),
    valueQuantity: { value, system: UCUM, code: 'mm[Hg]' },
  });
  const panel = coded({ system: LOINC, code: '85354-9' });
  const check = finds('Observation', [
    observation({ ...panel, component: [component('8480-6', 150), component('8462-4', 80)] }),
    observation({ ...panel, component: [component('8480-6', 110), component('8462-4', 95)] }),
    observation({ ...coded({ system: LOINC, code: '8480-6' }), valueQuantity: { value: 160 } }),
  ]);
  check(`component-code-value-quantity=${LOINC}|8480-6$gt140`, '0');
  check(`component-code-value-quantity=${LOINC}|8462-4$gt140`, '');
  check(`component-code-value-quantity=8462-4$gt90||mm[Hg]`, '1');
  check(`combo-code-value-quantity=${LOINC}|8480-6$gt140`, '0 2');
  check('combo-code-value-quantity=8480-6$gt140,8462-4$gt90', '0 1 2');
  check(`code-value-quantity=8480-6$gt140`, '2');
  check('combo-code-value-quantity:missing=false', '0 1 2');
  check('component-code-value-quantity:missing=true', '2');
  check('combo-value-quantity=gt149', '0 2');
  check('combo-code=8480-6', '0 1 2');
});

test('_id, _lastUpdated, _tag, _profile', () => {
  const check = finds('Patient', [
    { resourceType: 'Patient', id: 'a', meta: { tag: [{ system: 'urn:t', code: 'x' }], profile: ['http://p|1'] } },
    { resourceType: 'Patient', id: 'b' },
    { resourceType: 'Patient', id: 'c' },
  ]);
  check('_id=a,c,zz', 'a c');
  check('_id=__proto__', '');
  check('_id:not=a', 'b c');
  check('_lastUpdated=ge2026-01-01T00:00:01.000Z', 'b c');
  check('_lastUpdated=gt2026-01-01T00:00:01Z', 'c');
  check('_lastUpdated=2026-01-01', 'a b c');
  check('_lastUpdated=lt2020', '');
  check('_tag=urn:t|x', 'a');
  check('_tag:missing=true', 'b c');
  check('_profile=http://p', 'a');
  check('_profile=http://p|1', 'a');
  check('_profile=http://p|2', '');
});
