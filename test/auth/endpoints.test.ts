/** The other addresses below /auth: introspection, revocation, discovery, and the doors that are closed. smart.md §1.1, §1.8. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import type { Principal } from '../../src/access/principal.ts';
import { SCOPES } from '../../src/auth/discovery.ts';
import { createLogger } from '../../src/base/log.ts';
import {
  type Answer,
  type AuthServer,
  assertion,
  call,
  type Form,
  JWT_BEARER,
  post,
  type SigningClient,
  signingClient,
  startAuth,
} from '../support/auth.ts';

const SECRET = 'one secret of thirty characters';
const out = signingClient('e-out', 'system/Observation.rs', 'ES384', {
  launch_uris: ['https://app.example/launch'],
});
const other = signingClient('e-other', 'system/*.cruds');

describe('endpoints', () => {
  let s: AuthServer;
  before(async () => {
    s = await startAuth();
    await s.register(out.metadata, other.metadata, {
      client_id: 'e-secret',
      client_secret: SECRET,
      redirect_uris: ['https://app.example/back'],
      scope: 'patient/*.rs',
    });
  });
  after(() => s.stop());

  const signed = (path: string, client: SigningClient, fields: Form): Promise<Answer> =>
    post(`${s.base}/auth/${path}`, {
      client_assertion_type: JWT_BEARER,
      client_assertion: assertion(client, s.tokenUrl),
      ...fields,
    });
  const verify = (token: string): Promise<Principal | undefined> => Promise.resolve(s.auth.verifier.verify(token));

  test('introspection of an own token says what it is; of any other exactly that it is not active', async () => {
    const token = await s.token(out);
    const answer = await signed('introspect', out, { token });
    assert.equal(answer.status, 200);
    assert.equal(answer.json['active'], true);
    assert.equal(answer.json['client_id'], out.id);
    assert.equal(answer.json['scope'], out.scope);
    assert.equal(answer.json['token_type'], 'Bearer');
    assert.ok((answer.json['exp'] as number) > Date.now() / 1000);
    assert.match(answer.headers.get('cache-control') ?? '', /no-store/);
    const inactive = [
      await signed('introspect', other, { token }),
      await signed('introspect', out, { token: 'x'.repeat(43) }),
      await signed('introspect', out, { token: assertion(out, 'x') }),
      await post(`${s.base}/auth/introspect`, { token, client_id: 'e-secret', client_secret: SECRET }),
    ];
    for (const a of inactive) assert.deepEqual([a.status, a.json], [200, { active: false }], a.text);
  });

  test('introspection and revocation want a client that signs in', async () => {
    const token = await s.token(out);
    for (const path of ['introspect', 'revoke']) {
      const none = await post(`${s.base}/auth/${path}`, { token });
      assert.deepEqual([none.status, none.json['error']], [401, 'invalid_client']);
      const wrong = await post(`${s.base}/auth/${path}`, { token, client_id: 'e-secret', client_secret: 'wrong' });
      assert.deepEqual([wrong.status, wrong.json['error']], [401, 'invalid_client']);
    }
    assert.ok(await verify(token));
  });

  test('a client with a secret signs in by basic and by post', async () => {
    const token = await s.token(out);
    const authorization = `Basic ${Buffer.from(`e-secret:${encodeURIComponent(SECRET)}`).toString('base64')}`;
    assert.equal((await post(`${s.base}/auth/introspect`, { token }, { authorization })).status, 200);
    const fields = { token, client_id: 'e-secret', client_secret: SECRET };
    assert.equal((await post(`${s.base}/auth/introspect`, fields)).status, 200);
  });

  test('a revoked token is worth nothing at once, though its verdict was cached', async () => {
    const token = await s.token(out);
    assert.ok(await verify(token));
    assert.ok(!(s.auth.verifier.verify(token) instanceof Promise), 'cached');
    assert.equal((await signed('revoke', out, { token })).status, 200);
    assert.equal(await verify(token), undefined);
    assert.deepEqual((await signed('introspect', out, { token })).json, { active: false });
    assert.equal((await signed('revoke', out, { token })).status, 200);
    for (const unknown of ['unknown', assertion(out, 'x')])
      assert.equal((await signed('revoke', out, { token: unknown })).status, 200);
  });

  test('nobody revokes the token of another client', async () => {
    const token = await s.token(out);
    await signed('revoke', other, { token });
    assert.ok(await verify(token));
  });

  test('jwks: public keys only, RS256 among them', async () => {
    const answer = await call('GET', `${s.base}/auth/jwks`);
    const keys = answer.json['keys'] as Record<string, string>[];
    assert.deepEqual(keys.map((k) => k['alg']).sort(), ['ES256', 'RS256']);
    assert.doesNotMatch(answer.text, /"(d|p|q|dp|dq|qi)":/);
  });

  test('SMART discovery names what is there, with absolute addresses, and claims nothing that needs a user', () => {
    const d = JSON.parse(s.auth.discovery()) as Record<string, unknown>;
    for (const name of [
      'authorization introspection revocation registration management device_authorization token',
    ].flatMap((line) => line.split(' ')))
      assert.ok(String(d[`${name}_endpoint`]).startsWith(`${s.base}/auth/`), name);
    assert.equal(d['jwks_uri'], `${s.base}/auth/jwks`);
    assert.equal(d['user_access_brand_bundle'], `${s.base}/brands`);
    assert.deepEqual(d['grant_types_supported'], ['client_credentials']);
    assert.deepEqual(d['code_challenge_methods_supported'], ['S256']);
    assert.deepEqual(d['token_endpoint_auth_methods_supported'], ['private_key_jwt']);
    assert.deepEqual(d['capabilities'], ['client-confidential-asymmetric', 'permission-v1', 'permission-v2']);
    assert.ok(!('issuer' in d));
  });

  test('every scope that discovery lists is granted', async () => {
    for (const scope of SCOPES) assert.equal((await s.ask(other, { scope })).json['scope'], scope);
  });

  test('the authorization server metadata, by three addresses, whatever Host says', async () => {
    for (const path of [
      '/auth/.well-known/openid-configuration',
      '/auth/.well-known/oauth-authorization-server',
      '/.well-known/oauth-authorization-server/auth',
    ]) {
      const d = JSON.parse(await withHost(`${s.base}${path}`, 'evil.example')) as Record<string, unknown>;
      assert.equal(d['issuer'], `${s.base}/auth`);
      assert.equal(d['token_endpoint'], s.tokenUrl);
      assert.equal(d['end_session_endpoint'], `${s.base}/auth/logout`);
      assert.doesNotMatch(JSON.stringify(d), /evil/);
    }
  });

  test('the brand bundle: a collection whose references lead to its own entries', () => {
    const bundle = JSON.parse(s.auth.brandBundle()) as {
      type: string;
      timestamp: string;
      entry: { fullUrl: string; resource: Record<string, unknown> }[];
    };
    assert.equal(bundle.type, 'collection');
    assert.match(bundle.timestamp, /^\d{4}-.*Z$/);
    const [organization, endpoint] = bundle.entry.map((e) => e.resource);
    const refs = organization?.['endpoint'] as { reference: string }[];
    for (const { reference } of refs) assert.ok(bundle.entry.some((e) => e.fullUrl.endsWith(`/${reference}`)));
    assert.equal(endpoint?.['address'], `${s.base}/fhir`);
    const d = JSON.parse(s.auth.discovery()) as { user_access_brand_identifier: unknown };
    assert.deepEqual([d.user_access_brand_identifier], organization?.['identifier']);
  });

  test('no browser gets a code: the authorize page says so and sends nobody anywhere', async () => {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: 'e-secret',
      redirect_uri: 'https://app.example/back',
      state: 's',
    });
    for (const answer of [
      await call('GET', `${s.base}/auth/authorize?${query}`),
      await post(`${s.base}/auth/authorize`, query),
    ]) {
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.get('location'), null);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
      assert.match(answer.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
      assert.match(answer.headers.get('cache-control') ?? '', /no-store/);
    }
    assert.equal((await call('GET', `${s.base}/auth/authorize/some-interaction`)).status, 404);
  });

  test('registration wants an initial access token, no client has the device grant, sessions end on a page', async () => {
    const register = await call('POST', `${s.base}/auth/register`, {
      headers: { 'content-type': 'application/json', authorization: 'Bearer guessed' },
      body: JSON.stringify({ client_name: 'x', scope: 'system/*.cruds' }),
    });
    assert.deepEqual([register.status, register.json['error']], [401, 'invalid_token']);
    assert.match(register.headers.get('www-authenticate') ?? '', /^Bearer/);
    const device = await signed('device', out, { scope: out.scope });
    assert.deepEqual([device.status, device.json['error']], [400, 'unauthorized_client']);
    for (const path of ['logout', 'manage']) {
      const page = await call('GET', `${s.base}/auth/${path}`);
      assert.equal(page.status, 200);
      assert.match(page.text, /^<!doctype html>/);
    }
  });

  test('what is not in the table is 404, another method 405 with Allow, both JSON', async () => {
    for (const path of [
      '/auth',
      '/auth/',
      '/auth/me',
      '/auth/session/end',
      '/auth/token/',
      '/auth//token',
      '/auth/TOKEN',
    ])
      assert.equal((await call('POST', `${s.base}${path}`)).status, 404, path);
    const wrong = await call('GET', s.tokenUrl);
    assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'POST, OPTIONS']);
    assert.equal((await call('DELETE', `${s.base}/auth/jwks`)).status, 405);
  });

  test('CORS: the token endpoint answers the registered origins of the client only; the preflight is open', async () => {
    const asked = (origin: string) => post(s.tokenUrl, formOf(out), { origin });
    const formOf = (client: SigningClient): Form => ({
      grant_type: 'client_credentials',
      scope: client.scope,
      client_assertion_type: JWT_BEARER,
      client_assertion: assertion(client, s.tokenUrl),
    });
    const own = await asked('https://app.example');
    assert.equal(own.status, 200);
    assert.equal(own.headers.get('access-control-allow-origin'), 'https://app.example');
    for (const origin of ['https://evil.example', 'http://app.example', 'null']) {
      const foreign = await asked(origin);
      assert.equal(foreign.status, 400, origin);
      assert.equal(foreign.headers.get('access-control-allow-origin'), null);
      assert.ok(!('access_token' in foreign.json));
    }
    const preflight = await call('OPTIONS', s.tokenUrl, {
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.status, 204);
    const open = await call('GET', `${s.base}/auth/jwks`, { headers: { origin: 'https://any.example' } });
    assert.equal(open.headers.get('access-control-allow-origin'), 'https://any.example');
  });

  test('a body over the bound of a form is refused', async () => {
    const answer = await post(s.tokenUrl, { grant_type: 'client_credentials', scope: 'x'.repeat(60_000) });
    assert.deepEqual([answer.status, answer.json['error']], [400, 'invalid_request']);
  });

  test('the store holds neither a token nor a jti nor a secret nor a private key', async () => {
    const jti = 'jti-that-must-not-be-stored';
    const answer = await s.ask(out, { claims: { jti } });
    const token = answer.json['access_token'] as string;
    const dump = s.disk.dump();
    for (const secret of [token, jti, SECRET, '"d":', 'PRIVATE KEY']) assert.ok(!dump.includes(secret), secret);
    assert.ok(dump.includes('auth-client-credentials'));
  });
});

/** GET with a Host header of one's own, which fetch does not allow. */
function withHost(url: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host, connection: 'close' } }, (res) => {
      let text = '';
      res.on('data', (part: Buffer) => {
        text += part.toString();
      });
      res.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

test('nothing but our own log is printed, and in it is no token, assertion or secret', async () => {
  const printed: unknown[] = [];
  const kept = { ...console };
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const)
    console[name] = (...args: unknown[]) => void printed.push(args);
  const lines: string[] = [];
  const log = createLogger('silent').child({});
  for (const level of ['info', 'warn', 'error'] as const)
    log[level] = ((...args: unknown[]) => void lines.push(JSON.stringify(args))) as never;
  try {
    const s = await startAuth({ log });
    await s.register(out.metadata);
    const jwt = assertion(out, s.tokenUrl);
    const token = (await s.ask(out, { jwt })).json['access_token'] as string;
    await s.ask(out, { jwt });
    await s.ask(out, { scope: 'system/Patient.r' });
    await post(`${s.base}/auth/introspect`, { token, client_id: 'nobody', client_secret: SECRET });
    await call('GET', `${s.base}/auth/jwks`);
    await s.stop();
    assert.deepEqual(printed, []);
    const all = lines.join('\n');
    assert.match(all, /a client was refused/);
    for (const secret of [token, jwt, SECRET]) assert.ok(!all.includes(secret));
  } finally {
    Object.assign(console, kept);
  }
});
