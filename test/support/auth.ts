/** The authorization server on a real socket over documents in memory, and clients that sign their own assertions by hand. */
import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clientDoc, validateClient } from '../../src/auth/clients.ts';
import { type Auth, createAuth } from '../../src/auth/index.ts';
import { systemClock } from '../../src/base/clock.ts';
import { type Limits, limits } from '../../src/base/limits.ts';
import { type Logger, silentLogger } from '../../src/base/log.ts';
import { createSealer, type Sealer } from '../../src/base/secret.ts';
import type { Store } from '../../src/store/store.ts';
import { createDocDisk, type DocDisk } from './doc-store.ts';

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';

const CURVE: Readonly<Record<string, string>> = { ES384: 'P-384', ES256: 'P-256' };

export interface SigningClient {
  readonly id: string;
  readonly scope: string;
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export function signingClient(
  id: string,
  scope: string,
  alg = 'ES384',
  more: Record<string, unknown> = {},
): SigningClient {
  const { publicKey, privateKey } =
    alg === 'RS384'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: CURVE[alg] as string });
  const kid = `${id}-key`;
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  const keys = 'jwks_uri' in more ? {} : { jwks: { keys: [publicJwk] } };
  const metadata = { client_id: id, client_name: id, grant_types: ['client_credentials'], scope, ...keys, ...more };
  return { id, scope, alg, kid, privateKey, publicJwk, metadata };
}

type Claims = Readonly<Record<string, unknown>>;
const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A signed assertion; what is undefined in `claims` or `head` is left out. */
export function assertion(client: SigningClient, aud: unknown, claims: Claims = {}, head: Claims = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: client.alg, typ: 'JWT', kid: client.kid, ...head };
  const payload = { iss: client.id, sub: client.id, aud, exp: now + 200, iat: now, jti: randomUUID(), ...claims };
  const input = `${b64(header)}.${b64(payload)}`;
  if (header.alg === 'none') return `${input}.`;
  if (header.alg === 'HS256') {
    const secret = JSON.stringify(client.publicJwk);
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  }
  const digest = client.alg === 'ES256' ? 'sha256' : 'sha384';
  const key = { key: client.privateKey, dsaEncoding: 'ieee-p1363' as const };
  return `${input}.${sign(digest, Buffer.from(input), key).toString('base64url')}`;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export async function call(method: string, url: string, init: RequestInit = {}): Promise<Answer> {
  // A server of a test may come back on the same port: no connection outlives its answer.
  const headers = { ...(init.headers as Record<string, string>), connection: 'close' };
  const response = await fetch(url, { redirect: 'manual', ...init, method, headers });
  const text = await response.text();
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not JSON: the test looks at the text.
  }
  return { status: response.status, headers: response.headers, text, json };
}

export type Form = Readonly<Record<string, string | undefined>>;
export const form = (fields: Form): URLSearchParams =>
  new URLSearchParams(Object.entries(fields).filter((e): e is [string, string] => e[1] !== undefined));

export const post = (
  url: string,
  fields: Form | URLSearchParams,
  headers: Record<string, string> = {},
): Promise<Answer> => call('POST', url, { body: fields instanceof URLSearchParams ? fields : form(fields), headers });

export interface AuthServer {
  readonly base: string;
  readonly tokenUrl: string;
  readonly auth: Auth;
  readonly store: Store;
  readonly sealer: Sealer;
  readonly disk: DocDisk;
  /** Registers clients as the seed does. */
  register(...metadata: unknown[]): Promise<void>;
  /** Asks for a token as a client that follows the rules, but for what is said otherwise. */
  ask(
    client: SigningClient,
    how?: { scope?: string; form?: Form; claims?: Claims; head?: Claims; jwt?: string },
  ): Promise<Answer>;
  token(client: SigningClient, scope?: string): Promise<string>;
  stop(): Promise<void>;
}

export interface AuthServerOptions {
  readonly disk?: DocDisk;
  readonly allowPrivateEndpoints?: boolean;
  readonly allowInsecureHttp?: boolean;
  readonly limits?: Partial<Limits>;
  readonly log?: Logger;
  readonly port?: number;
}

const SECRET_KEY = Buffer.alloc(32, 7);

export async function startAuth(options: AuthServerOptions = {}): Promise<AuthServer> {
  const disk = options.disk ?? createDocDisk();
  const store = disk.open(systemClock);
  const sealer = createSealer(SECRET_KEY);
  let auth: Auth | undefined;
  const server = await listen((req, res) => auth?.handler(req, res), options.port);
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  auth = await createAuth({
    store,
    clock: systemClock,
    log: options.log ?? silentLogger,
    limits: { ...limits, ...options.limits },
    baseUrl: base,
    sealer,
    allowPrivateEndpoints: options.allowPrivateEndpoints ?? true,
    allowInsecureHttp: options.allowInsecureHttp ?? true,
  });
  const running = auth;
  const tokenUrl = `${base}/auth/token`;
  const ask: AuthServer['ask'] = (client, { scope = client.scope, form: over, claims, head, jwt } = {}) =>
    post(tokenUrl, {
      grant_type: 'client_credentials',
      scope,
      client_assertion_type: JWT_BEARER,
      client_assertion: jwt ?? assertion(client, tokenUrl, claims, head),
      ...over,
    });
  return {
    base,
    tokenUrl,
    auth: running,
    store,
    sealer,
    disk,
    async register(...metadata) {
      const docs = metadata.map((m) => {
        const { client, mistakes } = validateClient(m, 'client');
        if (!client) throw new Error(mistakes.join('\n'));
        return clientDoc(client, sealer);
      });
      await store.commit({ docs });
      running.refresh();
    },
    ask,
    async token(client, scope) {
      const answer = await ask(client, scope === undefined ? {} : { scope });
      if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text}`);
      return answer.json['access_token'] as string;
    },
    async stop() {
      await running.close();
      await store.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(handler: (req: IncomingMessage, res: never) => void, port = 0): Promise<Server> {
  const server = createServer(handler as never);
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

export interface KeyServer {
  readonly url: string;
  readonly port: number;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  reply: (path: string) => { status?: number; headers?: Record<string, string>; body?: string };
  stop(): Promise<void>;
}

/** Where a client publishes its keys. */
export async function keyServer(): Promise<KeyServer> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    const { status = 200, headers = {}, body = '' } = self.reply(req.url ?? '');
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const self: KeyServer = {
    url: `http://127.0.0.1:${port}/keys.json`,
    port,
    asked,
    reply: () => ({ body: '{"keys":[]}' }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return self;
}
