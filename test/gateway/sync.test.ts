import assert from 'node:assert/strict';
import { test } from 'node:test';
import jsonwebtoken from 'jsonwebtoken';
import { gateway, reading, until } from './support/gateway.ts';
import { standIn, unavailable } from './support/stand-in.ts';

const empty = (g: { status(): Promise<{ waiting: number }> }) => async () => (await g.status()).waiting === 0;
const firstArrivals = (ids: readonly (string | undefined)[], device: string): (string | undefined)[] =>
  [...new Set(ids)].filter((id) => id?.startsWith(`${device}-`));

test('a reading reaches the server as the text that came in, with a Backend Services token', async (t) => {
  const server = await standIn();
  t.after(() => server.close());
  const g = await gateway(t, server.url);
  const text = JSON.stringify(reading('A', 1)).replace('"61"', '37.00');
  assert.equal((await g.post(`{"readings":[${text}]}`)).status, 202);
  await until(empty(g));
  assert.equal(server.batches[0]?.text, `{"readings":[${text}]}`);
  assert.match(server.batches[0]?.authorization ?? '', /^Bearer token-1$/);
  const { header, payload } = jsonwebtoken.decode(server.assertions[0] as string, { complete: true }) ?? {};
  assert.deepEqual([header?.alg, header?.kid], ['ES384', 'k1']);
  const claims = payload as jsonwebtoken.JwtPayload;
  assert.deepEqual(
    [claims.iss, claims.sub, claims.aud],
    ['gateway-under-test', 'gateway-under-test', `${server.url}/auth/token`],
  );
  // SMART backend services: no more than five minutes in the future.
  assert.ok((claims.exp as number) - Date.now() / 1000 <= 300);
  const status = await g.status();
  assert.deepEqual([status.connected, status.rejected, status.oldest], [true, 0, null]);
  assert.ok(status.lastAck && Math.abs(status.skewMs as number) < 5_000);
});

test('an outage and a lost answer: everything arrives, in the order of each device', async (t) => {
  const server = await standIn();
  t.after(() => server.close());
  let up = false;
  let dropped = 0;
  const arrived: (string | undefined)[] = [];
  server.judge = ({ items }) => {
    if (!up) return unavailable;
    arrived.push(...items.map((i) => i.id));
    return dropped++ === 0 ? { status: 200, drop: true } : undefined;
  };
  const g = await gateway(t, server.url);
  for (let n = 1; n <= 30; n++) {
    if (n === 20) up = true;
    await g.post({ readings: [reading('A', n), reading('B', n)] });
  }
  await until(empty(g), 12_000);
  const expected = (d: string): string[] => Array.from({ length: 30 }, (_, i) => `${d}-${i + 1}`);
  for (const d of ['A', 'B']) assert.deepEqual(firstArrivals(arrived, d), expected(d));
  assert.ok(arrived.length > new Set(arrived).size, 'the batch without an answer was sent again');
});

test('stored, duplicate and held leave the spool; a rejected item is counted and blocks nothing', async (t) => {
  const server = await standIn();
  t.after(() => server.close());
  const verdicts = ['stored', 'duplicate', 'held', 'rejected'];
  server.judge = ({ items }) => ({
    status: 200,
    body: {
      results: items.map((item, index) => ({
        index,
        status: verdicts[Number(item.id?.slice(2)) % 4],
        issue: { code: 'unit.unknown', details: 'x' },
      })),
    },
  });
  const g = await gateway(t, server.url);
  await g.post({ readings: Array.from({ length: 8 }, (_, n) => reading('A', n)) });
  await until(empty(g));
  assert.equal((await g.status()).rejected, 2);
  const { deadLetters } = (await (await fetch(`${g.url}/dead-letters`)).json()) as {
    deadLetters: { adapter: string; issue: { code: string }; item: { id: string } }[];
  };
  assert.deepEqual(
    deadLetters.map((d) => [d.adapter, d.issue.code, d.item.id]),
    [
      ['readings', 'unit.unknown', 'A-7'],
      ['readings', 'unit.unknown', 'A-3'],
    ],
  );
});

