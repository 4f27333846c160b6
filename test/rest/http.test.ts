/** The listener on a real socket: tokens, bodies, media types, CORS, and that nothing is HTML. */
import assert from 'node:assert/strict';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fhirListener } from '../../src/rest/http.ts';
import { admin, type Bench, bench, patient } from './support/bench.ts';

let server: Server;
let api: Bench;

before(async () => {
  api = await bench({ limits: { bodyBytesMax: 2000, urlBytesMax: 500 } });
  const verifier = {
    verify: (token: string) =>
      token === 'later'
        ? Promise.resolve(admin)
        : token === 'good'
          ? admin
          : token === 'bad'
            ? Promise.resolve(undefined)
            : undefined,
  };
  server = createServer(fhirListener(api.ctx, verifier));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => server.close());

interface Got {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  json: Record<string, unknown>;
}

function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<Got> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const req = httpRequest({ port, host: '127.0.0.1', method, path, headers, agent: false }, (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part));
      res.on('end', () => {
        const text = Buffer.concat(parts).toString();
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text, json: JSON.parse(text || 'null') });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

const token = { authorization: 'Bearer good' };
const json = { ...token, 'content-type': 'application/fhir+json' };

test('create, read, HEAD, delete over the wire', async () => {
  const made = await send('POST', '/fhir/Patient', json, JSON.stringify(patient()));
  assert.equal(made.status, 201, made.text);
  const path = `/fhir/Patient/${made.json['id']}`;
  const read = await send('GET', path, token);
  assert.deepEqual([read.status, read.text], [200, made.text]);
  assert.match(String(read.headers['content-type']), /^application\/fhir\+json/);
  const head = await send('HEAD', path, token);
  assert.deepEqual(
    [head.status, head.text, head.headers['content-length']],
    [200, '', String(Buffer.byteLength(read.text))],
  );
  assert.equal((await send('GET', path, { ...token, 'if-none-match': 'W/"1"' })).status, 304);
  assert.equal((await send('DELETE', path, token)).status, 204);
  assert.equal((await send('GET', path, token)).status, 410);
});

test('the prefix may be there or be cut off by who mounts it', async () => {
  for (const path of ['/fhir/metadata', '/metadata', '/fhir/metadata?_format=json'])
    assert.equal((await send('GET', path)).json['resourceType'], 'CapabilityStatement', path);
  assert.equal((await send('GET', '/fhir', token)).status, 405);
  assert.equal((await send('GET', '/fhirx/Patient', token)).status, 404);
});

test('only metadata is served without a token, to any origin', async () => {
  const r = await send('GET', '/fhir/metadata', { origin: 'https://app.example' });
  assert.deepEqual([r.status, r.headers['access-control-allow-origin']], [200, '*']);
  assert.equal((await send('POST', '/fhir/metadata')).status, 405);
  for (const path of [
    '/fhir/Patient',
    '/fhir/Patient/1',
    '/fhir/',
    '/fhir/_history',
    '/fhir/Patience',
    '/fhir/metadata/x',
  ]) {
    const none = await send('GET', path);
    assert.deepEqual([none.status, none.json['resourceType']], [401, 'OperationOutcome'], path);
    assert.match(String(none.headers['www-authenticate']), /^Bearer/);
    assert.ok(!String(none.headers['www-authenticate']).includes('error='), 'nothing was sent that could be wrong');
  }
});

test('a bad token is 401 invalid_token, whether the verdict comes at once or later', async () => {
  for (const authorization of ['Bearer bad', 'Bearer unknown', 'bearer  unknown']) {
    const r = await send('GET', '/fhir/Patient/1', { authorization });
    assert.equal(r.status, 401, authorization);
    assert.match(String(r.headers['www-authenticate']), /error="invalid_token"/);
  }
  assert.equal((await send('GET', '/fhir/Patient/1', { authorization: 'Basic good' })).status, 401);
  assert.equal((await send('GET', '/fhir/Patient/1', { authorization: 'Bearer later' })).status, 404);
  assert.equal((await send('GET', '/fhir/Patient/1', { authorization: 'bearer good' })).status, 404);
});

test('bodies: gzip, too large before and after inflating, not UTF-8, other media types', async () => {
  const zipped = { ...json, 'content-encoding': 'gzip' };
  assert.equal((await send('POST', '/fhir/Patient', zipped, gzipSync(JSON.stringify(patient())))).status, 201);
  const big = JSON.stringify(patient({ name: [{ text: 'x'.repeat(3000) }] }));
  assert.equal((await send('POST', '/fhir/Patient', json, big)).status, 413);
  assert.equal((await send('POST', '/fhir/Patient', zipped, gzipSync(big))).status, 413);
  assert.equal((await send('POST', '/fhir/Patient', json, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))).status, 400);
  assert.equal(
    (await send('POST', '/fhir/Patient', { ...json, 'content-type': 'application/fhir+xml' }, '<a/>')).status,
    415,
  );
  assert.equal((await send('POST', '/fhir/Patient', token, JSON.stringify(patient()))).status, 415);
});

