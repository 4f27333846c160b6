/** Wrong secrets are counted and end in 429, for the right one too. CONTRACT §2 guessing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuessing } from '../../src/auth/guessing.ts';
import { limits } from '../../src/base/limits.ts';
import { post, startAuth } from '../support/auth.ts';
import { createDocDisk } from '../support/doc-store.ts';

const SECRET = 'one secret of thirty characters';
const metadata = {
  client_id: 'g-client',
  client_secret: SECRET,
  redirect_uris: ['https://app.example/back'],
  scope: 'patient/*.rs',
};

test('fifty wrong secrets of one client: 429 with Retry-After, over a restart too; other clients go on', async () => {
  const disk = createDocDisk();
  const first = await startAuth({ disk });
  await first.register(metadata, { ...metadata, client_id: 'g-other' });
  const tryAt = (base: string, secret: string, client = 'g-client') =>
    post(`${base}/auth/introspect`, { token: 'x', client_id: client, client_secret: secret });
  for (let i = 0; i < limits.wrongSecretsMax - 1; i++)
    assert.equal((await tryAt(first.base, `wrong ${i}`)).status, 401);
  assert.equal((await tryAt(first.base, SECRET)).status, 200);
  assert.equal((await tryAt(first.base, 'the last one')).status, 401);
  const locked = await tryAt(first.base, SECRET);
  assert.equal(locked.status, 429, locked.text);
  const wait = Number(locked.headers.get('retry-after'));
  assert.ok(wait > 0 && wait <= 300, `Retry-After ${wait}`);
  assert.equal(typeof locked.json['error'], 'string');
  assert.equal((await tryAt(first.base, SECRET, 'g-other')).status, 200);
  await first.stop();
  const second = await startAuth({ disk });
  assert.equal((await tryAt(second.base, SECRET)).status, 429);
  await second.stop();
});

test('many at once do not pass together; the window slides', async () => {
  let now = 1_000_000;
  const clock = { now: () => now };
  const disk = createDocDisk();
  const guessing = createGuessing(disk.open(clock), clock, {
    ...limits,
    wrongSecretsMax: 5,
    wrongSecretsMsMax: 10_000,
  });
  let compared = 0;
  const wrong = () => {
    compared++;
    return false;
  };
  const verdicts = await Promise.all(Array.from({ length: 30 }, () => guessing.attempt('c', wrong)));
  assert.equal(compared, 5);
  assert.equal(verdicts.filter((v) => 'wait' in v).length, 25);
  now += 9_999;
  assert.deepEqual(await guessing.attempt('c', () => true), { wait: 1 });
  now += 1;
  assert.deepEqual(await guessing.attempt('c', () => true), { right: true });
  assert.deepEqual(await guessing.attempt('c', wrong), { right: false });
  assert.deepEqual(await guessing.attempt('c', () => true), { right: true });
});

test('two servers on one store count together', async () => {
  const clock = { now: () => 5_000 };
  const disk = createDocDisk();
  const few = { ...limits, wrongSecretsMax: 4 };
  const [a, b] = [createGuessing(disk.open(clock), clock, few), createGuessing(disk.open(clock), clock, few)];
  for (let i = 0; i < 2; i++) {
    await a.attempt('c', () => false);
    await b.attempt('c', () => false);
  }
  assert.ok('wait' in (await a.attempt('c', () => true)));
  assert.ok('wait' in (await b.attempt('c', () => true)));
});