test('a token that is refused is renewed at once, and nothing is given up on 403', async (t) => {
  const server = await standIn();
  t.after(() => server.close());
  let refusals = 0;
  server.judge = ({ authorization }) => {
    if (authorization === 'Bearer token-1')
      return { status: 401, body: { issue: { code: 'auth.invalid', details: 'x' } } };
    return refusals++ === 0 ? { status: 403, body: { issue: { code: 'auth.forbidden', details: 'x' } } } : undefined;
  };
  const g = await gateway(t, server.url);
  await g.post({ readings: [reading('A', 1)] });
  await until(empty(g));
  assert.ok(server.tokens.length >= 3);
  assert.equal((await g.status()).rejected, 0);
});

test('a batch that is refused as a whole is halved until the item at fault is alone', async (t) => {
  const server = await standIn();
  t.after(() => server.close());
  server.judge = ({ items }) =>
    items.some((i) => i.id === 'A-5')
      ? { status: 400, body: { issue: { code: 'request.malformed', details: 'x' } } }
      : undefined;
  const g = await gateway(t, server.url);
  await g.post({ readings: Array.from({ length: 9 }, (_, n) => reading('A', n)) });
  await until(empty(g));
  assert.equal((await g.status()).rejected, 1);
  const taken = server.batches
    .filter((b) => !b.items.some((i) => i.id === 'A-5'))
    .flatMap((b) => b.items.map((i) => i.id));
  assert.deepEqual(
    taken,
    [0, 1, 2, 3, 4, 6, 7, 8].map((n) => `A-${n}`),
  );
});

test('an item on which the server breaks holds up its own device only, and a page that is no answer loses nothing', async (t) => {
  const server = await standIn();
  t.after(() => server.close());
  let healed = false;
  server.judge = ({ items }) => {
    if (healed || !items.some((i) => i.id === 'A-3')) return undefined;
    return { status: 500, body: { issue: { code: 'server.fault', details: 'x' } } };
  };
  const g = await gateway(t, server.url);
  await g.post({ readings: Array.from({ length: 6 }, (_, n) => reading(n % 2 ? 'A' : 'B', n)) });
  await until(async () => (await g.status()).waiting <= 3);
  assert.deepEqual(
    server.batches
      .filter((b) => !b.items.some((i) => i.id === 'A-3'))
      .flatMap((b) => b.items.map((i) => i.id))
      .filter((id) => id?.startsWith('B')),
    ['B-0', 'B-2', 'B-4'],
  );
  healed = true;
  await until(empty(g), 12_000);
  assert.equal((await g.status()).rejected, 0);
});

test('a 404 page of a proxy is no verdict on a reading', async (t) => {
  const server = await standIn();
  t.after(() => server.close());
  let proxy = true;
  server.judge = () => (proxy ? { status: 404, body: '<html>not found</html>' } : undefined);
  const g = await gateway(t, server.url);
  await g.post({ readings: [reading('A', 1)] });
  await until(() => server.batches.length > 0);
  proxy = false;
  await until(empty(g));
  assert.equal((await g.status()).rejected, 0);
});

test('starts without its server and finds it when it comes', async (t) => {
  const before = await standIn();
  const port = Number(new URL(before.url).port);
  await before.close();
  const g = await gateway(t, `http://127.0.0.1:${port}`);
  await g.post({ readings: [reading('A', 1)] });
  const status = await g.status();
  assert.deepEqual([status.connected, status.waiting, status.lastAck, status.skewMs], [false, 1, null, null]);
  assert.ok(status.oldest);
  const server = await standIn(port);
  t.after(() => server.close());
  await until(empty(g), 15_000);
  assert.deepEqual(
    server.items().map((i) => i.id),
    ['A-1'],
  );
});
