import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdapterPayload } from 'oidc-provider';
import { collectionOf, createAdapter } from '../../src/auth/adapter.ts';
import { loadKeys } from '../../src/auth/keys.ts';
import { StartError } from '../../src/base/errors.ts';
import { sha256Url } from '../../src/base/hash.ts';
import { createSealer } from '../../src/base/secret.ts';
import { createDocDisk } from '../support/doc-store.ts';

const sealer = createSealer(Buffer.alloc(32, 1));

function make(model: string) {
  let now = 1_000_000;
  const clock = { now: () => now };
  const disk = createDocDisk();
  const store = disk.open(clock);
  const ended: string[] = [];
  const adapter = createAdapter(model, {
    store,
    clock,
    sealer,
    revoked: (token) => ended.push(token),
    grantRevoked: (grantId) => ended.push(`grant ${grantId}`),
  });
  const advance = (ms: number): void => {
    now += ms;
  };
  return { adapter, store, disk, ended, advance };
}
const payload = (jti: string, more: object = {}): AdapterPayload => ({ jti, kind: 'AccessToken', ...more });

test('what is kept is found by its id, its uid and its user code, and not after it expired', async () => {
  const { adapter, advance } = make('DeviceCode');
  const kept = payload('id-1', { uid: 'u1', userCode: 'ABCD', 'dots.and:colons': { deep: [1] } });
  await adapter.upsert('id-1', kept, 60);
  assert.deepEqual(await adapter.find('id-1'), kept);
  assert.deepEqual(await adapter.findByUid('u1'), kept);
  assert.deepEqual(await adapter.findByUserCode('ABCD'), kept);
  assert.equal(await adapter.find('id-2'), undefined);
  assert.equal(await adapter.findByUid('u2'), undefined);
  advance(60_000);
  assert.equal(await adapter.find('id-1'), undefined);
  assert.equal(await adapter.findByUserCode('ABCD'), undefined);
});

test('the store sees hashes and sealed text', async () => {
  const { adapter, disk } = make('AccessToken');
  await adapter.upsert(
    'the-token',
    payload('the-token', { grantId: 'the-grant', accountId: 'the-account', clientId: 'the-client' }),
    60,
  );
  for (const word of ['the-token', 'the-grant', 'the-account', 'the-client']) assert.ok(!disk.dump().includes(word));
});

test('a document that was put under the key of another, or was changed, is not there', async () => {
  const { adapter, store } = make('AccessToken');
  await adapter.upsert('mine', payload('mine'), 60);
  await adapter.upsert('of an administrator', payload('of an administrator'), 60);
  const [mine, other] = ['mine', 'of an administrator'].map((id) => sha256Url(id)) as [string, string];
  const collection = collectionOf('AccessToken');
  const { body } = (await store.doc(collection, other))!;
  await store.commit({ docs: [{ op: 'put', doc: { collection, key: mine, body } }] });
  assert.equal(await adapter.find('mine'), undefined);
  await store.commit({ docs: [{ op: 'put', doc: { collection, key: other, body: `A${body}` } }] });
  assert.equal(await adapter.find('of an administrator'), undefined);
});

test('a grant is revoked with all that hangs on it, and nothing else', async () => {
  const { adapter, ended } = make('AccessToken');
  for (let i = 0; i < 3; i++) await adapter.upsert(`t${i}`, payload(`t${i}`, { grantId: i < 2 ? 'g1' : 'g2' }), 60);
  await adapter.revokeByGrantId('g1');
  assert.equal(await adapter.find('t0'), undefined);
  assert.equal(await adapter.find('t1'), undefined);
  assert.ok(await adapter.find('t2'));
  await adapter.destroy('t2');
  assert.equal(await adapter.find('t2'), undefined);
  assert.deepEqual(ended, ['grant g1', 't2']);
});

test('a code is consumed once, also by two at the same time', async () => {
  const { adapter } = make('AuthorizationCode');
  await adapter.upsert('code', payload('code'), 60);
  const results = await Promise.allSettled([adapter.consume('code'), adapter.consume('code')]);
  assert.deepEqual(results.map((r) => r.status).sort(), ['fulfilled', 'rejected']);
  assert.equal(typeof ((await adapter.find('code')) as AdapterPayload).consumed, 'number');
});

test('a jti is inserted once, and again after its assertion could not be used any more', async () => {
  const { adapter, advance } = make('ReplayDetection');
  await adapter.upsert('jti', payload('jti'), 60);
  await assert.rejects(adapter.upsert('jti', payload('jti'), 60), { statusCode: 401 });
  advance(60_000);
  await adapter.upsert('jti', payload('jti'), 60);
});

test('names of collections', () => {
  assert.equal(collectionOf('ClientCredentials'), 'auth-client-credentials');
  assert.equal(collectionOf('Session'), 'auth-session');
});

test('servers that start together on one store have the same keys; another secret key is a sentence', async () => {
  const disk = createDocDisk();
  const clock = { now: () => 0 };
  const [a, b] = await Promise.all([loadKeys(disk.open(clock), sealer), loadKeys(disk.open(clock), sealer)]);
  assert.deepEqual(a, b);
  assert.deepEqual(await loadKeys(disk.open(clock), sealer), a);
  await assert.rejects(loadKeys(disk.open(clock), createSealer(Buffer.alloc(32, 2))), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /SECRET_KEY_FILE/);
    return true;
  });
});
