/** The token endpoint from outside: who gets a token, what is in the answer, which scope. smart.md §1.3, §1.6, §1.7. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Principal } from '../../src/access/principal.ts';
import {
  type Answer,
  type AuthServer,
  assertion,
  CATEGORY,
  call,
  form,
  JWT_BEARER,
  post,
  signingClient,
  startAuth,
} from '../support/auth.ts';

const VITAL = `system/Observation.rs?category=${CATEGORY}|vital-signs`;
const c = {
  admin: signingClient('t-admin', 'system/*.cruds'),
  rs384: signingClient('t-rs384', 'system/Observation.rs', 'RS384'),
  es384: signingClient('t-es384', 'system/Observation.rs'),
  es256: signingClient('t-es256', 'system/Observation.rs', 'ES256'),
  v1: signingClient('t-v1', 'system/Observation.read system/Patient.*'),
  granular: signingClient('t-granular', VITAL),
  user: signingClient('t-user', 'patient/Observation.rs user/Observation.rs system/Device.r'),
  coder: signingClient('t-coder', 'system/Observation.rs', 'ES384', {
    grant_types: ['authorization_code'],
    redirect_uris: ['https://app.example/back'],
  }),
};

function refused(answer: Answer, status: number, error: string): void {
  assert.deepEqual([answer.status, answer.json['error']], [status, error], answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.equal(typeof answer.json['error_description'], 'string');
}

describe('token endpoint', () => {
  let s: AuthServer;
  before(async () => {
    s = await startAuth();
    await s.register(...Object.values(c).map((x) => x.metadata), {
      client_id: 't-secret',
      client_secret: 'a secret that is long enough',
      grant_types: ['client_credentials'],
      scope: 'system/Observation.rs',
    });
  });
  after(() => s.stop());

  for (const name of ['rs384', 'es384', 'es256'] as const)
    test(`private_key_jwt with ${c[name].alg} gets a token`, async () => {
      const principal = (await s.auth.verifier.verify(await s.token(c[name]))) as Principal;
      assert.equal(principal.clientId, c[name].id);
      assert.equal(principal.scopeText, 'system/Observation.rs');
      assert.equal(principal.admin, false);
    });

  test('the answer: Bearer, at most 300 s, scope, no refresh token, not to be stored', async () => {
    const answer = await s.ask(c.admin);
    assert.equal(answer.status, 200);
    assert.equal(answer.json['token_type'], 'Bearer');
    assert.equal(answer.json['expires_in'], 300);
    assert.equal(answer.json['scope'], 'system/*.cruds');
    assert.match(answer.json['access_token'] as string, /^[\w-]{43}$/);
    assert.deepEqual(Object.keys(answer.json).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
    assert.match(answer.headers.get('cache-control') ?? '', /no-store/);
    assert.equal(answer.headers.get('pragma'), 'no-cache');
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
    const principal = (await s.auth.verifier.verify(answer.json['access_token'] as string)) as Principal;
    assert.equal(principal.admin, true);
  });

  test('an unknown client, an unknown grant, a grant that the client does not have', async () => {
    refused(await s.ask(signingClient('t-nobody', 'system/*.cruds')), 401, 'invalid_client');
    refused(await s.ask(c.es384, { form: { grant_type: 'urn:example:none' } }), 400, 'unsupported_grant_type');
    refused(
      await s.ask(c.es384, { form: { grant_type: 'authorization_code', code: 'x' } }),
      400,
      'unsupported_grant_type',
    );
    refused(await s.ask(c.es384, { form: { grant_type: 'refresh_token' } }), 400, 'unsupported_grant_type');
    refused(await s.ask(c.coder), 400, 'unauthorized_client');
  });

  test('a client with a secret gets no token for itself, by basic or by post', async () => {
    const fields = { grant_type: 'client_credentials', scope: 'system/Observation.rs' };
    const secret = 'a secret that is long enough';
    refused(
      await post(s.tokenUrl, { ...fields, client_id: 't-secret', client_secret: secret }),
      400,
      'unauthorized_client',
    );
    const authorization = `Basic ${Buffer.from(`t-secret:${encodeURIComponent(secret)}`).toString('base64')}`;
    refused(await post(s.tokenUrl, fields, { authorization }), 400, 'unauthorized_client');
  });

  test('a body that is not a form, a parameter twice, two ways to sign in: invalid_request', async () => {
    const jwt = assertion(c.es384, s.tokenUrl);
    const fields = {
      grant_type: 'client_credentials',
      scope: c.es384.scope,
      client_assertion_type: JWT_BEARER,
      client_assertion: jwt,
    };
    refused(
      await call('POST', s.tokenUrl, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) }),
      400,
      'invalid_request',
    );
    for (const name of ['scope', 'grant_type', 'client_assertion'] as const) {
      const twice = form({ ...fields, client_assertion: assertion(c.es384, s.tokenUrl) });
      twice.append(name, fields[name]);
      refused(await post(s.tokenUrl, twice), 400, 'invalid_request');
    }
    refused(await post(s.tokenUrl, { ...fields, client_secret: 'x' }), 400, 'invalid_request');
    refused(await post(s.tokenUrl, fields, { authorization: 'Basic eDp5' }), 400, 'invalid_request');
  });

  test('no sign-in at all, or by the name only, is invalid_client', async () => {
    const fields = { grant_type: 'client_credentials', scope: c.es384.scope };
    refused(await post(s.tokenUrl, fields), 401, 'invalid_client');
    refused(await post(s.tokenUrl, {}), 401, 'invalid_client');
    refused(await post(s.tokenUrl, { ...fields, client_id: c.es384.id }), 401, 'invalid_client');
    const basic = await post(s.tokenUrl, fields, { authorization: 'Basic bm9ib2R5OndpdGhvdXQ=' });
    refused(basic, 401, 'invalid_client');
    assert.match(basic.headers.get('www-authenticate') ?? '', /^Basic/);
  });

  test('errors are JSON for a browser too', async () => {
    refused(await post(s.tokenUrl, {}, { accept: 'text/html' }), 401, 'invalid_client');
    refused(await call('GET', s.tokenUrl, { headers: { accept: 'text/html' } }), 405, 'invalid_request');
    refused(await call('GET', `${s.base}/auth/nothing`, { headers: { accept: 'text/html' } }), 404, 'not_found');
  });

  describe('scope', () => {
    const wrong: Record<string, string | undefined> = {
      none: undefined,
      empty: '',
      'another type': 'system/Patient.rs',
      'all types': 'system/*.rs',
      'more letters': 'system/Observation.crs',
      'one of a patient': 'patient/Observation.rs',
      'one good and one bad': 'system/Observation.rs system/Patient.rs',
      'letters out of order': 'system/Observation.sr',
      'an unknown type': 'system/Observatory.rs',
      'an unknown restriction': 'system/Observation.rs?colour=red',
      'a modifier': 'system/Observation.rs?code:in=http://x.example/vs',
      'a chain': 'system/Observation.rs?subject.name=x',
      _filter: 'system/Observation.rs?_filter=status%20eq%20final',
      'a value that no search takes': 'system/Observation.rs?date=soon',
      openid: 'openid',
    };
    for (const [name, scope] of Object.entries(wrong))
      test(`${name} is invalid_scope`, async () => {
        refused(
          await s.ask(c.es384, scope === undefined ? { form: { scope: undefined } } : { scope }),
          400,
          'invalid_scope',
        );
      });

    test('scopes of a user are never given to a backend, though registered', async () => {
      refused(await s.ask(c.user, { scope: 'patient/Observation.rs' }), 400, 'invalid_scope');
      refused(await s.ask(c.user, { scope: 'user/Observation.rs' }), 400, 'invalid_scope');
      assert.equal((await s.ask(c.user, { scope: 'system/Device.r' })).status, 200);
    });

    const echoed: [keyof typeof c, string][] = [
      ['v1', 'system/Observation.read'],
      ['v1', 'system/Patient.*'],
      ['v1', 'system/Patient.write system/Observation.rs'],
      ['admin', 'system/*.*'],
      ['admin', 'system/Patient.r'],
      ['es384', 'system/Observation.r'],
      ['es384', VITAL],
      ['es384', `${VITAL} ${VITAL.replace('vital-signs', 'laboratory')}`],
      ['es384', 'system/Observation.rs?code=http%3A%2F%2Floinc.org%7C8867-4&status=final'],
      ['granular', VITAL],
      ['granular', `${VITAL}&status=final`],
    ];
    for (const [name, scope] of echoed)
      test(`${scope} is given as asked`, async () => {
        const answer = await s.ask(c[name], { scope });
        assert.deepEqual([answer.status, answer.json['scope']], [200, scope], answer.text);
      });

    test('a granular registration covers no other restriction and not the whole type', async () => {
      for (const scope of [
        'system/Observation.rs',
        VITAL.replace('vital-signs', 'laboratory'),
        'system/Observation.rs?status=final',
      ])
        refused(await s.ask(c.granular, { scope }), 400, 'invalid_scope');
    });

    test('more scopes than the bound are refused', async () => {
      const scope = Array.from({ length: 201 }, (_, i) => `system/Observation.rs?status=s${i}`).join(' ');
      refused(await s.ask(c.es384, { scope }), 400, 'invalid_scope');
    });
  });

  test('a resource other than the FHIR API is invalid_target', async () => {
    assert.equal((await s.ask(c.es384, { form: { resource: `${s.base}/fhir` } })).status, 200);
    refused(await s.ask(c.es384, { form: { resource: 'https://elsewhere.example/fhir' } }), 400, 'invalid_target');
  });
});
