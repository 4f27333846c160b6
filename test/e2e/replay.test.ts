/**
 * A bedside monitor's day through the front door, with three kills on the way: every reading is one Observation, the subscriber
 * hears of each once and in order, and a second replay changes nothing. Promises 1, 3, 5 and 6 of the design.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Bundle, Observation, Subscription } from 'fhir/r4';
import { validate } from '../../src/fhir/validate.ts';
import { FhirClient, testClient } from '../support/client.ts';
import { MODULES, monitorRows, type Reading, readingsOf, SERIAL } from '../support/monitor.ts';
import { TestServer } from '../support/process.ts';
import { Receiver } from '../support/receiver.ts';
import { absent, sharedData } from '../support/shared.ts';
import { ADMIN, EHR, GATEWAY, seedOf, subscriptionTo, wornBy } from '../support/ward.ts';

interface Result {
  readonly status: string;
  readonly observation?: readonly string[];
  readonly issue?: { readonly code: string };
}

/** Posts until there is an answer: what a gateway does when the server goes away under it. */
async function postUntilAnswered(
  server: TestServer,
  token: () => Promise<string>,
  readings: readonly Reading[],
): Promise<readonly Result[]> {
  for (let attempt = 0; attempt < 400; attempt++) {
    try {
      const response = await fetch(`${server.base}/ingest/readings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${await token()}` },
        body: JSON.stringify({ readings }),
      });
      if (response.status === 200) return ((await response.json()) as { results: Result[] }).results;
      if (response.status < 500 && response.status !== 429) assert.fail(`${response.status} ${await response.text()}`);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    await new Promise((r) => setTimeout(r, 50));
  }
  return assert.fail('the server did not come back');
}

async function everyObservation(
  server: TestServer,
  ehr: FhirClient,
  patient: string,
): Promise<Map<string, { resource: Observation; text: string }>> {
  const found = new Map<string, { resource: Observation; text: string }>();
  const kit = await ehr.use();
  let page = (await kit.search({
    resourceType: 'Observation',
    searchParams: { patient: `Patient/${patient}`, _count: '500' },
  })) as unknown as Bundle | undefined;
  while (page) {
    for (const { resource } of page.entry ?? []) {
      const observation = resource as Observation;
      assert.ok(!found.has(observation.id as string), 'an Observation is on one page only');
      found.set(observation.id as string, { resource: observation, text: '' });
    }
    page = (await kit.nextPage({ bundle: page as never })) as unknown as Bundle | undefined;
  }
  for (const [id, entry] of found) {
    const response = await fetch(`${server.fhir}/Observation/${id}`, {
      headers: { authorization: `Bearer ${await ehr.token()}` },
    });
    entry.text = await response.text();
  }
  return found;
}

const codesOf = (o: Observation, system: string): (string | undefined)[] =>
  (o.code.coding ?? []).filter((c) => c.system === system).map((c) => c.code);

function assertFiled(reading: Reading, { resource, text }: { resource: Observation; text: string }): void {
  assert.equal(resource.subject?.reference, 'Patient/bed-1');
  assert.equal(resource.device?.reference, `Device/${reading.device.identifier[0]?.value}`);
  assert.equal(Date.parse(resource.effectiveDateTime as string), Date.parse(reading.time));
  assert.ok(codesOf(resource, 'http://loinc.org').length > 0, 'LOINC');
  assert.ok(codesOf(resource, 'urn:iso:std:iso:11073:10101').length > 0, 'MDC');
  assert.deepEqual(
    validate(resource as never).filter((i) => i.severity === 'error'),
    [],
  );
  if (reading.components) {
    assert.equal(resource.valueQuantity, undefined);
    for (const part of reading.components) {
      const absent = Number(part.value) === 0;
      const loinc = { systolic: '8480-6', diastolic: '8462-4', mean: '8478-0' }[part.kind];
      const component = resource.component?.find((c) => c.code.coding?.some((x) => x.code === loinc));
      if (absent) assert.equal(component?.valueQuantity, undefined);
      else {
        assert.equal(component?.valueQuantity?.code, 'mm[Hg]');
        assert.ok(text.includes(`"value":${part.value},`), `${part.kind} ${part.value} to the digit`);
      }
    }
    return;
  }
  assert.equal(resource.valueQuantity?.system, 'http://unitsofmeasure.org');
  assert.equal(resource.valueQuantity?.code, reading.unit);
  assert.ok(text.includes(`"value":${reading.value},`), `${reading.value} to the digit in ${text}`);
}

