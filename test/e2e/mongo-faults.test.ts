/**
 * The server on a MongoDB that is killed, stays away and comes back, under a gateway that posts all the while: what was answered
 * is there once, the balance adds up, the subscriber misses nothing, and the server comes back by itself.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Subscription } from 'fhir/r4';
import { FhirClient, testClient } from '../support/client.ts';
import { MongoProcess, noMongoProcess } from '../support/mongo.ts';
import { MODULES, monitorRows, type Reading, readingsOf, SERIAL } from '../support/monitor.ts';
import { TestServer } from '../support/process.ts';
import { Receiver } from '../support/receiver.ts';
import { ADMIN, EHR, GATEWAY, seedOf, subscriptionTo, wornBy } from '../support/ward.ts';

const AWAY_MS = 20_000;
/** Longer than any answer may take: a gateway must not wait for ever. */
const ANSWER_MS_MAX = 60_000;

interface Seen {
  /** Status of each answer. */
  readonly statuses: Map<number, number>;
  readonly withoutRetryAfter: number[];
}

/** As a gateway does: the same batch until it is answered with 200. */
async function post(
  server: TestServer,
  token: () => Promise<string>,
  readings: readonly Reading[],
  seen: Seen,
): Promise<string[]> {
  const end = Date.now() + 3 * ANSWER_MS_MAX;
  while (Date.now() < end) {
    try {
      const response = await fetch(`${server.base}/ingest/readings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
        body: JSON.stringify({ readings }),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      seen.statuses.set(response.status, (seen.statuses.get(response.status) ?? 0) + 1);
      if (response.status === 200) {
        const { results } = (await response.json()) as { results: { observation?: string[] }[] };
        return results.map((r) => r.observation?.[0]?.split('/')[1] as string);
      }
      if (response.headers.get('retry-after') === null) seen.withoutRetryAfter.push(response.status);
      await response.text();
    } catch (error) {
      assert.ok(!(error instanceof assert.AssertionError) && (error as Error).name !== 'TimeoutError', `${error}`);
      // The server itself was killed.
    }
    await new Promise((r) => setTimeout(r, 200));
  }
  return assert.fail('the server did not come back');
}

async function ward(t: TestContext, mongo: MongoProcess) {
  const [gateway, ehr, admin] = [testClient('gateway', GATEWAY), testClient('ehr', EHR), testClient('admin', ADMIN)];
  const devices = MODULES.map((serial) => ({ id: serial, system: SERIAL, serial }));
  const server = await TestServer.start(t, {
    seed: seedOf([gateway, ehr, admin], wornBy('bed-1', devices)),
    env: { MONGODB_URI: mongo.uri() },
  });
  const receiver = await Receiver.start(t);
  const clients = {
    gateway: new FhirClient(server.base, gateway),
    ehr: new FhirClient(server.base, ehr),
    admin: new FhirClient(server.base, admin),
  };
  const subscription = (await (
    await clients.ehr.use()
  ).create({
    resourceType: 'Subscription',
    body: subscriptionTo(receiver.url, 'bed-1') as never,
  })) as unknown as Subscription;
  await receiver.until(() => receiver.handshakes === 1, 10_000, 'the handshake');
  return { server, receiver, subscription, ...clients };
}

test('MongoDB is killed under load, is away for 20 s, and the server is killed too', {
  skip: noMongoProcess,
  timeout: 300_000,
}, async (t) => {
  const mongo = await MongoProcess.start('--sync-on-commit');
  t.after(() => mongo.remove());
  const { server, receiver, subscription, gateway, ehr, admin } = await ward(t, mongo);
  const minutes = monitorRows(undefined, 160)
    .map(readingsOf)
    .filter((r) => r.length > 0);
  const batches = Array.from({ length: Math.ceil(minutes.length / 4) }, (_, i) =>
    minutes.slice(i * 4, i * 4 + 4).flat(),
  );
  const seen: Seen = { statuses: new Map(), withoutRetryAfter: [] };
  const [token, ehrToken] = [await gateway.token(), await ehr.token()];
  const filed = new Map<string, Reading>();
  const disturb: Record<number, () => Promise<void>> = {
    // Killed and back at once.
    8: async () => {
      await mongo.kill();
      await mongo.start();
    },
    // Away for long: in the meantime the server says so.
    16: async () => {
      await mongo.kill();
      const down = Date.now();
      const statuses: number[] = [];
      while (Date.now() - down < AWAY_MS) {
        const started = Date.now();
        const response = await fetch(`${server.fhir}/Patient/bed-1`, {
          headers: { authorization: `Bearer ${ehrToken}` },
        });
        statuses.push(response.status);
        assert.ok(response.headers.get('retry-after'), `${response.status} says when to come again`);
        const outcome = (await response.json()) as { resourceType: string };
        assert.equal(outcome.resourceType, 'OperationOutcome');
        assert.ok(Date.now() - started < ANSWER_MS_MAX);
        assert.equal((await fetch(`${server.base}/healthz`)).status, 200, 'alive');
        assert.equal((await fetch(`${server.base}/readyz`)).status, 503, 'but not ready');
      }
      assert.deepEqual(
        statuses.filter((s) => s !== 503),
        [],
      );
      await mongo.start();
    },
    24: () => server.restart('SIGKILL'),
    30: async () => {
      await mongo.kill();
      await server.program.stop('SIGKILL');
      await mongo.start();
      await server.restart('SIGKILL');
    },
  };
  for (const [i, batch] of batches.entries()) {
    const disturbed = disturb[i] && new Promise((r) => setTimeout(r, 5)).then(disturb[i]);
    const ids = await post(server, () => Promise.resolve(token), batch, seen);
    await disturbed;
    for (const [j, id] of ids.entries()) filed.set(id, batch[j] as Reading);
  }
  const sent = batches.flat().length;
  t.diagnostic(`${sent} readings; answers ${[...seen.statuses].map(([s, n]) => `${s}×${n}`).join(' ')}`);
  assert.deepEqual(
    [...seen.statuses.keys()].filter((s) => s !== 200 && s !== 503),
    [],
    'nothing but 200 and 503',
  );
  assert.deepEqual(seen.withoutRetryAfter, [], 'a 503 says when to come again');
  assert.equal(filed.size, sent, 'one Observation a reading');

  const kit = await ehr.use();
  const found = (await kit.search({
    resourceType: 'Observation',
    searchParams: { patient: 'Patient/bed-1', _count: '0' },
  })) as unknown as { total: number };
  assert.equal(found.total, sent, 'nothing is stored twice');
  const balance = (await (
    await fetch(`${server.base}/ingest/balance`, { headers: { authorization: `Bearer ${await admin.token()}` } })
  ).json()) as Record<string, number>;
  const { received, stored, duplicate, held, rejected } = balance as Record<string, number>;
  assert.equal(received, (stored ?? 0) + (duplicate ?? 0) + (held ?? 0) + (rejected ?? 0));
  assert.deepEqual([stored, held, rejected], [sent, 0, 0]);

  await receiver.until(() => receiver.distinct().length >= sent, 60_000, 'every event');
  const events = receiver.distinct();
  assert.deepEqual(
    events.map((e) => e.number),
    events.map((_, i) => i + 1),
    'numbers without a gap, in order',
  );
  const heard = events.map((e) => e.focus?.replace(`${server.fhir}/Observation/`, '') as string);
  assert.deepEqual([...heard].sort(), [...filed.keys()].sort(), 'each exactly once');
  const times = heard.map((id) => Date.parse(filed.get(id)?.time as string));
  assert.ok(
    times.every((at, i) => i === 0 || at >= (times[i - 1] as number)),
    'in the order in which they were measured',
  );
  const now = (await kit.read({
    resourceType: 'Subscription',
    id: subscription.id as string,
  })) as unknown as Subscription;
  assert.equal(now.status, 'active');
  assert.equal((await fetch(`${server.base}/readyz`)).status, 200);
});
