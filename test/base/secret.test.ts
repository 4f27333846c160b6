import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createSealer, parseSecretKey } from '../../src/base/secret.ts';

test('what is sealed opens with the same key only, and not after a change', () => {
  const sealer = createSealer(randomBytes(32));
  const sealed = sealer.seal('Bearer ümlaut');
  assert.equal(sealer.open(sealed), 'Bearer ümlaut');
  assert.notEqual(sealer.seal('Bearer ümlaut'), sealed);
  assert.throws(() => createSealer(randomBytes(32)).open(sealed));
  const bytes = Buffer.from(sealed, 'base64url');
  bytes[bytes.length - 1]! ^= 1;
  assert.throws(() => sealer.open(bytes.toString('base64url')));
});

test('a key is 32 bytes as hex or base64, with white space around it', () => {
  const key = randomBytes(32);
  for (const text of [
    key.toString('hex'),
    key.toString('base64'),
    key.toString('base64url'),
    `\n${key.toString('hex').toUpperCase()} \n`,
  ])
    assert.deepEqual(Buffer.from(parseSecretKey(text)!), key);
  for (const text of ['', 'abcd1234', key.toString('hex').slice(1), key.toString('hex') + '00', 'x'.repeat(64)])
    assert.equal(parseSecretKey(text), undefined);
});
