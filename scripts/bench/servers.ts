/** What is driven: Vitalwire, the naive design, the bare ceilings, or any other FHIR server by its address. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import type { Target } from './load.ts';
import { ServerProcess } from './processes.ts';

const here = import.meta.dirname;
const TOKEN_SECONDS_USED = 200;

export interface Server {
  readonly name: 'vitalwire' | 'naive' | 'bare' | 'other';
  readonly url: string;
  readonly target: Target;
  /** Path before `/Observation`. */
  readonly fhirPath: string;
  readonly process?: ServerProcess;
  readonly dir?: string;
  headers(type?: string): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

function targetOf(url: string): Target {
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}

const plainHeaders = (host: string, type: string): Record<string, string> => ({
  host,
  accept: 'application/fhir+json',
  'content-type': type,
});

async function spawned(
  name: Server['name'],
  dir: string,
  process: ServerProcess,
  token?: () => Promise<string>,
): Promise<Server> {
  const url = await process.url;
  return {
    name,
    url,
    dir,
    target: targetOf(url),
    fhirPath: '/fhir',
    process,
    async headers(type = 'application/fhir+json') {
      const headers = plainHeaders(new URL(url).host, type);
      return token ? { ...headers, authorization: `Bearer ${await token()}` } : headers;
    },
    async stop() {
      await process.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface OwnKey {
  readonly clientId: string;
  readonly key: KeyObject;
  readonly jwk: Record<string, unknown>;
}

export function ownKey(clientId: string): OwnKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  return {
    clientId,
    key: privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES384', use: 'sig' },
  };
}

/** An access token of the client, asked for again before it ends. */
export function tokenSource(base: () => string, own: OwnKey): () => Promise<string> {
  let token = '';
  let since = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - since < TOKEN_SECONDS_USED * 1000) return token;
    const url = `${base()}/auth/token`;
    const assertion = jwt.sign({}, own.key, {
      algorithm: 'ES384' as jwt.Algorithm,
      keyid: 'bench',
      issuer: own.clientId,
      subject: own.clientId,
      audience: url,
      expiresIn: 120,
      jwtid: randomUUID(),
    });
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/*.cruds',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    const answer = (await (await fetch(url, { method: 'POST', body })).json()) as { access_token?: string };
    if (!answer.access_token) throw new Error(`no token: ${JSON.stringify(answer)}`);
    token = answer.access_token;
    since = performance.now();
    return token;
  };
}

export interface VitalwireOptions {
  readonly profileDir?: string | undefined;
  readonly mongodbUri?: string | undefined;
  /** Arguments of Node itself, e.g. `--max-semi-space-size=32`. */
  readonly node?: string | undefined;
}

export async function startVitalwire(dir: string, options: VitalwireOptions = {}): Promise<Server> {
  mkdirSync(dir, { recursive: true });
  const own = ownKey('bench');
  const seed = {
    clients: [
      {
        client_id: 'bench',
        client_name: 'Benchmark',
        grant_types: ['client_credentials'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [own.jwk] },
        scope: 'system/*.cruds',
      },
    ],
  };
  writeFileSync(join(dir, 'seed.json'), JSON.stringify(seed));
  const env: Record<string, string> = {
    PORT: '0',
    DATA_DIR: join(dir, 'data'),
    SEED_FILE: join(dir, 'seed.json'),
    ALLOW_PRIVATE_ENDPOINTS: 'true',
    ALLOW_INSECURE_HTTP: 'true',
  };
  if (options.mongodbUri) env['MONGODB_URI'] = options.mongodbUri;
  const nodeArgs: string[] = options.profileDir ? ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`] : [];
  if (options.node) nodeArgs.push(...options.node.split(' '));
  const process = new ServerProcess(join(here, '../../bin/vitalwire.js'), ['serve'], env, nodeArgs);
  const url = await process.url;
  return spawned(
    'vitalwire',
    dir,
    process,
    tokenSource(() => url, own),
  );
}

export function startNaive(dir: string): Promise<Server> {
  mkdirSync(dir, { recursive: true });
  return spawned('naive', dir, new ServerProcess(join(here, 'naive/server.ts'), [join(dir, 'naive.db')], {}));
}

export function startBare(dir: string): Promise<Server> {
  mkdirSync(dir, { recursive: true });
  return spawned('bare', dir, new ServerProcess(join(here, 'ceilings/http.ts'), [join(dir, 'bare.log')], {}));
}

/** Any FHIR R4 base address, with or without a bearer token. */
export function otherServer(base: string, token: string | undefined): Server {
  const url = new URL(base.replace(/\/+$/, ''));
  if (url.protocol !== 'http:') throw new Error('--against takes an http: address: TLS would be measured too');
  return {
    name: 'other',
    url: url.origin,
    target: targetOf(url.origin),
    fhirPath: url.pathname === '/' ? '' : url.pathname,
    headers: async (type = 'application/fhir+json') => ({
      ...plainHeaders(url.host, type),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    }),
    stop: async () => {},
  };
}
