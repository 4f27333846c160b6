import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  addClient,
  clientDoc,
  listClients,
  rotateClientKeys,
  setClientEnabled,
  validateClient,
} from '../../src/auth/clients.ts';
import { hashSecret, secretMatches } from '../../src/auth/secrets.ts';
import { systemClock } from '../../src/base/clock.ts';
import { StartError } from '../../src/base/errors.ts';
import { createSealer } from '../../src/base/secret.ts';
import { signingClient } from '../support/auth.ts';
import { createDocDisk } from '../support/doc-store.ts';

const key = signingClient('k', 'system/*.cruds').publicJwk;
const good = { client_id: 'good', jwks: { keys: [key] }, scope: 'system/Observation.rs' };
const sealer = createSealer(Buffer.alloc(32, 1));
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });

describe('client metadata', () => {
  test('what kind of client it is follows from what it has', () => {
    const of = (more: object) => validateClient({ client_id: 'x', scope: 'system/*.rs', ...more }, 'c').client;
    const redirects = { redirect_uris: ['https://app.example/back'] };
    assert.deepEqual(
      [of({ jwks: good.jwks })?.method, of({ jwks: good.jwks })?.grantTypes],
      ['private_key_jwt', ['client_credentials']],
    );
    assert.equal(of({ jwks_uri: 'https://app.example/jwks' })?.method, 'private_key_jwt');
    assert.equal(of({ client_secret: 'a'.repeat(32), ...redirects })?.method, 'client_secret_basic');
    assert.equal(of(redirects)?.method, 'none');
    assert.deepEqual(of(redirects)?.grantTypes, ['authorization_code', 'refresh_token']);
    assert.equal(of(redirects)?.native, false);
    assert.equal(of({ redirect_uris: ['http://127.0.0.1/back'] })?.native, true);
    assert.equal(of({ redirect_uris: ['com.example.app:/back'] })?.native, true);
  });

  test('a good one has neither mistakes nor warnings', () => {
    const checked = validateClient({ ...good, client_name: 'Good', contacts: ['a@b.example'] }, 'clients[0]');
    assert.deepEqual([checked.mistakes, checked.warnings], [[], []]);
    assert.deepEqual(
      checked.client?.keys?.map((k) => k.kid),
      [key['kid']],
    );
  });

  const mistakes: Record<string, [object | string | null, RegExp]> = {
    'no object': ['text', /object/],
    null: [null, /object/],
    'no client_id': [{ ...good, client_id: undefined }, /needs a client_id/],
    'a client_id with spaces': [{ ...good, client_id: 'a b' }, /client_id must be/],
    'the code grant without redirect': [{ ...good, grant_types: ['authorization_code'] }, /needs redirect_uris/],
    'nothing to sign in with and nowhere to go': [{ client_id: 'x', scope: 'system/*.rs' }, /needs redirect_uris/],
    'jwks a text': [{ ...good, jwks: 'a text' }, /jwks must be a JWK Set/],
    'jwks empty': [{ ...good, jwks: { keys: [] } }, /jwks must be a JWK Set/],
    'a private key': [
      { ...good, jwks: { keys: [{ ...ec.privateKey.export({ format: 'jwk' }), kid: '1' }] } },
      /keys\[0\] holds private key material/,
    ],
    'a symmetric key': [{ ...good, jwks: { keys: [{ kty: 'oct', k: 'eA', kid: '1' }] } }, /private key material/],
    'a key without kid': [{ ...good, jwks: { keys: [{ ...key, kid: undefined }] } }, /keys\[0\] needs a kid/],
    'two keys of one kid': [{ ...good, jwks: { keys: [key, key] } }, /keys\[1\] has the kid/],
    'a key that is none': [{ ...good, jwks: { keys: [{ ...key, x: 'AA' }] } }, /not a valid public key/],
    'a short RSA key': [{ ...good, jwks: { keys: [{ ...short, kid: '1' }] } }, /1024 bits/],
    'only keys that cannot be used': [
      { ...good, jwks: { keys: [{ kty: 'OKP', kid: '1' }] } },
      /no key that can be used/,
    ],
    'keys twice': [{ ...good, jwks_uri: 'https://x.example/jwks' }, /jwks or jwks_uri, not both/],
    'jwks_uri no address': [{ ...good, jwks: undefined, jwks_uri: 'keys.json' }, /jwks_uri must be/],
    'private_key_jwt without keys': [
      { client_id: 'x', token_endpoint_auth_method: 'private_key_jwt', scope: '' },
      /needs jwks or jwks_uri/,
    ],
    'a secret method without secret': [
      { client_id: 'x', token_endpoint_auth_method: 'client_secret_post', redirect_uris: ['https://x.example/'] },
      /needs a client_secret/,
    ],
    'none with keys': [{ ...good, token_endpoint_auth_method: 'none' }, /but token_endpoint_auth_method none/],
    'a method that is not offered': [{ ...good, token_endpoint_auth_method: 'client_secret_jwt' }, /must be one of/],
    'an alg that is not offered': [{ ...good, token_endpoint_auth_signing_alg: 'RS256' }, /signing_alg must be one of/],
    'a grant that is not known': [{ ...good, grant_types: ['password'] }, /password is not one of/],
    'grants no list': [{ ...good, grant_types: 'client_credentials' }, /must be a list/],
    'an http redirect': [{ ...good, redirect_uris: ['http://app.example/back'] }, /https/],
    'a script redirect': [{ ...good, redirect_uris: ['javascript:alert(1)'] }, /not allowed/],
    'a redirect with fragment': [{ ...good, redirect_uris: ['https://app.example/#x'] }, /fragment/],
    'a scope that is no text': [{ ...good, scope: ['system/*.rs'] }, /scope must be/],
    'an empty secret': [{ client_id: 'x', client_secret: '', redirect_uris: ['https://x.example/'] }, /client_secret/],
  };
  for (const [name, [given, sentence]] of Object.entries(mistakes))
    test(`${name} is a mistake that names the place`, () => {
      const checked = validateClient(given, 'clients[7]');
      assert.equal(checked.client, undefined);
      assert.ok(
        checked.mistakes.every((m) => m.startsWith('clients[7]')),
        checked.mistakes.join('\n'),
      );
      assert.match(checked.mistakes.join('\n'), sentence);
    });

  test('all mistakes are listed at once', () => {
    const { mistakes: all } = validateClient({ jwks: 'x', grant_types: ['x'], redirect_uris: 'x' }, 'c');
    assert.ok(all.length >= 4, all.join('\n'));
  });

  test('what is ignored or never granted is a warning that names it', () => {
    const { client, warnings } = validateClient(
      { ...good, shoe_size: 43, scope: 'system/Observation.sr patient/Patient.r openid system/Patient.r' },
      'c',
    );
    assert.ok(client);
    assert.match(warnings.join('\n'), /shoe_size/);
    assert.match(warnings.join('\n'), /system\/Observation\.sr/);
    assert.match(warnings.join('\n'), /patient\/Patient\.r/);
    assert.doesNotMatch(warnings.join('\n'), /openid|system\/Patient\.r /);
  });
});

