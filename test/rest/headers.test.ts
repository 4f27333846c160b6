/** Headers and addresses: what they mean, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VitalwireError } from '../../src/base/errors.ts';
import { assertMatch, notModified, parseIfMatch } from '../../src/rest/etag.ts';
import { assertAcceptsJson } from '../../src/rest/media.ts';
import { parsePrefer } from '../../src/rest/prefer.ts';
import { isId, segments } from '../../src/rest/route.ts';

test('If-Match', () => {
  assert.deepEqual(parseIfMatch('W/"2"'), [2]);
  assert.deepEqual(parseIfMatch('"2", W/"13"'), [2, 13]);
  assert.equal(parseIfMatch('*'), '*');
  assert.equal(parseIfMatch(undefined), undefined);
  for (const wrong of ['2', 'W/2', 'W/"x"', 'W/"0"', '', 'W/"1", nonsense', 'W/"-1"'])
    assert.throws(() => parseIfMatch(wrong), { code: 'request.value' }, wrong);
  assert.throws(() => assertMatch([2], 3), { code: 'resource.version' });
  assertMatch([2, 3], 3);
  assertMatch('*', 7);
});

const at = '2026-04-02T10:00:00.500Z';
const unchanged: [headers: Record<string, string>, expected: boolean][] = [
  [{ 'if-none-match': 'W/"3"' }, true],
  [{ 'if-none-match': '"3"' }, true],
  [{ 'if-none-match': 'W/"2", W/"3"' }, true],
  [{ 'if-none-match': 'W/"33"' }, false],
  [{ 'if-none-match': 'W/"2"', 'if-modified-since': 'Thu, 02 Apr 2026 10:00:00 GMT' }, false],
  [{ 'if-modified-since': 'Thu, 02 Apr 2026 10:00:00 GMT' }, true],
  [{ 'if-modified-since': 'Thu, 02 Apr 2026 09:59:59 GMT' }, false],
  [{ 'if-modified-since': 'yesterday' }, false],
  [{}, false],
];
test('If-None-Match and If-Modified-Since', () => {
  for (const [headers, expected] of unchanged)
    assert.equal(notModified(headers, 3, at), expected, JSON.stringify(headers));
});

test('Prefer', () => {
  assert.deepEqual(parsePrefer('return=minimal'), { return: 'minimal', strict: false });
  assert.deepEqual(parsePrefer('handling=strict, return="representation"'), { return: 'representation', strict: true });
  assert.deepEqual(parsePrefer('handling=lenient'), { return: undefined, strict: false });
  assert.deepEqual(parsePrefer('respond-async; wait=10'), { return: undefined, strict: false });
});

const taken: [accept: string | undefined, query: string, ok: boolean][] = [
  [undefined, '', true],
  ['application/fhir+json', '', true],
  ['application/fhir+xml', '', false],
  ['application/fhir+xml, */*;q=0.1', '', true],
  ['application/fhir+json;q=0, application/xml', '', false],
  ['text/html,application/xhtml+xml,*/*;q=0.8', '', true],
  ['application/fhir+json; fhirVersion=4.0', '', true],
  ['application/fhir+xml', '_format=json', true],
  ['application/fhir+json', '_format=xml', false],
  ['application/fhir+json', 'a=1&_format=application/fhir+json', true],
  ['application/fhir+json', '_format=application%2Ffhir%2Bxml', false],
];
test('Accept and _format', () => {
  for (const [accept, query, ok] of taken) {
    const ask = (): void => assertAcceptsJson(accept, query);
    if (ok) assert.doesNotThrow(ask, `${accept} ${query}`);
    else assert.throws(ask, { code: 'request.not-acceptable' }, `${accept} ${query}`);
  }
});

test('segments of a path', () => {
  assert.deepEqual(segments('/Patient/1'), ['Patient', '1']);
  assert.deepEqual(segments('/Patient/'), ['Patient']);
  assert.deepEqual(segments('/'), []);
  assert.deepEqual(segments(''), []);
  assert.deepEqual(segments('/Patient/a%2Eb'), ['Patient', 'a.b']);
  assert.deepEqual(segments('/Patient//x'), ['Patient', '', 'x']);
  assert.throws(() => segments('/Patient/%E0%A4%A'), VitalwireError);
});

test('ids', () => {
  for (const good of ['1', 'a-B.9', 'x'.repeat(64)]) assert.ok(isId(good), good);
  for (const bad of ['', 'x'.repeat(65), 'a_b', 'a b', 'a/b', '\0', 'é', '$op']) assert.ok(!isId(bad), bad);
});
