/** Bodies, media types, errors, rights and the listener. CONTRACT §5 errors of /ingest. */
import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { limits } from '../../src/base/limits.ts';
import { ingestListener } from '../../src/ingest/http.ts';
import { ADMIN, GATEWAY, principal, type Result, Ward } from './world.ts';

type Json = Record<string, unknown>;
const NDJSON = { 'content-type': 'application/x-ndjson; charset=utf-8' };
const issueOf = (json: unknown): { code: string; details: string } =>
  (json as { issue: { code: string; details: string } }).issue;

test('a wrong item never costs the others, and every item has its answer in order', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const results = await w.post([
    w.reading(serial, { id: '1' }),
    null,
    w.reading(serial, { id: '2', unit: 'kg' }),
    'text',
    w.reading(serial, { id: '3' }),
  ]);
  assert.equal(
    results.map((r) => `${r.index} ${r.status}`).join(', '),
    '0 stored, 1 rejected, 2 rejected, 3 rejected, 4 stored',
  );
});

test('NDJSON: blank lines do not count, a broken line is rejected alone', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const line = (id: string) => JSON.stringify(w.reading(serial, { id }));
  const deep = `${'['.repeat(200)}${']'.repeat(200)}`;
  const twice = line('t').replace('"kind"', '"kind":"pulse-rate","kind"');
  const body = `\r\n${line('n1')}\r\n{"device":\n\n${line('n2')}\n${deep}\n${twice}\n`;
  const { json } = await w.request<{ results: Result[] }>('POST', '/readings', body, GATEWAY, NDJSON);
  assert.deepEqual(
    json.results.map((r) => `${r.index} ${r.status}`),
    ['0 stored', '1 rejected', '2 stored', '3 rejected', '4 rejected'],
  );
  const broken = (await w.held('?status=rejected')).map((x) => x['message']);
  assert.ok(broken.includes('{"device":'));
});

test('a name that stands twice costs the reading that it stands in', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const twice = JSON.stringify(w.reading(serial, { id: 'b' })).replace('"value":"71"', '"value":"71","value":"17"');
  const body = `{"readings":[${JSON.stringify(w.reading(serial, { id: 'a' }))},${twice}]}`;
  const { json } = await w.request<{ results: Result[] }>('POST', '/readings', body);
  assert.deepEqual(
    json.results.map((r) => r.status),
    ['stored', 'rejected'],
  );
  assert.equal((await w.request('POST', '/readings', `{"readings":[],"readings":[]}`)).status, 400);
});

test('a body that is none: 400, 413, 415, 404, 405, and nothing of it is stored or counted', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const good = JSON.stringify(w.reading(serial));
  const cases: [status: number, body: string, path?: string, headers?: Record<string, string>][] = [
    [400, `{"readings":[${good},`],
    [400, '{"reading":1}'],
    [400, '{"readings":{}}'],
    [400, '[]'],
    [400, 'null'],
    [400, ''],
    [400, '\n\n', '/readings', NDJSON],
    [400, `${'['.repeat(101)}${']'.repeat(101)}`],
    [400, `{"readings":[${Array(10_001).fill('{}').join(',')}]}`],
    [400, Array(10_001).fill('{}').join('\n'), '/readings', NDJSON],
    [404, `{"readings":[${good}]}`, '/no-such-adapter'],
    [404, `{"readings":[${good}]}`, '/'],
    [415, `{"readings":[${good}]}`, '/readings', { 'content-type': 'text/csv' }],
    [415, `{"readings":[${good}]}`, '/readings', {}],
  ];
  for (const [status, body, path = '/readings', headers = { 'content-type': 'application/json' }] of cases) {
    const answer = await w.request('POST', path, body, GATEWAY, headers);
    assert.equal(answer.status, status, body.slice(0, 40));
    assert.ok(issueOf(answer.json).code.length > 3 && issueOf(answer.json).details.length > 10, answer.text);
  }
  assert.equal((await w.request('DELETE', '/readings', '')).status, 405);
  assert.equal((await w.request('GET', '/nowhere', '')).status, 404);
  assert.equal(w.memory.all('Observation').length, 0);
  assert.equal((await w.balance())['received'], 0);
  const empty = await w.request('POST', '/readings', '{"readings":[]}');
  assert.deepEqual([empty.status, empty.text], [200, '{"results":[]}']);
});