async function replay(t: TestContext, path: string | undefined): Promise<void> {
  const gateway = testClient('gateway', GATEWAY);
  const ehr = testClient('ehr', EHR);
  const admin = testClient('admin', ADMIN);
  const devices = MODULES.map((serial) => ({ id: serial, system: SERIAL, serial }));
  const server = await TestServer.start(t, {
    seed: seedOf([gateway, ehr, admin], wornBy('bed-1', devices)),
    env: { LOG_LEVEL: 'info' },
  });
  const receiver = await Receiver.start(t);
  const ehrClient = new FhirClient(server.base, ehr);
  const gatewayClient = new FhirClient(server.base, gateway);
  const subscription = (await (
    await ehrClient.use()
  ).create({
    resourceType: 'Subscription',
    body: subscriptionTo(receiver.url, 'bed-1') as never,
  })) as unknown as Subscription;
  await receiver.until(() => receiver.handshakes === 1, 10_000, 'the handshake');

  const minutes = monitorRows(path, 300)
    .map(readingsOf)
    .filter((r) => r.length > 0);
  const batches = Array.from({ length: Math.ceil(minutes.length / 25) }, (_, i) =>
    minutes.slice(i * 25, i * 25 + 25).flat(),
  );
  const kills = new Set([0.25, 0.5, 0.75].map((share) => Math.floor(batches.length * share)));
  const filed = new Map<string, Reading>();
  const held: Reading[] = [];
  for (const [i, batch] of batches.entries()) {
    const killed = kills.has(i)
      ? new Promise<void>((done) => setTimeout(() => void server.restart('SIGKILL').then(done), 3))
      : undefined;
    const results = await postUntilAnswered(server, () => gatewayClient.token(), batch);
    await killed;
    for (const [j, result] of results.entries()) {
      const id = result.observation?.[0]?.split('/')[1];
      if (id !== undefined) filed.set(id, batch[j] as Reading);
      else held.push(batch[j] as Reading);
      assert.ok(id !== undefined || result.issue?.code === 'value.implausible', JSON.stringify(result));
    }
  }
  const sent = batches.flat().length;
  t.diagnostic(`${sent} readings, ${filed.size} filed, ${held.length} held as implausible, 3 kills`);
  assert.equal(filed.size + held.length, sent, 'one Observation a reading');

  const stored = await everyObservation(server, ehrClient, 'bed-1');
  assert.deepEqual([...stored.keys()].sort(), [...filed.keys()].sort(), 'what is stored is what was answered');
  for (const [id, reading] of filed) assertFiled(reading, stored.get(id) as { resource: Observation; text: string });

  await receiver.until(() => receiver.distinct().length >= filed.size, 60_000, 'every event');
  assertHeard(receiver, server, filed);

  const before = receiver.events.length;
  for (const batch of batches) {
    const results = await postUntilAnswered(server, () => gatewayClient.token(), batch);
    assert.deepEqual(
      results.filter((r) => r.status !== 'duplicate').map((r) => r.status),
      [],
      'a second replay is all duplicates',
    );
  }
  const balance = (await (
    await fetch(`${server.base}/ingest/balance`, {
      headers: { authorization: `Bearer ${await new FhirClient(server.base, admin).token()}` },
    })
  ).json()) as Record<string, number>;
  assert.equal(
    balance['received'],
    (balance['stored'] as number) +
      (balance['duplicate'] as number) +
      (balance['held'] as number) +
      (balance['rejected'] as number),
  );
  assert.equal(balance['stored'], filed.size);
  assert.equal(balance['held'], held.length);
  assert.equal((await everyObservation(server, ehrClient, 'bed-1')).size, stored.size, 'nothing new is stored');
  await new Promise((r) => setTimeout(r, 1000));
  assert.equal(receiver.events.slice(before).filter((e) => e.number > filed.size).length, 0, 'nobody is notified');
  const now = (await (
    await ehrClient.use()
  ).read({ resourceType: 'Subscription', id: subscription.id as string })) as unknown as Subscription;
  assert.equal(now.status, 'active');
}

/** Each once after repetitions are removed by number, numbers without a gap, in the order in which they were measured. */
function assertHeard(receiver: Receiver, server: TestServer, filed: ReadonlyMap<string, Reading>): void {
  const events = receiver.distinct();
  assert.deepEqual(
    events.map((e) => e.number),
    events.map((_, i) => i + 1),
    'numbers 1, 2, 3 … in order of arrival',
  );
  const heard = events.map((e) => e.focus?.replace(`${server.fhir}/Observation/`, '') as string);
  assert.deepEqual([...heard].sort(), [...filed.keys()].sort(), 'each exactly once');
  const times = heard.map((id) => Date.parse(filed.get(id)?.time as string));
  assert.ok(
    times.every((at, i) => i === 0 || at >= (times[i - 1] as number)),
    'in the order of the replay',
  );
}

test('a generated monitor is replayed with three kills', { timeout: 180_000 }, (t) => replay(t, undefined));

/** A database that is only good for tests takes longer to find a page among thousands. */
const MINUTES = process.env['TEST_E2E_MONGODB_URI'] ? 15 : 4;

test('the real monitor file is replayed with three kills', { timeout: MINUTES * 60_000 }, (t) => {
  const path = sharedData('monitor-numerics.csv');
  return path === undefined ? t.skip(absent('monitor-numerics.csv')) : replay(t, path);
});
