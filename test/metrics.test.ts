/** Numbers that cannot be read do not take the others with them. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { createMetrics } from '../src/metrics.ts';

const local = { headers: {}, socket: { remoteAddress: '127.0.0.1' } } as IncomingMessage;

test('a room whose store is away says up 0; the others are there', async () => {
  const metrics = createMetrics(
    { store: () => Promise.reject(new Error('away')), ingest: () => ({ stored_total: 7 }) },
    { verify: () => undefined },
  );
  const { status, body } = await metrics.answer(local);
  assert.equal(status, 200);
  assert.match(body, /^vitalwire_store_up 0$/m);
  assert.match(body, /^vitalwire_ingest_up 1$/m);
  assert.match(body, /^vitalwire_ingest_stored_total 7$/m);
});
