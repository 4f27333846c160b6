/** Links between entries are replaced where they are links, and nowhere else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VitalwireError } from '../../src/base/errors.ts';
import { conditionalsOf, Links, replaceStrings } from '../../src/rest/bundle-links.ts';

const BASE = 'https://vitalwire.example/fhir';
const URN = 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0';

function links(...names: [string, string][]): Links {
  const all = new Links();
  for (const [name, here] of names) all.add(name, here);
  return all;
}

const cases: [what: string, text: string, fullUrl: string | undefined, result: string][] = [
  ['a reference', `{"subject":{"reference":"${URN}"}}`, undefined, '{"subject":{"reference":"Patient/1"}}'],
  [
    'white space is kept',
    `{ "subject" : { "reference" : "${URN}" } }`,
    undefined,
    '{ "subject" : { "reference" : "Patient/1" } }',
  ],
  [
    'in a contained resource',
    `{"contained":[{"a":{"reference":"${URN}"}}]}`,
    undefined,
    '{"contained":[{"a":{"reference":"Patient/1"}}]}',
  ],
  [
    'a urn in another link',
    `{"content":[{"attachment":{"url":"${URN}"}}]}`,
    undefined,
    '{"content":[{"attachment":{"url":"Patient/1"}}]}',
  ],
  ['a list of links', `{"instantiatesUri":["${URN}","x"]}`, undefined, '{"instantiatesUri":["Patient/1","x"]}'],
  [
    'not the value of an Identifier',
    `{"identifier":[{"value":"${URN}"}]}`,
    undefined,
    `{"identifier":[{"value":"${URN}"}]}`,
  ],
  ['not a part of a text', `{"a":{"reference":"${URN}x"}}`, undefined, `{"a":{"reference":"${URN}x"}}`],
  ['not the name of a member', `{"${URN}":1}`, undefined, `{"${URN}":1}`],
  [
    'an absolute URL',
    '{"a":{"reference":"https://other.example/r4/Patient/9"}}',
    undefined,
    '{"a":{"reference":"Patient/2"}}',
  ],
  [
    'the same with escaped slashes',
    '{"a":{"reference":"https:\\/\\/other.example\\/r4\\/Patient\\/9"}}',
    undefined,
    '{"a":{"reference":"Patient/2"}}',
  ],
  [
    'relative to the root of its entry',
    '{"a":{"reference":"Patient/9"}}',
    'https://other.example/r4/Observation/5',
    '{"a":{"reference":"Patient/2"}}',
  ],
  ['relative to another root', '{"a":{"reference":"Patient/9"}}', undefined, '{"a":{"reference":"Patient/9"}}'],
  [
    'digits beside it are kept',
    `{"v":37.00,"subject":{"reference":"${URN}"},"w":1.0E1}`,
    undefined,
    '{"v":37.00,"subject":{"reference":"Patient/1"},"w":1.0E1}',
  ],
];

test('links are replaced', () => {
  const all = links([URN, 'Patient/1'], ['https://other.example/r4/Patient/9', 'Patient/2']);
  for (const [what, text, fullUrl, result] of cases) assert.equal(all.apply(text, fullUrl, BASE), result, what);
});

test('without links the text is the very same', () => {
  const text = `{"a":{"reference":"${URN}"}}`;
  assert.equal(new Links().apply(text, undefined, BASE), text);
});

test('one fullUrl for two entries is refused', () => {
  assert.throws(() => links([URN, 'Patient/1'], [URN, 'Patient/2']), VitalwireError);
});

test('conditional references are found once, only in references', () => {
  const text =
    '{"a":[{"reference":"Practitioner?identifier=x|1"},{"reference":"Practitioner?identifier=x|1"}],"url":"Patient?x=1"}';
  assert.deepEqual([...conditionalsOf(text)], ['Practitioner?identifier=x|1']);
});

test('strings with quotes and backslashes do not lead astray', () => {
  const text = JSON.stringify({ a: 'say "hi": \\', b: { reference: 'x' }, c: '\\"' });
  const seen: [string, string][] = [];
  assert.equal(
    replaceStrings(text, (value, member) => void seen.push([member, value])),
    text,
  );
  assert.deepEqual(seen, [
    ['a', 'say "hi": \\'],
    ['reference', 'x'],
    ['c', '\\"'],
  ]);
});
