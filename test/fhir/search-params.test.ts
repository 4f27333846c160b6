import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePaths } from '../../scripts/definitions/fhirpath.ts';
import { type ElementDefinition, Elements, textOf } from '../../scripts/definitions/search-paths.ts';
import { paramPaths, searchParam, searchParams } from '../../src/fhir/search-params.ts';

test('every R4 type has the parameters of all resources, and unknown types have none', () => {
  const common = ['_id', '_lastUpdated', '_profile', '_security', '_source', '_tag'];
  for (const type of ['Patient', 'Observation', 'Device', 'Basic', 'Bundle']) {
    const codes = searchParams(type).map((p) => p.code);
    assert.deepEqual(codes.filter((c) => c.startsWith('_')).sort(), common);
  }
  for (const type of ['Resource', 'DomainResource', 'Patience', '__proto__', 'constructor']) {
    assert.deepEqual(searchParams(type), []);
    assert.equal(searchParam(type, '_id'), undefined);
  }
  assert.equal(searchParam('Patient', '__proto__'), undefined);
  assert.equal(searchParam('Patient', 'toString'), undefined);
});

test('types, targets and kinds of tokens', () => {
  assert.deepEqual(searchParam('Observation', 'patient')?.targets, ['Patient']);
  assert.deepEqual(searchParam('Observation', 'subject')?.targets, ['Device', 'Group', 'Location', 'Patient']);
  assert.ok((searchParam('Observation', 'focus')?.targets.length ?? 0) > 140, 'any type');
  assert.equal(searchParam('Observation', 'code')?.tokenOf, 'code');
  assert.equal(searchParam('Patient', 'active')?.tokenOf, 'code');
  assert.equal(searchParam('Patient', 'identifier')?.tokenOf, 'identifier');
  assert.equal(searchParam('Patient', 'phone')?.tokenOf, 'identifier');
  assert.deepEqual(searchParam('Patient', 'gender')?.systems, ['http://hl7.org/fhir/administrative-gender']);
  assert.deepEqual(searchParam('Observation', 'code')?.systems, []);
  assert.deepEqual(searchParam('Observation', 'combo-code-value-quantity')?.components, [
    { param: 'combo-code', type: 'token' },
    { param: 'combo-value-quantity', type: 'quantity' },
  ]);
});

test('a parameter of many types has the alternatives of its own type only', () => {
  assert.equal(searchParam('Observation', 'date')?.expression, 'Observation.effective');
  assert.equal(searchParam('Encounter', 'date')?.expression, 'Encounter.period');
  assert.deepEqual(paramPaths('Observation').get('date')?.paths, [
    'dateTime effectiveDateTime',
    'Period effectivePeriod',
    'Timing effectiveTiming',
    'instant effectiveInstant',
  ]);
});

test('a cast on a repeating element takes each item of the type', () => {
  assert.deepEqual(paramPaths('Observation').get('component-value-quantity')?.paths, [
    'Quantity component* valueQuantity',
  ]);
  assert.deepEqual(paramPaths('ConceptMap').get('source-uri')?.paths, ['uri sourceUri', 'canonical sourceCanonical']);
});

test('the two components that R4 confuses are put right', () => {
  assert.deepEqual(searchParam('DocumentReference', 'relationship')?.components, [
    { param: 'relation', type: 'token' },
    { param: 'relatesto', type: 'reference' },
  ]);
});

test('the subset of FHIRPath', () => {
  const name = (text: string) => ({ kind: 'name', name: text });
  assert.deepEqual(parsePaths('A.b | (A.c as Quantity).d'), [
    [name('A'), name('b')],
    [name('A'), name('c'), { kind: 'cast', type: 'Quantity' }, name('d')],
  ]);
  assert.deepEqual(parsePaths("A.t.where(system='phone')"), [
    [name('A'), name('t'), { kind: 'equals', name: 'system', value: 'phone' }],
  ]);
  assert.deepEqual(parsePaths('A.s.where(resolve() is Patient)')[0]?.at(-1), { kind: 'refers-to', type: 'Patient' });
  assert.deepEqual(parsePaths("A.extension('http://a/b.c').value.ofType(Reference)")[0]?.[1], {
    kind: 'extension',
    url: 'http://a/b.c',
  });
  assert.deepEqual(parsePaths('P.d.exists() and P.d != false')[0]?.at(-1), { kind: 'present-not-false' });
  for (const bad of ['A.b.first()', 'A.b = 1', 'A.(', 'A.b and A.c', "A.where(x > 'y')"])
    assert.throws(() => parsePaths(bad), Error, bad);
});

test('paths are resolved against definitions: choices, repetition, content references, extensions', () => {
  const element = (path: string, max: string, code?: string, contentReference?: string): ElementDefinition => ({
    path,
    max,
    ...(code === undefined ? {} : { type: code.split(' ').map((c) => ({ code: c })) }),
    ...(contentReference === undefined ? {} : { contentReference }),
  });
  const elements = new Elements();
  elements.add([
    element('A', '*'),
    element('A.extension', '*', 'Extension'),
    element('A.item', '*', 'BackboneElement'),
    element('A.item.item', '*', undefined, '#A.item'),
    element('A.item.value[x]', '1', 'Quantity string'),
    element('Extension.value[x]', '1', 'Reference code'),
  ]);
  const walk = (expression: string) =>
    parsePaths(expression).flatMap((path) => elements.walk(elements.root('A'), path.slice(1)).map(textOf));
  assert.deepEqual(walk('A.item.item.value'), ['Quantity item* item* valueQuantity', 'string item* item* valueString']);
  assert.deepEqual(walk('A.item[0].value as string'), ['string item#0 valueString']);
  assert.deepEqual(walk("A.extension('http://x')"), [
    'Reference extension*?url=http://x valueReference',
    'code extension*?url=http://x valueCode',
  ]);
  assert.throws(() => walk('A.nothing'), /A\.nothing is not an element/);
});
