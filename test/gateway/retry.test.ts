import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLink } from '../../src/gateway/link.ts';
import { backoffMs, retryAfterMs } from '../../src/gateway/retry.ts';
import { Unreachable } from '../../src/gateway/uplink.ts';

test('full jitter: quick at first, within seconds of a short cut, at most 5 minutes in a long one', () => {
  assert.equal(backoffMs(0, 0, 0.999), 999);
  assert.equal(backoffMs(1, 500, 0.999), 1998);
  assert.equal(backoffMs(20, 10_000, 0.999), 3996);
  assert.equal(backoffMs(1000, 86_400_000, 0.999), 299_700);
  assert.equal(backoffMs(7, 60_000, 0), 0);
});

test('Retry-After in seconds and as a date', () => {
  assert.equal(retryAfterMs('3', 0), 3000);
  assert.equal(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 4000), 6000);
  assert.equal(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 60_000), 0);
  assert.equal(retryAfterMs('soon', 0), undefined);
  assert.equal(retryAfterMs(undefined, 0), undefined);
  assert.equal(retryAfterMs('999999999', 0), 3_600_000);
});

test('a link that fails waits at least Retry-After, counts batches that fail together once, and forgets it all when it works', () => {
  let now = 1_000_000;
  const link = createLink({ now: () => now }, () => 0.5);
  link.failed(new Unreachable('x', { status: 503, retryAfterMs: 3000 }));
  assert.equal(link.notBefore, now + 3000 + 500);
  link.failed(new Unreachable('x'));
  assert.equal(link.notBefore, now + 3500);
  now += 4000;
  link.failed(new Unreachable('x'));
  assert.equal(link.notBefore, now + 1000);
  link.works();
  assert.deepEqual([link.connected, link.notBefore], [true, 0]);
});

test('a clock that is wrong is known by the Date header', () => {
  const now = Date.parse('2026-01-01T00:10:00.500Z');
  const link = createLink({ now: () => now });
  assert.equal(link.serverNow(), now);
  link.heard({ status: 200, date: 'Thu, 01 Jan 2026 00:00:00 GMT' });
  assert.equal(link.skewMs, 600_000);
  assert.equal(link.serverNow(), now - 600_000);
  link.heard({ status: 200, date: 'Thu, 01 Jan 2026 00:10:00 GMT' });
  assert.equal(link.serverNow(), now);
});
