/** Standard Webhooks signatures: verifiable with what is published, stable over restarts. */
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { createSealer } from '../../src/base/secret.ts';
import { createSigner } from '../../src/subscriptions/signature.ts';
import { createDocDisk } from '../support/doc-store.ts';

const clock = { now: () => 1_800_000_000_123 };
const sealer = createSealer(new Uint8Array(32).fill(3));
const SPKI = '302a300506032b6570032100';

test('a receiver verifies id.timestamp.body with the published key', async () => {
  const disk = createDocDisk();
  const signer = await createSigner(disk.open(clock), sealer, clock);
  const { keys } = JSON.parse(signer.published()) as { keys: { id: string; alg: string; publicKey: string }[] };
  const [key] = keys;
  assert.ok(key && keys.length === 1 && key.alg === 'ed25519' && key.publicKey.startsWith('whpk_'));
  const headers = signer.headers('id-1', clock.now(), '{"a":37.00}');
  assert.equal(headers['webhook-timestamp'], '1800000000');
  const der = Buffer.concat([Buffer.from(SPKI, 'hex'), Buffer.from(key.publicKey.slice(5), 'base64')]);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const signature = Buffer.from(headers['webhook-signature']?.replace('v1a,', '') ?? '', 'base64');
  const holds = (text: string): boolean => verify(null, Buffer.from(text), publicKey, signature);
  assert.ok(holds('id-1.1800000000.{"a":37.00}'));
  assert.ok(!holds('id-1.1800000000.{"a":37.0}'));
});

test('the key is made once, also when two servers start at once, and lies in the store encrypted', async () => {
  const disk = createDocDisk();
  const both = await Promise.all([1, 2].map(() => createSigner(disk.open(clock), sealer, clock)));
  const later = await createSigner(disk.open(clock), sealer, clock);
  const published = [...both, later].map((signer) => signer.published());
  assert.equal(new Set(published).size, 1);
  assert.ok(!disk.dump().includes('MC4CAQAw'), 'PKCS#8 in clear');
});
