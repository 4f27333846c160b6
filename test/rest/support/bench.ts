/** A FHIR API without a socket: tokens are principals, requests are plain data. */
import type { Operation } from '../../../src/access/operation.ts';
import type { Principal } from '../../../src/access/principal.ts';
import { isAdministrator, parseScopes } from '../../../src/access/scopes.ts';
import { limits } from '../../../src/base/limits.ts';
import { silentLogger } from '../../../src/base/log.ts';
import type { RestContext } from '../../../src/rest/context.ts';
import { handle } from '../../../src/rest/router.ts';
import type { WriteRule } from '../../../src/store/rules.ts';
import { type BenchStore, type Engine, openBenchStore } from './store.ts';

export const BASE = 'https://vitalwire.example/fhir';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: Body;
}

/** What tests look at in a body; what is absent is undefined, whatever the type says. */
export interface Body {
  resourceType: string;
  id: string;
  meta: { versionId: string; lastUpdated: string; tag: { code: string }[] };
  type: string;
  total?: number;
  link: { relation: string; url: string }[];
  entry: BodyEntry[];
  issue: { severity: string; code: string; details: { text: string }; expression: string[] }[];
  [name: string]: unknown;
}

export interface BodyEntry {
  fullUrl: string;
  resource: Body;
  search: { mode: string };
  request: { method: string; url: string };
  response: { status: string; location: string; etag: string; lastModified: string; outcome: Body };
}

export interface Sent {
  readonly as?: Principal;
  readonly headers?: Readonly<Record<string, string>>;
}

export function principal(scopeText: string, more: Partial<Principal> = {}): Principal {
  const scopes = parseScopes(scopeText);
  return Object.freeze({ clientId: 'client', scopes, scopeText, admin: isAdministrator(scopes), ...more });
}

export const admin = principal('system/*.cruds', { clientId: 'admin' });

export interface Bench {
  readonly ctx: RestContext;
  readonly store: BenchStore;
  send(method: string, url: string, body?: unknown, how?: Sent): Promise<Answer>;
  get(url: string, how?: Sent): Promise<Answer>;
  post(url: string, body: unknown, how?: Sent): Promise<Answer>;
  put(url: string, body: unknown, how?: Sent): Promise<Answer>;
  patch(url: string, body: unknown, how?: Sent): Promise<Answer>;
  del(url: string, how?: Sent): Promise<Answer>;
  /** Creates as administrator. */
  add(resource: Record<string, unknown>): Promise<Body & { ref: string }>;
}

export interface Making {
  readonly engine?: Engine;
  readonly rules?: readonly WriteRule<Principal>[];
  readonly operations?: readonly Operation[];
  readonly topics?: readonly string[];
  readonly limits?: Partial<typeof limits>;
}

export async function bench(making: Making = {}): Promise<Bench> {
  let at = Date.parse('2026-04-02T10:00:00.000Z');
  const clock = { now: () => (at += 1000) };
  const store = await openBenchStore(clock, BASE, making.engine ?? 'memory');
  const ctx: RestContext = {
    store,
    clock,
    limits: { ...limits, ...making.limits },
    log: silentLogger,
    base: BASE,
    baseUrl: BASE.replace('/fhir', ''),
    secret: Buffer.alloc(32, 7),
    rules: making.rules ?? [],
    operations: making.operations ?? [],
    topics: making.topics ?? [],
    smart: { authorization_endpoint: `${BASE}/authorize`, token_endpoint: `${BASE}/token` },
    version: '1.2.3',
  };
  const send: Bench['send'] = async (method, url, body, { as = admin, headers = {} } = {}) => {
    const at = url.startsWith(BASE) ? url.slice(BASE.length) : url.startsWith('/') ? url : `/${url}`;
    const question = at.indexOf('?');
    const sent = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const type = method === 'PATCH' ? 'application/json-patch+json' : 'application/fhir+json';
    const request = {
      method,
      path: question === -1 ? at : at.slice(0, question),
      query: question === -1 ? '' : at.slice(question + 1),
      headers: { ...(sent === '' ? {} : { 'content-type': type }), ...headers },
      body: sent,
    };
    const { status, headers: back = {}, body: text = '' } = await handle(ctx, request, as);
    return { status, headers: back, text, json: JSON.parse(text || 'null') as Body };
  };
  return {
    ctx,
    store,
    send,
    get: (url, how) => send('GET', url, undefined, how),
    post: (url, body, how) => send('POST', url, body, how),
    put: (url, body, how) => send('PUT', url, body, how),
    patch: (url, body, how) => send('PATCH', url, body, how),
    del: (url, how) => send('DELETE', url, undefined, how),
    async add(resource) {
      const { status, text, json } = await send('POST', resource['resourceType'] as string, resource);
      if (status !== 201) throw new Error(`not created: ${status} ${text}`);
      return { ...json, ref: `${json.resourceType}/${json.id}` };
    },
  };
}

export const patient = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  resourceType: 'Patient',
  active: true,
  ...over,
});

export const heartRate = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  resourceType: 'Observation',
  status: 'final',
  category: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  subject: { reference: 'Patient/nobody' },
  effectiveDateTime: '2026-05-04T06:07:08Z',
  valueQuantity: { value: 66, unit: 'beats/min', system: 'http://unitsofmeasure.org', code: '/min' },
  ...over,
});

/** Ids of the matches of a searchset. */
export const ids = (answer: Answer): string[] =>
  (answer.json.entry ?? []).filter((e) => e.search.mode === 'match').map((e) => e.resource.id);
