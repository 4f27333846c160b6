/** A SMART Backend Services client as an outsider would write it: jsonwebtoken for the assertion, fhir-kit-client for the rest. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { Client } from 'fhir-kit-client';
import jwt from 'jsonwebtoken';

const CURVE = { ES384: 'P-384', ES256: 'P-256' } as const;

export interface TestClient {
  readonly clientId: string;
  readonly scope: string;
  readonly key: KeyObject;
  readonly kid: string;
  readonly alg: 'ES384' | 'ES256';
  /** Its private key as a JWK, for PRIVATE_KEY_FILE. */
  readonly privateJwk: Record<string, unknown>;
  /** Its entry in SEED_FILE. */
  readonly seed: Record<string, unknown>;
}

export function testClient(clientId: string, scope: string, alg: 'ES384' | 'ES256' = 'ES384'): TestClient {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE[alg] });
  const kid = `${clientId}-key`;
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  return {
    clientId,
    scope,
    key: privateKey,
    kid,
    alg,
    privateJwk: { ...privateKey.export({ format: 'jwk' }), kid, alg },
    seed: {
      client_id: clientId,
      client_name: clientId,
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
      scope,
    },
  };
}

export async function accessToken(baseUrl: string, client: TestClient, scope = client.scope): Promise<string> {
  const discovery = (await (await fetch(`${baseUrl}/fhir/.well-known/smart-configuration`)).json()) as {
    token_endpoint: string;
  };
  const assertion = jwt.sign({}, client.key, {
    algorithm: client.alg as jwt.Algorithm,
    keyid: client.kid,
    issuer: client.clientId,
    subject: client.clientId,
    audience: discovery.token_endpoint,
    expiresIn: 120,
    jwtid: randomUUID(),
  });
  const response = await fetch(discovery.token_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  });
  const answer = (await response.json()) as { access_token?: string };
  if (!answer.access_token)
    throw new Error(`no token for ${client.clientId}: ${response.status} ${JSON.stringify(answer)}`);
  return answer.access_token;
}

/** A fhir-kit-client with a token that is renewed every few minutes. */
export class FhirClient {
  readonly baseUrl: string;
  readonly client: TestClient;
  private kit: InstanceType<typeof Client> | undefined;
  private since = 0;
  private bearer = '';
  constructor(baseUrl: string, client: TestClient) {
    this.baseUrl = baseUrl;
    this.client = client;
  }
  async use(): Promise<InstanceType<typeof Client>> {
    if (!this.kit || Date.now() - this.since > 200_000) {
      this.kit = new Client({ baseUrl: `${this.baseUrl}/fhir` });
      this.bearer = await accessToken(this.baseUrl, this.client);
      this.kit.bearerToken = this.bearer;
      this.since = Date.now();
    }
    return this.kit;
  }
  async token(): Promise<string> {
    await this.use();
    return this.bearer;
  }
}
