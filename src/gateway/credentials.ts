/**
 * Access tokens by SMART Backend Services: discovery through fhir-kit-client, a signed client assertion, one token kept until
 * shortly before it expires. https://hl7.org/fhir/smart-app-launch/backend-services.html
 */
import { randomUUID } from 'node:crypto';
import { Client } from 'fhir-kit-client';
import jsonwebtoken from 'jsonwebtoken';
import { type Dispatcher, request } from 'undici';
import { StartError } from '../base/errors.ts';
import type { SigningKey } from './keys.ts';
import { retryAfterMs } from './retry.ts';
import { type Exchange, Unreachable } from './uplink.ts';

/** Backend Services: an assertion may live 5 minutes at most. */
const ASSERTION_SECONDS = 120;
const RENEW_MS_BEFORE = 20_000;

export interface Credentials {
  /** @throws Unreachable when the server or its token endpoint gives no token now. */
  token(): Promise<string>;
  /** The server did not accept this one. */
  forget(token: string): void;
}

export interface CredentialOptions {
  readonly serverUrl: string;
  readonly clientId: string;
  readonly key: SigningKey;
  /** What is asked for. */
  readonly scope: string;
  readonly dispatcher: Dispatcher;
  /** Milliseconds since 1970 by the server's clock as far as it is known: a gateway without a battery-backed clock still signs in. */
  readonly serverNow: () => number;
  readonly requestMsMax: number;
  readonly heard: (exchange: Exchange) => void;
}

export function createCredentials(options: CredentialOptions): Credentials {
  let held: { token: string; until: number } | undefined;
  let asking: Promise<string> | undefined;
  let endpoint: string | undefined;

  async function ask(): Promise<string> {
    try {
      endpoint ??= await discover(options);
      const granted = await grant(options, endpoint);
      held = { token: granted.token, until: options.serverNow() + granted.seconds * 1000 - RENEW_MS_BEFORE };
      return granted.token;
    } catch (error) {
      // The server may have moved its token endpoint: look again next time.
      endpoint = undefined;
      throw error;
    }
  }
  return {
    token() {
      if (held && options.serverNow() < held.until) return Promise.resolve(held.token);
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    forget(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

/**
 * `.well-known/smart-configuration` itself: the library's `smartAuthMetadata` races it against the CapabilityStatement and takes
 * whichever comes first, also when that one names no token endpoint.
 */
async function discover({ serverUrl, requestMsMax }: CredentialOptions): Promise<string> {
  const client = new Client({ baseUrl: `${serverUrl}/fhir` });
  let found: unknown;
  try {
    const options = { headers: { accept: 'application/json' }, signal: AbortSignal.timeout(requestMsMax) };
    found = (await client.request('.well-known/smart-configuration', { options }))['token_endpoint'];
  } catch (cause) {
    const { response } = cause as { response?: { status: number } };
    throw new Unreachable('SMART discovery failed', response ? { status: response.status, cause } : { cause });
  }
  if (typeof found !== 'string' || !URL.canParse(found))
    throw new Unreachable('the SMART configuration of the server names no token endpoint');
  if (!found.startsWith('https:') && serverUrl.startsWith('https:'))
    throw new Unreachable('the SMART configuration names a token endpoint without encryption');
  return found;
}

async function grant(options: CredentialOptions, endpoint: string): Promise<{ token: string; seconds: number }> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    scope: options.scope,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(options, endpoint),
  });
  const answer = await post(endpoint, form.toString(), options);
  const token = answer.body['access_token'];
  if (answer.status !== 200 || typeof token !== 'string')
    throw new Unreachable(`the token endpoint answered ${answer.status} ${String(answer.body['error'] ?? '')}`.trim(), {
      status: answer.status,
      retryAfterMs: answer.retryAfterMs,
    });
  const seconds = Number(answer.body['expires_in']);
  return { token, seconds: Number.isFinite(seconds) && seconds > 0 ? seconds : 60 };
}

function assertion({ clientId, key, serverNow }: CredentialOptions, endpoint: string): string {
  const now = Math.floor(serverNow() / 1000);
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: endpoint,
    iat: now,
    exp: now + ASSERTION_SECONDS,
    jti: randomUUID(),
  };
  const { algorithm, kid } = key;
  return jsonwebtoken.sign(claims, key.key, {
    algorithm,
    header: { alg: algorithm, typ: 'JWT', ...(kid ? { kid } : {}) },
  });
}

interface TokenAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly retryAfterMs: number | undefined;
}

async function post(endpoint: string, body: string, options: CredentialOptions): Promise<TokenAnswer> {
  const { dispatcher, requestMsMax, heard, serverNow } = options;
  try {
    const {
      statusCode,
      headers,
      body: reply,
    } = await request(endpoint, {
      method: 'POST',
      dispatcher,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body,
      signal: AbortSignal.timeout(requestMsMax),
    });
    const parsed: unknown = await reply.json().catch(() => ({}));
    heard({ status: statusCode, date: headers['date'] });
    return {
      status: statusCode,
      body: typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {},
      retryAfterMs: retryAfterMs(headers['retry-after'], serverNow()),
    };
  } catch (cause) {
    throw new Unreachable('the token endpoint does not answer', { cause });
  }
}

/** One signature at start: a key that cannot sign is the operator's mistake and not a link that is down. @throws StartError */
export function assertCanSign(key: SigningKey): void {
  try {
    jsonwebtoken.sign({ sub: 'start' }, key.key, { algorithm: key.algorithm });
  } catch (cause) {
    throw new StartError(`PRIVATE_KEY_FILE cannot sign ${key.algorithm}: ${(cause as Error).message}.`);
  }
}
