import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCursor, encodeCursor } from '../../src/search/cursor.ts';
import { parse } from '../support/search.ts';

const secret = new Uint8Array(32).fill(7);
const cursor = { values: ['Zoë', 1.5, null], snapshot: 42 };
const fails = (code: string, run: () => unknown): void => assert.throws(run, { name: 'VitalwireError', code });

test('a cursor comes back as it was, for whom it was made', () => {
  const text = encodeCursor(cursor, secret, 'client a');
  assert.match(text, /^[\w.-]+$/);
  assert.deepEqual(decodeCursor(text, secret, 'client a'), cursor);
  fails('resource.not-found', () => decodeCursor(text, secret, 'client b'));
});

test('a changed, foreign or made-up cursor is refused', () => {
  const text = encodeCursor(cursor, secret, 'a');
  const [payload = '', mac = ''] = text.split('.');
  const other = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('42', '43')).toString('base64url');
  for (const bad of [
    `${other}.${mac}`,
    payload,
    `.${mac}`,
    '',
    'abc',
    '__proto__',
    `${text}x`,
    text.slice(0, -3),
    `${payload}.${'A'.repeat(22)}`,
  ])
    fails('request.value', () => decodeCursor(bad, secret, 'a'));
  fails('request.value', () => decodeCursor(text, new Uint8Array(32), 'a'));
});

test('a cursor goes on with its own search only', () => {
  const first = parse('Patient', 'name=a&_sort=name');
  const text = encodeCursor(cursor, new Uint8Array(32), first.cursorBinding);
  const on = (query: string, over = {}) => parse('Patient', `${query}&_cursor=${text}`, over);
  assert.deepEqual(on('name=a&_sort=name').plan.cursor, cursor);
  assert.equal(on('name=a&_sort=name').self, 'name=a&_sort=name');
  fails('resource.not-found', () => on('name=a&_sort=-name'));
  fails('resource.not-found', () => on('name=a&_sort=name', { binding: 'another' }));
  fails('request.value', () => parse('Patient', '_cursor=abc'));
});
