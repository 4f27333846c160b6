/** Client assertions from outside: everything that makes one invalid is 401 invalid_client. smart.md §1.5. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setClientEnabled } from '../../src/auth/clients.ts';
import { systemClock } from '../../src/base/clock.ts';
import {
  type Answer,
  type AuthServer,
  assertion,
  call,
  JWT_BEARER,
  post,
  signingClient,
  startAuth,
} from '../support/auth.ts';
import { createDocDisk } from '../support/doc-store.ts';

const now = (): number => Math.floor(Date.now() / 1000);
const out = signingClient('a-out', 'system/Observation.rs');
const other = signingClient('a-other', 'system/Observation.rs');
const rsa = signingClient('a-rsa', 'system/Observation.rs', 'RS384');
const pinned = signingClient('a-pinned', 'system/Observation.rs', 'ES256', {
  token_endpoint_auth_signing_alg: 'ES384',
});

const refused = (answer: Answer): void =>
  assert.deepEqual([answer.status, answer.json['error']], [401, 'invalid_client'], answer.text);

describe('client assertion', () => {
  let s: AuthServer;
  before(async () => {
    s = await startAuth();
    await s.register(out.metadata, other.metadata, rsa.metadata, pinned.metadata);
  });
  after(() => s.stop());

  const claims: Record<string, () => Record<string, unknown>> = {
    'aud of another server': () => ({ aud: 'https://elsewhere.example/token' }),
    'aud the issuer': () => ({ aud: `${s.base}/auth` }),
    'aud a list with the token endpoint and another': () => ({ aud: [s.tokenUrl, 'https://elsewhere.example/token'] }),
    'aud a list of the token endpoint alone': () => ({ aud: [s.tokenUrl] }),
    'aud with a slash more': () => ({ aud: `${s.tokenUrl}/` }),
    'no aud': () => ({ aud: undefined }),
    'iss of another client': () => ({ iss: other.id }),
    'no iss': () => ({ iss: undefined }),
    'sub of another client': () => ({ sub: other.id }),
    'no sub': () => ({ sub: undefined }),
    'iss and sub of another client': () => ({ iss: other.id, sub: other.id }),
    'exp past': () => ({ exp: now() - 120, iat: now() - 300 }),
    'exp in 15 minutes': () => ({ exp: now() + 900 }),
    'exp a little over 5 minutes and the clock skew': () => ({ exp: now() + 300 + 20 }),
    'no exp': () => ({ exp: undefined }),
    'exp a text': () => ({ exp: String(now() + 100) }),
    'nbf ahead': () => ({ nbf: now() + 100 }),
    'no jti': () => ({ jti: undefined }),
    'jti empty': () => ({ jti: '' }),
    'jti a number': () => ({ jti: 7 }),
  };
  for (const [name, make] of Object.entries(claims))
    test(`${name}: refused`, async () => refused(await s.ask(out, { claims: make() })));

  const heads: Record<string, Record<string, unknown>> = {
    'kid unknown': { kid: 'not-registered' },
    'no kid': { kid: undefined },
    'kid empty': { kid: '' },
    'alg none': { alg: 'none' },
    'alg HS256, signed with the public key': { alg: 'HS256' },
    'alg of a key of another kind': { alg: 'RS384' },
    'alg of another curve': { alg: 'ES256' },
    'jku not registered': { jku: 'https://elsewhere.example/jwks' },
    'jku of a client with inline keys': { jku: '' },
    'typ of another kind of token': { typ: 'at+jwt' },
    'crit not understood': { crit: ['exp'] },
  };
  for (const [name, head] of Object.entries(heads))
    test(`${name}: refused`, async () => refused(await s.ask(out, { head })));

  test('the key of another client, an alg that the client did not register: refused', async () => {
    refused(await s.ask(out, { jwt: assertion({ ...out, privateKey: other.privateKey }, s.tokenUrl) }));
    refused(await s.ask(out, { jwt: assertion({ ...out, privateKey: other.privateKey, kid: other.kid }, s.tokenUrl) }));
    refused(await s.ask(pinned));
    refused(await s.ask(rsa, { head: { alg: 'RS256' } }));
  });

  test('no JWT at all, an unknown or missing type, a signature cut off: refused', async () => {
    const jwt = assertion(out, s.tokenUrl);
    refused(await s.ask(out, { jwt: 'rubbish' }));
    refused(await s.ask(out, { jwt: 'a.b.c' }));
    refused(await s.ask(out, { jwt: jwt.slice(0, jwt.lastIndexOf('.') + 1) }));
    refused(await s.ask(out, { form: { client_assertion_type: 'urn:example:other' } }));
    refused(await s.ask(out, { form: { client_assertion_type: undefined } }));
    refused(await s.ask(out, { form: { client_id: other.id } }));
  });

  test('exp five minutes ahead is taken, a typ in small letters or absent too', async () => {
    assert.equal((await s.ask(out, { claims: { exp: now() + 300 } })).status, 200);
    assert.equal((await s.ask(out, { head: { typ: 'jwt' } })).status, 200);
    assert.equal((await s.ask(out, { head: { typ: undefined } })).status, 200);
    assert.equal((await s.ask(out, { form: { client_id: out.id } })).status, 200);
  });

  test('a jti is good once: again, and of twenty at once exactly one', async () => {
    const jwt = assertion(out, s.tokenUrl);
    assert.equal((await s.ask(out, { jwt })).status, 200);
    refused(await s.ask(out, { jwt }));
    const raced = assertion(out, s.tokenUrl);
    const answers = await Promise.all(Array.from({ length: 20 }, () => s.ask(out, { jwt: raced })));
    assert.deepEqual(answers.map((a) => a.status).sort(), [200, ...Array.from({ length: 19 }, () => 401)]);
  });

  test('the same jti of another client is another one, and a refused assertion spends none', async () => {
    const jti = 'shared-by-chance';
    assert.equal((await s.ask(out, { claims: { jti } })).status, 200);
    assert.equal((await s.ask(other, { claims: { jti } })).status, 200);
    const forged = assertion({ ...out, privateKey: other.privateKey }, s.tokenUrl, { jti: 'not-mine' });
    refused(await s.ask(out, { jwt: forged }));
    assert.equal((await s.ask(out, { claims: { jti: 'not-mine' } })).status, 200);
  });

  test('an assertion spent at one endpoint is spent at all', async () => {
    const jwt = assertion(out, s.tokenUrl);
    const token = await s.token(out);
    const fields = { token, client_assertion_type: JWT_BEARER, client_assertion: jwt };
    assert.equal((await post(`${s.base}/auth/introspect`, fields)).status, 200);
    refused(await s.ask(out, { jwt }));
  });

  test('however many assertions fail, nobody is locked out', async () => {
    for (let i = 0; i < 60; i++) refused(await s.ask(out, { jwt: `${assertion(out, s.tokenUrl).slice(0, -4)}AAAA` }));
    assert.equal((await s.ask(out)).status, 200);
  });
});

test('after a crash a used jti stays used, tokens and signing keys live on', async () => {
  const disk = createDocDisk();
  const first = await startAuth({ disk });
  await first.register(out.metadata);
  const jwt = assertion(out, first.tokenUrl);
  assert.equal((await first.ask(out, { jwt })).status, 200);
  const token = await first.token(out);
  const keys = (await call('GET', `${first.base}/auth/jwks`)).text;
  const port = Number(new URL(first.base).port);
  await first.stop();
  const second = await startAuth({ disk, port });
  try {
    refused(await second.ask(out, { jwt }));
    assert.equal((await second.auth.verifier.verify(token))?.clientId, out.id);
    assert.equal((await call('GET', `${second.base}/auth/jwks`)).text, keys);
    assert.equal((await second.ask(out)).status, 200);
  } finally {
    await second.stop();
  }
});

test('a client that another process disables: no new token, and those it has end at once; enabled again it gets new ones', async () => {
  const disk = createDocDisk();
  const s = await startAuth({ disk });
  try {
    await s.register(out.metadata, other.metadata);
    const token = await s.token(out);
    const untouched = await s.token(other);
    assert.ok(await s.auth.verifier.verify(token));
    assert.equal(await s.auth.clientEnabled(out.id), true);
    const commandLine = disk.open(systemClock);
    await setClientEnabled(commandLine, out.id, false);
    assert.equal(await s.auth.verifier.verify(token), undefined);
    assert.equal(await s.auth.clientEnabled(out.id), false);
    refused(await s.ask(out));
    assert.ok(await s.auth.verifier.verify(untouched));
    // The registration written anew, as by a seed, enables nothing.
    await s.register(out.metadata);
    refused(await s.ask(out));
    await setClientEnabled(commandLine, out.id, true);
    assert.ok(await s.auth.verifier.verify(await s.token(out)));
  } finally {
    await s.stop();
  }
});
