/** channel.header: what is refused, and how values stay out of sight. CONTRACT §7 channel.header. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Header, HIDDEN, openHeader, parseHeader, sealHeaders } from '../../src/subscriptions/headers.ts';

const NOTHING = { lines: [], secrets: {} };
const header = (line: string): Header => parseHeader(line) as Header;

test('a header is cut at its first colon', () => {
  assert.deepEqual(parseHeader('Authorization: Bearer a:b:c'), { name: 'Authorization', value: 'Bearer a:b:c' });
  assert.deepEqual(parseHeader('X-Empty:'), { name: 'X-Empty', value: '' });
});

test('refused are names of the hop and of this server, and everything that is no header', () => {
  const names = 'Host Content-Type content-length Webhook-Id webhook-signature Connection Keep-Alive TE Trailer';
  for (const name of `${names} Transfer-Encoding Upgrade Proxy-Authorization proxy-connection`.split(' '))
    assert.equal(typeof parseHeader(`${name}: x`), 'string', name);
  for (const line of ['no colon', ': x', 'two words: x', 'X-A: b\r\nX-C: d', 'X-A: ümlaut', 'X-Ä: 1', 'X-A: \u0000'])
    assert.equal(typeof parseHeader(line), 'string', JSON.stringify(line));
});

test('a sealed line holds no value; its owner gets it back, others do not', () => {
  const { lines, secrets } = sealHeaders([header('X-Secret: abracadabra')], NOTHING) ?? NOTHING;
  assert.ok(!JSON.stringify(lines).includes('abracadabra'));
  assert.equal(openHeader(lines[0] ?? '', secrets)?.value, 'abracadabra');
  assert.equal(openHeader(lines[0] ?? '', undefined)?.value, HIDDEN);
});

test('an update with what was shown, or with the value itself, changes nothing; a new value forgets the old one', () => {
  const first = sealHeaders([header('X-A: 1'), header('X-B: 2')], NOTHING);
  assert.ok(first);
  for (const again of [[`X-A: ${HIDDEN}`, 'X-B: 2'], first.lines, ['x-a: 1', `X-B: ${HIDDEN}`]]) {
    const sealed = sealHeaders(again.map(header), first);
    assert.deepEqual(sealed?.secrets, first.secrets);
  }
  const changed = sealHeaders([header('X-A: 3'), header(`X-B: ${HIDDEN}`)], first);
  assert.deepEqual(Object.values(changed?.secrets ?? {}).sort(), ['2', '3']);
  assert.notEqual(changed?.lines[0], first.lines[0]);
});

test('a hidden value that stands for nothing is refused, so that no receiver is sent asterisks', () => {
  assert.equal(sealHeaders([header(`X-New: ${HIDDEN}`)], NOTHING), undefined);
  assert.equal(sealHeaders([header('X-New: sealed:AAAAAAAAAAAA')], NOTHING), undefined);
});
