/** Keys by address: cached as the client says, found again after a rotation, and fetched only from where calls may go. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { freshness } from '../../src/auth/key-source.ts';
import { limits } from '../../src/base/limits.ts';
import {
  type Answer,
  type AuthServer,
  assertion,
  type KeyServer,
  keyServer,
  type SigningClient,
  signingClient,
  startAuth,
} from '../support/auth.ts';

const refused = (answer: Answer): void =>
  assert.deepEqual([answer.status, answer.json['error']], [401, 'invalid_client'], answer.text);
const setOf = (...clients: SigningClient[]): string => JSON.stringify({ keys: clients.map((c) => c.publicJwk) });

describe('jwks_uri', () => {
  let keys: KeyServer;
  let s: AuthServer;
  let client: SigningClient;
  let next = 0;
  before(async () => {
    keys = await keyServer();
    s = await startAuth();
  });
  after(async () => {
    await s.stop();
    await keys.stop();
  });
  beforeEach(async () => {
    keys.asked.length = 0;
    const uri = `${keys.url}?client=${++next}`;
    client = signingClient(`u-${next}`, 'system/Observation.rs', 'ES384', { jwks_uri: uri });
    await s.register(client.metadata);
    keys.reply = () => ({ body: setOf(client) });
  });
  afterEach(() => {
    keys.reply = () => ({ body: '{"keys":[]}' });
  });

  test('gives a token; with max-age the keys are asked for once', async () => {
    keys.reply = () => ({ headers: { 'cache-control': 'max-age=60' }, body: setOf(client) });
    for (let i = 0; i < 3; i++) assert.equal((await s.ask(client)).status, 200);
    assert.equal(keys.asked.length, 1);
  });

  test('no-store and max-age=0 are honoured: the keys are asked for every time', async () => {
    for (const control of ['no-store', 'no-cache', 'public, max-age=0']) {
      keys.asked.length = 0;
      keys.reply = () => ({ headers: { 'cache-control': control }, body: setOf(client) });
      for (let i = 0; i < 2; i++) assert.equal((await s.ask(client)).status, 200);
      assert.equal(keys.asked.length, 2, control);
    }
  });

  test('a key that was taken away is refused once the cache is over, a new one is found at once', async () => {
    const renewed = { ...signingClient(client.id, client.scope), kid: 'renewed' };
    const publicJwk = { ...renewed.publicJwk, kid: 'renewed' };
    const after = { ...renewed, publicJwk };
    keys.reply = () => ({ headers: { 'cache-control': 'max-age=3600' }, body: setOf(client) });
    assert.equal((await s.ask(client)).status, 200);
    keys.reply = () => ({ headers: { 'cache-control': 'max-age=3600' }, body: setOf(after) });
    assert.equal((await s.ask(after)).status, 200);
    assert.equal(keys.asked.length, 2);
    refused(await s.ask(client));
  });

  test('jku equal to the registered address is taken, another is not, and is never called', async () => {
    const jku = client.metadata['jwks_uri'] as string;
    assert.equal((await s.ask(client, { head: { jku } })).status, 200);
    keys.asked.length = 0;
    refused(await s.ask(client, { head: { jku: `${keys.url}?attacker` } }));
    assert.ok(!keys.asked.some((path) => path.includes('attacker')));
  });

  test('two keys of the same kid and kind: none is chosen', async () => {
    const twin = signingClient(client.id, client.scope);
    keys.reply = () => ({ body: setOf(client, { ...twin, publicJwk: { ...twin.publicJwk, kid: client.kid } }) });
    refused(await s.ask(client));
  });

  test('keys of other kinds beside it do not matter, an RSA key of the same kid neither', async () => {
    const rsa = signingClient(client.id, client.scope, 'RS384');
    const body = JSON.stringify({
      keys: [{ kty: 'OKP' }, 7, null, { kty: 'oct', k: 'eA' }, rsa.publicJwk, client.publicJwk],
    });
    keys.reply = () => ({ body });
    assert.equal((await s.ask(client)).status, 200);
  });

  const broken: Record<string, () => ReturnType<KeyServer['reply']>> = {
    'not found': () => ({ status: 404, body: setOf(client) }),
    'a redirect to the keys': () => ({ status: 302, headers: { location: `${keys.url}?stolen` }, body: '' }),
    'no JSON': () => ({ body: '<html>' }),
    'no set': () => ({ body: '[]' }),
    'an empty set': () => ({ body: '{"keys":[]}' }),
    'a set that is too large': () => ({ body: `${' '.repeat(70_000)}${setOf(client)}` }),
    'a set with the private key': () => ({
      body: JSON.stringify({ keys: [{ ...client.privateKey.export({ format: 'jwk' }), kid: client.kid }] }),
    }),
  };
  for (const [name, reply] of Object.entries(broken))
    test(`${name}: refused`, async () => {
      keys.reply = reply;
      refused(await s.ask(client));
      assert.ok(!keys.asked.some((path) => path.includes('stolen')));
    });

  test('after a failure the next try may succeed', async () => {
    keys.reply = () => ({ status: 500 });
    refused(await s.ask(client));
    keys.reply = () => ({ body: setOf(client) });
    assert.equal((await s.ask(client)).status, 200);
  });

  test('many assertions at once make one call', async () => {
    keys.reply = () => ({ headers: { 'cache-control': 'no-store' }, body: setOf(client) });
    const answers = await Promise.all(Array.from({ length: 10 }, () => s.ask(client)));
    assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([200]));
    assert.ok(keys.asked.length < 10, `${keys.asked.length} calls`);
  });
});

test('unknown kids do not make the server call at will', async () => {
  const keys = await keyServer();
  const s = await startAuth();
  try {
    const client = signingClient('u-flood', 'system/Observation.rs', 'ES384', { jwks_uri: keys.url });
    await s.register(client.metadata);
    keys.reply = () => ({ headers: { 'cache-control': 'max-age=60' }, body: setOf(client) });
    for (let i = 0; i < 20; i++) refused(await s.ask(client, { head: { kid: `guess-${i}` } }));
    assert.equal(keys.asked.length, 1 + limits.jwksRefetchesPerMinuteMax);
    assert.equal((await s.ask(client)).status, 200);
  } finally {
    await s.stop();
    await keys.stop();
  }
});

describe('where keys may be', () => {
  const cases: [string, { allowPrivateEndpoints: boolean; allowInsecureHttp: boolean }, string][] = [
    ['a loopback address', { allowPrivateEndpoints: false, allowInsecureHttp: true }, '127.0.0.1'],
    ['a name of a loopback address', { allowPrivateEndpoints: false, allowInsecureHttp: true }, 'localhost'],
    ['a mapped loopback address', { allowPrivateEndpoints: false, allowInsecureHttp: true }, '[::ffff:127.0.0.1]'],
    ['a loopback address as a number', { allowPrivateEndpoints: false, allowInsecureHttp: true }, '2130706433'],
    ['http:', { allowPrivateEndpoints: true, allowInsecureHttp: false }, '127.0.0.1'],
  ];
  for (const [name, rules, host] of cases)
    test(`${name} is not called unless it is allowed`, async () => {
      const keys = await keyServer();
      const s = await startAuth(rules);
      try {
        const uri = `http://${host}:${keys.port}/keys.json`;
        const client = signingClient('u-closed', 'system/Observation.rs', 'ES384', { jwks_uri: uri });
        await s.register(client.metadata);
        keys.reply = () => ({ body: setOf(client) });
        refused(await s.ask(client, { jwt: assertion(client, s.tokenUrl) }));
        assert.deepEqual(keys.asked, []);
      } finally {
        await s.stop();
        await keys.stop();
      }
    });
});

test('freshness: the client says how long, the age counts, nothing said is a minute', () => {
  const at = (headers: Record<string, string>): number => freshness(headers, Date.parse('2026-01-01T00:00:00Z'));
  assert.equal(at({ 'cache-control': 'max-age=120' }), 120_000);
  assert.equal(at({ 'cache-control': 'public, Max-Age="120"' }), 120_000);
  assert.equal(at({ 'cache-control': 'max-age=120', age: '100' }), 20_000);
  assert.equal(at({ 'cache-control': 'max-age=120', age: '500' }), 0);
  assert.equal(at({ 'cache-control': 'max-age=120, no-store' }), 0);
  assert.equal(at({ 'cache-control': 'no-cache' }), 0);
  assert.equal(at({ expires: 'Thu, 01 Jan 2026 00:00:30 GMT' }), 30_000);
  assert.equal(at({ expires: '0' }), 0);
  assert.equal(at({ 'cache-control': 'max-age=5', expires: 'Thu, 01 Jan 2026 00:00:30 GMT' }), 5_000);
  assert.equal(at({}), 60_000);
});
