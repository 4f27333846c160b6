/** A Backend Services client of the demo: its key, its seed entry, and tokens for it. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Client } from 'fhir-kit-client';
import { getGlobalDispatcher } from 'undici';
import { systemClock } from '../../base/clock.ts';
import { type Credentials, createCredentials } from '../../gateway/credentials.ts';
import { readSigningKey } from '../../gateway/keys.ts';

export interface DemoClient {
  readonly clientId: string;
  readonly scope: string;
  /** File with the private JWK, readable by this user alone. */
  readonly keyFile: string;
}

/** Makes a key. @returns the client, and its entry for SEED_FILE with the public half */
export function registerClient(
  clientId: string,
  name: string,
  scope: string,
  keyFile: string,
): { client: DemoClient; seed: unknown } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const shared = { kid: `${clientId}-1`, alg: 'ES384', use: 'sig' };
  writeFileSync(keyFile, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...shared }), { mode: 0o600 });
  return {
    client: { clientId, scope, keyFile },
    seed: {
      client_id: clientId,
      client_name: name,
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), ...shared }] },
      scope,
    },
  };
}

export function credentialsOf(serverUrl: string, { clientId, scope, keyFile }: DemoClient): Credentials {
  return createCredentials({
    serverUrl,
    clientId,
    scope,
    key: readSigningKey(keyFile),
    dispatcher: getGlobalDispatcher(),
    serverNow: () => systemClock.now(),
    requestMsMax: 10_000,
    heard: () => undefined,
  });
}

/** A FHIR client that signs in anew when its token is about to expire. */
export function fhirClient(serverUrl: string, credentials: Credentials): () => Promise<Client> {
  return async () => new Client({ baseUrl: `${serverUrl}/fhir`, bearerToken: await credentials.token() });
}
