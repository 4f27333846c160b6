import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate } from '../../src/fhir/validate.ts';
import { bloodPressure, heartRate, LOINC, type Resource, sample, T, UCUM, vitalSign } from '../support/resources.ts';

const SIGNS: readonly [string, readonly string[], readonly string[]][] = [
  ['9279-1', ['/min'], ['1/min', '{breaths}/min']],
  ['8867-4', ['/min'], ['{beats}/min', '/s']],
  ['2708-6', ['%'], ['1']],
  ['8310-5', ['Cel', '[degF]'], ['K', 'C', '°C']],
  ['29463-7', ['g', 'kg', '[lb_av]'], ['[oz_av]', '[stone_av]']],
  ['8302-2', ['cm', '[in_i]'], ['m', 'mm']],
  ['39156-5', ['kg/m2'], ['kg']],
  ['9843-4', ['cm', '[in_i]'], ['m']],
];
const withUnit = (code: string, unit: string): Resource =>
  vitalSign(code, { valueQuantity: { value: 1, unit, system: UCUM, code: unit } });
const category = (code: string): Resource => ({
  category: [{ coding: [{ system: `${T}observation-category`, code }] }],
});
const loinc = (code: string): Resource => ({ coding: [{ system: LOINC, code }] });
const profile = (name: string): Resource => ({
  meta: { profile: [`http://hl7.org/fhir/StructureDefinition/${name}`] },
});
const found = (resource: Resource): string[] =>
  validate(resource).map((i) => `${i.severity} ${i.code} ${i.expression.join()}`);
const omit = (resource: Resource, ...keys: string[]): Resource =>
  Object.fromEntries(Object.entries(resource).filter(([key]) => !keys.includes(key)));

for (const [code, units, others] of SIGNS)
  test(`${code} is measured in ${units.join(' or ')} and in nothing else`, () => {
    for (const unit of units) assert.deepEqual(found(withUnit(code, unit)), []);
    for (const unit of others)
      assert.deepEqual(found(withUnit(code, unit)), ['error code-invalid Observation.value.code']);
    const { valueQuantity } = withUnit(code, units[0] as string) as { valueQuantity: Resource };
    for (const system of [undefined, 'urn:x'])
      assert.ok(
        found(vitalSign(code, { valueQuantity: { ...valueQuantity, system } })).some((f) => f.startsWith('error')),
        `system ${system}`,
      );
    assert.deepEqual(found(vitalSign(code, { valueQuantity: omit(valueQuantity, 'value') })), [
      'error required Observation.value.value',
    ]);
  });

test('another type of value is refused, an explained absence is not', () => {
  assert.deepEqual(found(vitalSign('8867-4', { valueString: '66' })), ['error value Observation.value']);
  assert.deepEqual(found(vitalSign('8867-4', { dataAbsentReason: { text: 'fell off' } })), []);
  assert.deepEqual(found(vitalSign('8867-4', {})), ['error invariant Observation.value']);
});

test('subject and a time known to the day are needed', () => {
  assert.deepEqual(found(omit(heartRate(), 'subject')), ['error required Observation.subject']);
  assert.deepEqual(found(omit(heartRate(), 'effectiveDateTime')), ['error required Observation.effective']);
  assert.deepEqual(found(heartRate({ effectiveDateTime: '2026-05' })), ['error invariant Observation.effective']);
  assert.deepEqual(found(heartRate({ effectiveDateTime: '2026-05-04' })), []);
  const period = { effectivePeriod: { start: '2026-05-04T10:00:00Z' } };
  assert.deepEqual(found({ ...omit(heartRate(), 'effectiveDateTime'), ...period }), []);
});

