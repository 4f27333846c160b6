import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant } from '../../src/base/clock.ts';

test('an instant is what toISOString says, whatever came before it', () => {
  const moment = fc.oneof(
    fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    fc.constantFrom(0, -1, 1, 86_399_999, 86_400_000, -86_400_000, 951_782_400_000, 1_709_164_799_999),
    fc.nat(86_400_000),
  );
  fc.assert(
    fc.property(fc.array(moment), (all) => {
      for (const ms of all) assert.equal(instant(ms), new Date(ms).toISOString());
    }),
  );
});
