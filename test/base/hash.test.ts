import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { hmacSha256, sha256Hex, sha256Url, timeKey } from '../../src/base/hash.ts';

test('digests and HMAC agree with those of node:crypto for any key and text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.string({ unit: 'binary' }), (key, text) => {
      const wellFormed = text.toWellFormed();
      assert.deepEqual(hmacSha256(key)(wellFormed), createHmac('sha256', key).update(wellFormed).digest());
      assert.equal(sha256Hex(wellFormed), createHash('sha256').update(wellFormed).digest('hex'));
      assert.equal(sha256Url(wellFormed), createHash('sha256').update(wellFormed).digest('base64url'));
    }),
  );
});

test('time keys sort in the order in which they were made, also within one millisecond and when the clock goes back', () => {
  const times = [5, 5, 5, 6, 4, 4, 7].map((ms) => 1_800_000_000_000 + ms);
  const keys = times.map(timeKey);
  assert.deepEqual([...keys].sort(), keys);
  assert.equal(new Set(keys).size, keys.length);
});