test('blood pressure has exactly one systolic and one diastolic component, in mm[Hg] or explained, and no value', () => {
  assert.deepEqual(found(bloodPressure()), []);
  const [systolic, diastolic] = bloodPressure()['component'] as [Resource, Resource];
  const kPa = { ...systolic, valueQuantity: { value: 16, unit: 'kPa', system: UCUM, code: 'kPa' } };
  assert.deepEqual(found(bloodPressure({ component: [systolic] })), ['error required Observation.component']);
  assert.deepEqual(found(bloodPressure({ component: [systolic, systolic, diastolic] })), [
    'error required Observation.component',
  ]);
  assert.deepEqual(found(bloodPressure({ component: [kPa, diastolic] })), [
    'error code-invalid Observation.component[0].value.code',
  ]);
  assert.deepEqual(found(bloodPressure({ component: [systolic, omit(diastolic, 'dataAbsentReason')] })), [
    'error invariant Observation.component[1]',
  ]);
  const value = { valueQuantity: { value: 120, unit: 'mm[Hg]', system: UCUM, code: 'mm[Hg]' } };
  assert.deepEqual(found(bloodPressure(value)), ['error structure Observation.value']);
  // A published sample mapping has the code of the heart rate for the diastolic pressure.
  const wrong = { ...diastolic, code: loinc('8867-4') };
  assert.deepEqual(found(bloodPressure({ component: [systolic, wrong] })), ['error required Observation.component']);
});

test('a magic code without the category is a warning, whatever else is missing', () => {
  for (const over of [category('exam'), category('laboratory'), { category: undefined }]) {
    const bare = omit(heartRate(over), 'subject', 'effectiveDateTime');
    assert.deepEqual(found(bare), ['warning business-rule Observation.category']);
  }
});

test('the category alone, the code of another system, or a code without system binds nothing', () => {
  for (const code of [
    { text: 'pulse' },
    { coding: [{ system: 'urn:x', code: '8867-4' }] },
    { coding: [{ code: '8867-4' }] },
  ])
    assert.deepEqual(found(omit(heartRate({ code }), 'subject', 'effectiveDateTime')), []);
  assert.deepEqual(found(vitalSign('72514-3', { valueQuantity: { value: 3, code: '{score}', system: UCUM } })), []);
});

test('the magic code may stand beside others, in any place', () => {
  const code = {
    coding: [
      { system: 'urn:iso:std:iso:11073:10101', code: '147842' },
      { system: LOINC, code: '8867-4' },
    ],
  };
  assert.deepEqual(found(heartRate({ code })), []);
  assert.deepEqual(found(omit(heartRate({ code }), 'subject')), ['error required Observation.subject']);
});

test('a claimed profile binds: category, code and all', () => {
  assert.deepEqual(found(heartRate(profile('heartrate'))), []);
  assert.deepEqual(found(heartRate(profile('vitalsigns|4.0.1'))), []);
  assert.deepEqual(found(heartRate({ ...profile('heartrate'), ...category('exam') })), [
    'error required Observation.category',
  ]);
  assert.deepEqual(found(heartRate(profile('bodytemp'))), [
    'error code-invalid Observation.code',
    'error code-invalid Observation.value.code',
  ]);
  assert.deepEqual(found(sample('Observation', profile('vitalsigns'))), [
    'error required Observation.category',
    'error required Observation.subject',
  ]);
  assert.deepEqual(found(heartRate(profile('some-other'))), []);
});

test('a claimed panel has members and no value', () => {
  const panel = vitalSign('85353-1', { hasMember: [{ reference: 'Observation/1' }] }, profile('vitalspanel'));
  assert.deepEqual(found(panel), []);
  assert.ok(found({ ...panel, valueString: 'a' }).includes('error structure Observation.value'));
  assert.ok(found(omit(panel, 'hasMember')).includes('error required Observation.hasMember'));
});

test('the unit as text is wished for, not demanded', () => {
  const quantity = { value: 66, system: UCUM, code: '/min' };
  assert.deepEqual(found(heartRate({ valueQuantity: quantity })), ['warning required Observation.value.unit']);
});
