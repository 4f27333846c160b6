import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { folder, gateway, reading } from './support/gateway.ts';

/** Nothing listens there. */
const NOWHERE = 'http://127.0.0.1:9';

function get(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const req = request(url, { headers }, (res) => {
      res.resume();
      resolve(res.statusCode as number);
    });
    req.on('error', reject).end();
  });
}

test('errors have the status and the shape of the server', async (t) => {
  const g = await gateway(t, NOWHERE);
  const cases: [string, number, Promise<{ status: number; body: { issue?: { code: string; details: string } } }>][] = [
    ['broken JSON', 400, g.post('{"readings":[')],
    ['another list', 400, g.post({ messages: [] })],
    ['a list of the wrong type', 400, g.post({ readings: 7 })],
    ['nesting', 400, g.post(`{"readings":[${'['.repeat(10_000)}${']'.repeat(10_000)}]}`)],
    ['too many', 400, g.post({ readings: Array.from({ length: 10_001 }, () => 1) })],
    ['media type', 415, g.post('a;b', 'readings', { 'content-type': 'text/csv' })],
    ['a form of a web page', 415, g.post('{}', 'readings', { 'content-type': 'text/plain' })],
    ['unknown adapter', 404, g.post({ readings: [] }, 'no-such-adapter')],
    ['too large', 413, g.post(' '.repeat(33 * 2 ** 20))],
  ];
  for (const [name, status, pending] of cases) {
    const answer = await pending;
    assert.equal(answer.status, status, name);
    assert.ok(answer.body.issue?.code && answer.body.issue.details.length > 10, name);
  }
});

test('only form is judged: what is no reading is rejected, item by item; gzip and NDJSON are taken', async (t) => {
  const g = await gateway(t, NOWHERE);
  const { device: _, ...nameless } = reading('A', 3);
  const answer = await g.post({
    readings: [17, reading('A', 1), nameless, reading('A', 2, { unit: 'furlongs' }), null],
  });
  assert.equal(answer.status, 202);
  assert.deepEqual(
    answer.body.results.map((r) => `${r.index} ${r.status} ${r.issue?.code ?? ''}`.trim()),
    [
      '0 rejected payload.malformed',
      '1 queued',
      '2 rejected payload.malformed',
      '3 queued',
      '4 rejected payload.malformed',
    ],
  );
  const ndjson = `${JSON.stringify(reading('A', 4))}\n{"device":\n${'['.repeat(200)}\n\n${JSON.stringify(reading('A', 5))}\n`;
  const lines = await fetch(`${g.url}/ingest/readings`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
    body: gzipSync(ndjson),
  });
  assert.equal(lines.status, 202);
  const { results } = (await lines.json()) as { results: { status: string }[] };
  assert.deepEqual(
    results.map((r) => r.status),
    ['queued', 'rejected', 'rejected', 'queued'],
  );
  assert.equal((await g.status()).waiting, 4);
});

test('status has every field when nothing is known yet; the local page escapes what devices say', async (t) => {
  const g = await gateway(t, NOWHERE);
  assert.deepEqual(await g.status(), {
    connected: false,
    waiting: 0,
    oldest: null,
    rejected: 0,
    skewMs: null,
    lastAck: null,
  });
  await g.post({ readings: [reading('<b>7</b>', 1, { value: '37.20', unit: 'Cel', kind: 'body-temperature' })] });
  const page = await (await fetch(g.url)).text();
  assert.match(page, /&lt;b&gt;7&lt;\/b&gt;/);
  assert.match(page, /37\.20 Cel/);
  assert.match(page, /Not connected/);
  assert.doesNotMatch(page, /<b>7/);
});

test('no login from this machine; a proxied or rebound request is not from this machine', async (t) => {
  const g = await gateway(t, NOWHERE);
  assert.equal(await get(`${g.url}/status`, {}), 200);
  assert.equal(await get(`${g.url}/status`, { 'x-forwarded-for': '203.0.113.9' }), 403);
  assert.equal(await get(`${g.url}/status`, { host: 'evil.example' }), 403);
  assert.equal(await get(`${g.url}/healthz`, { host: 'evil.example' }), 200);
});

test('other hosts send the local token', async (t) => {
  const dir = folder(t);
  const localTokenFile = join(dir, 'token');
  writeFileSync(localTokenFile, 'a-token-of-sixteen-characters\n');
  const g = await gateway(t, NOWHERE, { localTokenFile });
  const elsewhere = { 'x-forwarded-for': '203.0.113.9' };
  assert.equal(await get(`${g.url}/status`, elsewhere), 401);
  assert.equal(
    await get(`${g.url}/status`, { ...elsewhere, authorization: 'Bearer a-token-of-sixteen-characterz' }),
    401,
  );
  assert.equal(
    await get(`${g.url}/status`, { ...elsewhere, authorization: 'Bearer a-token-of-sixteen-characters' }),
    200,
  );
});

test('a full spool says 507 and takes nothing of the request', async (t) => {
  const g = await gateway(t, NOWHERE, { spoolMaxMb: 1 });
  const many = Array.from({ length: 1000 }, (_, n) => reading('A', n));
  let last = await g.post({ readings: many });
  assert.equal(last.status, 202);
  for (let i = 0; i < 10 && last.status === 202; i++) last = await g.post({ readings: many });
  assert.equal(last.status, 507);
  assert.equal(last.body.issue?.code, 'server.full');
  assert.equal((await g.status()).waiting % 1000, 0);
});
