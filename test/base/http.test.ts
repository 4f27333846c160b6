import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { VitalwireError } from '../../src/base/errors.ts';
import { readBody } from '../../src/base/http.ts';

async function post(body: Buffer, headers: Record<string, string>, bytesMax = 1000): Promise<string> {
  const server = createServer((req, res) => {
    readBody(req, bytesMax).then(
      (text) => res.end(`ok ${text.length}`),
      (error: unknown) => res.end(error instanceof VitalwireError ? error.code : String(error)),
    );
  });
  await new Promise<void>((r) => server.listen(0, '127.0.0.1', r));
  try {
    return await new Promise((resolve, reject) => {
      const req = request(
        { port: (server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST', headers },
        (res) => {
          let text = '';
          res.on('data', (d) => (text += d)).on('end', () => resolve(text));
        },
      );
      req.on('error', reject);
      req.end(body);
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a body is read whole, inflated when gzip', async () => {
  assert.equal(await post(Buffer.from('äöü'), {}), 'ok 3');
  assert.equal(await post(gzipSync('x'.repeat(900)), { 'content-encoding': 'gzip' }), 'ok 900');
});

test('the bound counts bytes after inflating, with and without a declared length', async () => {
  assert.equal(await post(Buffer.alloc(1001, 97), {}), 'request.too-large');
  assert.equal(await post(Buffer.alloc(1001, 97), { 'transfer-encoding': 'chunked' }), 'request.too-large');
  assert.equal(await post(gzipSync('x'.repeat(1_000_000)), { 'content-encoding': 'gzip' }), 'request.too-large');
});

test('broken gzip, other encodings and other charsets are told apart', async () => {
  assert.equal(await post(Buffer.from('no gzip'), { 'content-encoding': 'gzip' }), 'request.malformed');
  assert.equal(await post(Buffer.from('x'), { 'content-encoding': 'br' }), 'request.media-type');
  assert.equal(await post(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), {}), 'request.malformed');
});