test('it takes system/Observation.c, and says so before any look-up', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const body = JSON.stringify({ readings: [w.reading(serial)] });
  for (const scope of ['system/Observation.rs', 'patient/Observation.c', 'user/*.cruds', 'system/Device.c', '']) {
    const who = principal('x', scope);
    assert.equal((await w.request('POST', '/readings', body, who)).status, 403, scope);
    assert.equal((await w.request('POST', '/no-such-adapter', body, who)).status, 403, scope);
    assert.equal((await w.request('POST', '/held/$replay', '', who)).status, 403, scope);
    assert.equal((await w.request('GET', '/held', '', who)).status, 403, scope);
  }
  assert.equal((await w.request('POST', '/readings', body, principal('x', 'system/*.c'))).status, 200);
});

test('a token for one device writes for that device only, and no replay lifts that', async () => {
  const w = new Ward();
  const own = await w.device();
  const other = await w.device();
  const device = principal('thermo', `system/Observation.c?device=Device/${own.id}`);
  assert.equal((await w.one(w.reading(own.serial), device)).status, 'stored');
  const post = (readings: unknown[]) => w.request('POST', '/readings', JSON.stringify({ readings }), device);
  assert.equal((await post([w.reading(own.serial, { id: 'n' }), w.reading(other.serial)])).status, 403);
  assert.equal(w.memory.all('Observation').length, 1);
  // Of a device that is not known yet: held, and not filed by a replay once it turns out to be another one.
  const early = await w.one(w.reading('later', { id: 'early' }), device);
  assert.equal(early.status, 'held');
  await w.put({ resourceType: 'Device', id: 'later', identifier: [{ system: 'urn:example:serial', value: 'later' }] });
  await w.put(w.use('later', other.patient));
  const { json } = await w.request<{ results: Result[] }>('POST', '/held/$replay', '', ADMIN, {});
  assert.deepEqual([json.results[0]?.status, json.results[0]?.issue?.code], ['held', 'store.rejected']);
});

test('kinds and balance are read with any token', async () => {
  const w = new Ward();
  const reader = principal('reader', 'system/Patient.rs');
  const { json } = await w.request<{ kinds: Json[] }>('GET', '/kinds', '', reader);
  assert.ok(json.kinds.some((k) => k['name'] === 'heart-rate'));
  assert.equal((await w.request('GET', '/balance', '', reader)).status, 200);
});

test('metrics count answers by status and by issue', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  await w.post([
    w.reading(serial, { id: 'a' }),
    w.reading(serial, { id: 'a' }),
    w.reading(serial, { id: 'b', unit: 'kg' }),
  ]);
  const found = w.ingest.metrics();
  assert.deepEqual(
    [
      found['stored_total'],
      found['duplicate_total'],
      found['rejected_total'],
      found['issue_unit.incommensurable_total'],
    ],
    [1, 1, 1, 1],
  );
});

test('the listener: who asks, gzip, limits, prefixes', async (t) => {
  const w = new Ward();
  const { serial } = await w.device();
  const verifier = { verify: (token: string) => (token === 'good' ? GATEWAY : undefined) };
  const listener = ingestListener(w.ingest, verifier, { ...limits, bodyBytesMax: 4096 });
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const call = (path: string, body: string | Buffer, headers: Record<string, string> = {}, method = 'POST') =>
    new Promise<{ status: number; text: string; headers: Json }>((resolve, reject) => {
      const req = httpRequest(
        { port, path, method, headers: { 'content-type': 'application/json', connection: 'close', ...headers } },
        (res) => {
          let text = '';
          res.on('data', (part) => {
            text += part;
          });
          res.on('end', () => resolve({ status: res.statusCode ?? 0, text, headers: res.headers }));
        },
      );
      req.on('error', reject);
      req.end(body);
    });
  const good = { authorization: 'Bearer good' };
  const body = JSON.stringify({ readings: [w.reading(serial)] });
  const missing = await call('/ingest/readings', body);
  assert.deepEqual([missing.status, missing.headers['www-authenticate']], [401, 'Bearer']);
  assert.ok(issueOf(JSON.parse(missing.text)).details);
  assert.equal((await call('/ingest/readings', body, { authorization: 'Bearer bad' })).status, 401);
  assert.equal((await call('/ingest/balance', '', {}, 'GET')).status, 401);
  const stored = await call('/ingest/readings', body, good);
  assert.match(stored.text, /"stored"/);
  assert.equal(stored.headers['content-type'], 'application/json; charset=utf-8');
  assert.match((await call('/readings', gzipSync(body), { ...good, 'content-encoding': 'gzip' })).text, /"duplicate"/);
  assert.equal((await call('/ingest/readings', `{"readings":[],"x":"${'y'.repeat(5000)}"}`, good)).status, 413);
  assert.equal((await call('/ingest/readings', Buffer.from([0xff, 0xfe]), good)).status, 400);
  assert.equal((await call('/ingest/held?_count=1', '', good, 'GET')).status, 200);
});