/** A client that reads nothing before it has written everything. */
function writeThenRead(head: string, body: Buffer): Promise<string> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').on('error', reject).pause();
    const parts: Buffer[] = [];
    socket.on('end', () => resolve(Buffer.concat(parts).toString()));
    socket.write(`${head}\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body, () => socket.on('data', (part) => parts.push(part)).resume());
  });
}

test('a refusal reaches a client that is still writing: too large, or without a token', async () => {
  const huge = Buffer.alloc(34 * 2 ** 20, 'x');
  const post = 'POST /fhir/Patient HTTP/1.1\r\nContent-Type: application/fhir+json';
  assert.match(await writeThenRead(`${post}\r\nAuthorization: Bearer good`, huge), /^HTTP\/1.1 413 /);
  assert.match(await writeThenRead(post, huge), /^HTTP\/1.1 401 /);
});

test('only JSON is answered: Accept and _format', async () => {
  assert.equal((await send('GET', '/fhir/Patient', { ...token, accept: 'application/fhir+xml' })).status, 406);
  assert.equal((await send('GET', '/fhir/Patient?_format=xml', token)).status, 406);
  assert.equal((await send('GET', '/fhir/Patient?_format=json', { ...token, accept: 'text/html' })).status, 200);
});

test('browser apps: preflight without a token, the origin comes back on answers and on refusals', async () => {
  const origin = 'https://app.example';
  const pre = await send('OPTIONS', '/fhir/Patient', { origin, 'access-control-request-method': 'PUT' });
  assert.equal(pre.status, 204);
  assert.match(String(pre.headers['access-control-allow-methods']), /PUT/);
  assert.match(String(pre.headers['access-control-allow-headers']), /Authorization/i);
  for (const headers of [{ ...token, origin }, { origin }] as Record<string, string>[]) {
    const r = await send('GET', '/fhir/Patient', headers);
    assert.equal(r.headers['access-control-allow-origin'], origin);
    assert.match(String(r.headers['access-control-expose-headers']), /ETag/);
    assert.equal(r.headers['vary'], 'Origin');
  }
  assert.equal((await send('GET', '/fhir/Patient', token)).headers['access-control-allow-origin'], undefined);
});

test('an address that is too long is refused', async () => {
  const r = await send('GET', `/fhir/Patient?name=${'x'.repeat(600)}`, token);
  assert.deepEqual([r.status, r.json['resourceType']], [400, 'OperationOutcome']);
});

test('a search form over the wire', async () => {
  const form = { ...token, 'content-type': 'application/x-www-form-urlencoded' };
  const r = await send('POST', '/fhir/Patient/_search', form, 'active=true&_summary=count');
  assert.deepEqual([r.status, typeof r.json['total']], [200, 'number']);
});
