import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant } from '../../src/base/clock.ts';
import { httpDate } from '../../src/rest/etag.ts';

test('an HTTP date is the instant to the second, day after day', () => {
  assert.equal(httpDate('1994-11-06T08:49:37.000Z'), 'Sun, 06 Nov 1994 08:49:37 GMT', 'the example of RFC 9110 §5.6.7');
  const ms = fc.integer({ min: 0, max: Date.UTC(2200, 0) });
  fc.assert(
    fc.property(fc.array(ms, { minLength: 1 }), (all) => {
      for (const at of all) assert.equal(httpDate(instant(at)), new Date(at).toUTCString());
    }),
  );
});
