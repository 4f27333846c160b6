/** Retries, slots and the breaker: bounds on what one receiver can cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { retryAfter, retryDelay } from '../../src/subscriptions/backoff.ts';
import { Breaker } from '../../src/subscriptions/breaker.ts';
import { Slots } from '../../src/subscriptions/slots.ts';

test('the wait grows to an hour, with jitter, and is never shorter than what the receiver asks for', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 500].map((failures) => retryDelay(5_000, failures, undefined, 0.5) / 1000),
    [5, 30, 120, 600, 1800, 3600, 3600, 3600],
  );
  assert.equal(retryDelay(5_000, 1, undefined, 0), 4000);
  assert.equal(retryDelay(5_000, 1, undefined, 1), 6000);
  assert.equal(retryDelay(5_000, 1, 60_000, 0.5), 60_000);
  assert.equal(retryDelay(5_000, 2, 1_000, 0.5), 30_000);
});

test('Retry-After in seconds, as a date, bounded, or nonsense', () => {
  const now = Date.UTC(2026, 0, 1);
  assert.equal(retryAfter('7', now, 60_000), 7000);
  assert.equal(retryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now, 60_000), 30_000);
  assert.equal(retryAfter('86400', now, 60_000), 60_000);
  assert.equal(retryAfter('soon', now, 60_000), undefined);
  assert.equal(retryAfter(undefined, now, 60_000), undefined);
});

const bounds = { ...limits, deliveriesInFlightMax: 3, deliveriesPerOriginMax: 2, deliveryFailuresBeforeBreak: 2 };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('an origin gets its share and no more; the others go on', async () => {
  const slots = new Slots(bounds);
  const got: string[] = [];
  const ask = (origin: string, name: string): void => void slots.acquire(origin).then(() => got.push(name));
  for (const name of ['a1', 'a2', 'a3', 'a4']) ask('a', name);
  ask('b', 'b1');
  ask('b', 'b2');
  await turn();
  assert.deepEqual(got.sort(), ['a1', 'a2', 'b1'], 'two of a, one of b, three in all');
  assert.equal(slots.waiting, 3);
  slots.release('b');
  await turn();
  assert.ok(got.includes('b2'), 'a is at its own bound');
  slots.release('a');
  await turn();
  assert.ok(got.includes('a3') && !got.includes('a4'), 'in order');
  slots.release('a');
  slots.release('a');
  slots.release('b');
  await turn();
  slots.release('a');
  assert.equal(slots.inFlight, 0);
});

test('an origin that does not answer is left alone, then probed once at a time, and freed by an answer', () => {
  const breaker = new Breaker(bounds);
  assert.equal(breaker.delay('a', 0), 0);
  breaker.failed('a', 0);
  assert.equal(breaker.delay('a', 0), 0);
  breaker.failed('a', 0);
  assert.ok(breaker.delay('a', 0) > 0);
  assert.equal(breaker.delay('b', 0), 0);
  const later = 60_000;
  assert.equal(breaker.delay('a', later), 0, 'the probe');
  assert.ok(breaker.delay('a', later) > 0, 'no second one');
  breaker.answered('a');
  assert.equal(breaker.delay('a', later), 0);
  assert.equal(breaker.open, 0);
});
