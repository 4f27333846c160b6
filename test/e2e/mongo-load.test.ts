/**
 * Many gateways post at once while the database is killed, hangs and is away: also of what does not become an Observation there is
 * exactly one, tokens are asked for meanwhile, and each device's events come in its order.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { accessToken, FhirClient, type TestClient, testClient } from '../support/client.ts';
import { MongoProcess, noMongoProcess } from '../support/mongo.ts';
import { TestServer } from '../support/process.ts';
import { Receiver } from '../support/receiver.ts';
import { ADMIN, EHR, GATEWAY, seedOf, subscriptionTo, wornBy } from '../support/ward.ts';

const SYSTEM = 'urn:example:load';
const GATEWAYS = 8;
/** No request may take longer, whatever happens: a commit in doubt is looked after for 53 s. */
const ANSWER_MS_MAX = 70_000;
const HANG_MS = 17_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Result {
  readonly status: string;
  readonly observation?: readonly string[];
}

/** Statuses of everything that was answered while the database was not well. */
class Answers {
  readonly wrong: string[] = [];
  unavailable = 0;
  take(what: string, response: Response, text: string): boolean {
    if (response.ok) return true;
    const again = response.headers.get('retry-after') ?? '';
    if (response.status === 503 && /^\d+$/.test(again)) this.unavailable++;
    else this.wrong.push(`${what}: ${response.status}, Retry-After "${again}": ${text.slice(0, 200)}`);
    return false;
  }
}

interface Ward {
  readonly mongo: MongoProcess;
  readonly server: TestServer;
  readonly receiver: Receiver;
  readonly token: string;
  readonly admin: FhirClient;
  readonly asking: TestClient;
  readonly answers: Answers;
}

async function ward(t: TestContext): Promise<Ward> {
  const mongo = await MongoProcess.start('--sync-on-commit');
  t.after(() => mongo.remove());
  const [gateway, ehr, admin] = [testClient('gateway', GATEWAY), testClient('ehr', EHR), testClient('admin', ADMIN)];
  const devices = Array.from({ length: GATEWAYS }, (_, i) => ({ id: `d${i}`, system: SYSTEM, serial: `d${i}` }));
  const server = await TestServer.start(t, {
    seed: seedOf([gateway, ehr, admin], wornBy('bed-1', devices)),
    env: { MONGODB_URI: mongo.uri() },
  });
  const receiver = await Receiver.start(t);
  const kit = await new FhirClient(server.base, ehr).use();
  await kit.create({ resourceType: 'Subscription', body: subscriptionTo(receiver.url, 'bed-1') as never });
  await receiver.until(() => receiver.handshakes === 1, 10_000, 'the handshake');
  const answers = new Answers();
  const administrator = new FhirClient(server.base, admin);
  const token = await accessToken(server.base, gateway);
  await administrator.use();
  return { mongo, server, receiver, token, admin: administrator, asking: gateway, answers };
}

/** One request of one gateway: two good readings, one that is held, one that is refused. */
const requestOf = (device: number, n: number): object[] =>
  [
    { value: String(60 + (n % 40)), unit: '/min', at: 0 },
    { value: String(61 + (n % 40)), unit: '/min', at: 1 },
    { value: '999', unit: '/min', at: 2 },
    { value: '70', unit: 'furlongs', at: 3 },
  ].map(({ value, unit, at }) => ({
    id: `${device}-${n}-${at}`,
    device: { identifier: [{ system: SYSTEM, value: `d${device}` }] },
    kind: 'heart-rate',
    time: new Date(Date.UTC(2026, 4, 7, 8, 0, n * 4 + at)).toISOString(),
    value,
    unit,
  }));

async function postUntilAnswered(w: Ward, readings: readonly object[]): Promise<readonly Result[]> {
  for (const end = Date.now() + 3 * ANSWER_MS_MAX; Date.now() < end; await sleep(200)) {
    const response = await fetch(`${w.server.base}/ingest/readings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${w.token}` },
      body: JSON.stringify({ readings }),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    const text = await response.text();
    if (w.answers.take('ingest', response, text)) return (JSON.parse(text) as { results: Result[] }).results;
  }
  return assert.fail('the server did not come back');
}

interface Filed {
  /** Ids of Observations by device, in the order in which they were answered. */
  readonly observations: string[][];
  requests: number;
}