describe('clients in the store', () => {
  const open = () => {
    const disk = createDocDisk();
    return { disk, store: disk.open(systemClock) };
  };
  const rejects = (promise: Promise<unknown>, sentence: RegExp) =>
    assert.rejects(promise, (error) => error instanceof StartError && sentence.test(error.message));

  test('added, listed without secrets, disabled and enabled; what is not there is an error', async () => {
    const { disk, store } = open();
    await addClient(store, sealer, good);
    const secret = 'one secret of thirty characters';
    await addClient(store, sealer, {
      client_id: 'b',
      client_secret: secret,
      redirect_uris: ['https://x.example/'],
      scope: '',
    });
    await rejects(addClient(store, sealer, good), /already/);
    await rejects(addClient(store, sealer, {}), /needs a client_id/);
    await setClientEnabled(store, 'b', false);
    const rows = await listClients(store);
    assert.deepEqual(
      rows.map((r) => [r.client_id, r.disabled, r.token_endpoint_auth_method]),
      [
        ['b', true, 'client_secret_basic'],
        ['good', false, 'private_key_jwt'],
      ],
    );
    assert.doesNotMatch(JSON.stringify(rows), /secret"|"d"|sha256/);
    assert.ok(!disk.dump().includes(secret));
    await setClientEnabled(store, 'b', true);
    assert.ok((await listClients(store)).every((r) => !r.disabled));
    await rejects(setClientEnabled(store, 'nobody', false), /no client nobody/);
  });

  test('written again by the seed it stays disabled', async () => {
    const { store } = open();
    const { client } = validateClient(good, 'c');
    await store.commit({ docs: [clientDoc(client!, sealer)] });
    await setClientEnabled(store, 'good', false);
    await store.commit({ docs: [clientDoc({ ...client!, scope: 'system/*.rs' }, sealer)] });
    assert.deepEqual(
      (await listClients(store)).map((r) => [r.scope, r.disabled]),
      [['system/*.rs', true]],
    );
  });

  test('keys are replaced, everything else stays', async () => {
    const { store } = open();
    await addClient(store, sealer, good);
    const next = signingClient('next', '').publicJwk;
    await rotateClientKeys(store, sealer, 'good', { jwks: { keys: [next] } });
    const body = (await store.doc('auth-client', 'good'))?.body ?? '';
    assert.match(body, /next-key/);
    assert.doesNotMatch(body, /k-key/);
    assert.match(body, /system\/Observation\.rs/);
    await rejects(rotateClientKeys(store, sealer, 'good', {}), /needs jwks/);
    await rejects(rotateClientKeys(store, sealer, 'good', { jwks: 'x' }), /JWK Set/);
    await rejects(rotateClientKeys(store, sealer, 'nobody', { jwks: { keys: [next] } }), /no client/);
  });
});

test('secrets: salted, and only the right one matches', () => {
  const hashed = hashSecret('right');
  assert.notEqual(hashed, hashSecret('right'));
  assert.ok(!hashed.includes('right'));
  assert.equal(secretMatches(hashed, 'right'), true);
  for (const wrong of ['wrong', '', 'right ', hashed]) assert.equal(secretMatches(hashed, wrong), false);
  assert.equal(secretMatches('', 'right'), false);
});
