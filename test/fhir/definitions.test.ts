import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isResourceType, resourceTypes, typeRow, valueSet } from '../../src/fhir/definitions.ts';
import { planOf } from '../../src/fhir/validate-plan.ts';
import { PRIMITIVES } from '../../src/fhir/validate-primitives.ts';

test('R4 has 146 resource types that can be instantiated', () => {
  assert.equal(resourceTypes().length, 146);
  for (const name of ['Patient', 'Observation', 'Device', 'DeviceUseStatement', 'Bundle'])
    assert.ok(isResourceType(name));
  for (const name of [
    'Resource',
    'DomainResource',
    'HumanName',
    'Patience',
    'patient',
    '',
    '__proto__',
    'constructor',
    'Observation.component',
  ])
    assert.ok(!isResourceType(name), name);
});

test('what the definition of Observation says', () => {
  const row = typeRow('Observation');
  const element = (name: string) => row?.elements.find((e) => e.name === name);
  assert.equal(element('status')?.min, 1);
  assert.equal(element('status')?.binding, 'observation-status');
  assert.ok(element('status')?.summary && !element('note')?.summary);
  assert.ok(element('category')?.many && !element('code')?.many);
  assert.deepEqual(element('subject')?.types[0]?.targets, ['Device', 'Group', 'Location', 'Patient']);
  assert.equal(element('value')?.types.length, 11);
  assert.equal(element('id')?.types[0]?.name, 'id');
  assert.equal(element('component')?.types[0]?.name, 'Observation.component');
  assert.deepEqual(Object.keys(row?.rules ?? {}), ['obs-6', 'obs-7']);
});

test('every type that an element names is there', () => {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name) || Object.hasOwn(PRIMITIVES, name)) return;
    seen.add(name);
    const row = typeRow(name);
    assert.ok(row, name);
    assert.ok(planOf(name), name);
    for (const element of row.elements) for (const type of element.types) visit(type.name);
  };
  for (const name of resourceTypes()) visit(name);
  assert.ok(seen.size > 600, `${seen.size} types`);
});

test('value sets that can be listed, and that cannot', () => {
  assert.deepEqual(valueSet('administrative-gender'), {
    'http://hl7.org/fhir/administrative-gender': ['male', 'female', 'other', 'unknown'],
  });
  assert.ok(valueSet('http-verb'));
  assert.equal(valueSet('mimetypes'), undefined);
  assert.equal(valueSet('__proto__'), undefined);
});

test('the tables stay small', () => {
  for (const file of ['structures', 'bindings', 'vital-signs'])
    assert.ok(readFileSync(new URL(`../../profiles/r4/${file}.json`, import.meta.url)).length < 300_000, file);
});