async function gateway(w: Ward, device: number, filed: Filed, goesOn: () => boolean): Promise<void> {
  const mine: string[] = [];
  filed.observations[device] = mine;
  for (let n = 0; goesOn(); n++) {
    const results = await postUntilAnswered(w, requestOf(device, n));
    filed.requests++;
    const [first, second, held, refused] = results.map((r) => r.status);
    for (const status of [first, second]) assert.ok(status === 'stored' || status === 'duplicate', status);
    assert.ok(held === 'held' || held === 'duplicate', held);
    assert.equal(refused, 'rejected');
    for (const { observation } of results.slice(0, 2)) mine.push(observation?.[0]?.split('/')[1] as string);
  }
}

/** What else is asked of a server: a token, a resource, its health and its numbers. It never says that it is broken. */
async function bystander(w: Ward, goesOn: () => boolean): Promise<void> {
  const { server, answers } = w;
  const authorization = `Bearer ${await w.admin.token()}`;
  while (goesOn()) {
    for (const path of ['/fhir/Patient/bed-1', '/ingest/held', '/fhir/Observation?patient=Patient/bed-1&_count=1']) {
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      const response = await fetch(server.base + path, { headers: { authorization }, signal });
      answers.take(path, response, await response.text());
    }
    const scraped = await fetch(`${server.base}/metrics`);
    assert.equal(scraped.status, 200);
    await scraped.text();
    await accessToken(server.base, w.asking).catch((error: Error) => {
      if (/: 503 .*temporarily_unavailable/.test(error.message)) answers.unavailable++;
      else answers.wrong.push(error.message);
    });
    await sleep(100);
  }
}

test('gateways post in parallel while the database is killed, hangs and is away', {
  skip: noMongoProcess,
  timeout: 400_000,
}, async (t) => {
  const w = await ward(t);
  const { mongo } = w;
  let running = true;
  const filed: Filed = { observations: [], requests: 0 };
  const goesOn = (): boolean => running;
  const all = Promise.all([
    bystander(w, goesOn),
    ...Array.from({ length: GATEWAYS }, (_, i) => gateway(w, i, filed, goesOn)),
  ]);
  const disturb = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await sleep(1_000 + Math.random() * 500);
      await mongo.kill();
      await mongo.start();
    }
    await sleep(1_500);
    mongo.freeze();
    await sleep(HANG_MS);
    mongo.thaw();
    await sleep(1_500);
    await mongo.kill();
    await sleep(8_000);
    await mongo.start();
    await sleep(1_500);
    running = false;
  };
  await Promise.all([disturb().finally(() => mongo.thaw()), all]);
  const { answers } = w;
  t.diagnostic(`${filed.requests} requests of 4 readings answered, ${answers.unavailable} answers were 503`);
  assert.deepEqual(answers.wrong, [], 'nothing but answers and 503 with Retry-After');
  assert.ok(answers.unavailable > 0, 'the database was away indeed');
  await assertExact(w, filed);
});

async function assertExact({ server, receiver, admin }: Ward, { observations, requests }: Filed): Promise<void> {
  const headers = { authorization: `Bearer ${await admin.token()}` };
  const json = async <T>(path: string): Promise<T> =>
    (await (await fetch(server.base + path, { headers })).json()) as T;
  const ids = observations.flat();
  assert.equal(new Set(ids).size, requests * 2, 'one Observation a reading');
  const { total } = await json<{ total: number }>('/fhir/Observation?_summary=count');
  assert.equal(total, requests * 2, 'nothing is stored twice');
  const balance =
    await json<Record<'received' | 'stored' | 'duplicate' | 'held' | 'rejected', number>>('/ingest/balance');
  const { received, stored, duplicate, held, rejected } = balance;
  assert.equal(received, stored + duplicate + held + rejected, 'the balance holds');
  assert.deepEqual([stored, held], [requests * 2, requests], 'held messages are held once too');

  await receiver.until(() => receiver.distinct().length >= ids.length, 60_000, 'every event');
  const events = receiver.distinct();
  assert.deepEqual(
    events.map((e) => e.number),
    events.map((_, i) => i + 1),
    'numbers without a gap, in order',
  );
  const heard = events.map((e) => e.focus?.replace(`${server.fhir}/Observation/`, '') as string);
  assert.deepEqual(heard.toSorted(), ids.toSorted(), 'each exactly once');
  const place = new Map(heard.map((id, i) => [id, i]));
  for (const mine of observations)
    assert.ok(
      mine.every((id, i) => i === 0 || (place.get(id) as number) > (place.get(mine[i - 1] as string) as number)),
      'each device in its order',
    );
}
