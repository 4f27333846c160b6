import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VitalwireError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { parseResource } from '../../src/fhir/parse.ts';

const refused = (text: string, code: string, sentence?: RegExp, type?: string): void => {
  assert.throws(
    () => parseResource(text, limits, type),
    (e) => e instanceof VitalwireError && e.code === code && (sentence === undefined || sentence.test(e.message)),
    text.slice(0, 80),
  );
};

test('a resource comes back with its own text', () => {
  const text = ' {"resourceType":"Patient", "multipleBirthInteger": 1.0e0}\n';
  assert.deepEqual(parseResource(text, limits, 'Patient'), {
    resourceType: 'Patient',
    resource: { resourceType: 'Patient', multipleBirthInteger: 1 },
    text,
  });
});

test('what is not one JSON object with a resourceType is malformed', () => {
  for (const text of [
    '{"resourceType":"Patient",',
    '',
    '  ',
    '[]',
    '"Patient"',
    'null',
    '7',
    '{"resourceType":"Patient"} x',
    '{"resourceType":"Patient"}{}',
    '{}',
    '{"resourceType":7}',
    '{"resourceType":""}',
    '{"resourceType":null}',
    "{'resourceType':'Patient'}",
    '{"resourceType":"Patient",}',
    '<Patient/>',
    '[{"resourceType":"Patient"}]',
  ])
    refused(text, 'request.malformed');
  refused('\ufeff{"resourceType":"Patient"}', 'request.malformed', /byte order mark/);
  refused('', 'request.malformed', /empty/);
});

test('a member name that stands twice in one object is refused and named', () => {
  const twice = /"PATH" stands twice/.source;
  const cases: readonly [string, string][] = [
    ['{"resourceType":"Patient","active":true,"active":false}', 'active'],
    ['{"resourceType":"Patient","name":[{"family":"a"},{"use":"usual","use":"old"}]}', 'name.use'],
    ['{"resourceType":"Patient","resourceType":"Device"}', 'resourceType'],
    ['{"resourceType":"Patient","active":true,"\\u0061ctive":false}', 'active'],
    ['{"resourceType":"Patient","a":{"b":[[{"c":1,"c":1}]]}}', 'a.b.c'],
    ['{"resourceType":"Patient","__proto__":1,"__proto__":2}', '__proto__'],
  ];
  for (const [text, path] of cases) refused(text, 'request.malformed', new RegExp(twice.replace('PATH', path)));
  refused(`{"resourceType":"Patient","a":"${'x'.repeat(2 ** 20)}","a":1}`, 'request.malformed', /stands twice/);
});

test('the same name in different objects, colons and braces in strings are no double names', () => {
  for (const value of ['[{"a":1},{"a":2}]', '{"a":{"a":1}}', '"a:b:{\\"a\\":1}"', '"\\\\"', '{"__proto__":{"a":1}}'])
    assert.equal(parseResource(`{"resourceType":"Patient","x":${value}}`, limits).resourceType, 'Patient');
});

test('another type than the address is for', () => {
  refused('{"resourceType":"Device"}', 'request.invalid', /Device.*Patient/, 'Patient');
});

test('a nest is refused before anything recursive reads it', () => {
  const deep = (n: number): string => `{"resourceType":"Patient","extension":${'['.repeat(n)}${']'.repeat(n)}}`;
  assert.equal(parseResource(deep(limits.jsonDepthMax - 1), limits).resourceType, 'Patient');
  refused(deep(limits.jsonDepthMax), 'request.too-deep');
  refused(deep(1_000_000), 'request.too-deep');
  refused('['.repeat(1_000_000), 'request.too-deep');
});
