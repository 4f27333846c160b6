/** A store, the FHIR API without a socket, the subscriptions over both, and receivers over real sockets. */
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Principal } from '../../../src/access/principal.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { type Limits, limits } from '../../../src/base/limits.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createSealer } from '../../../src/base/secret.ts';
import type { RestContext } from '../../../src/rest/context.ts';
import { handle } from '../../../src/rest/router.ts';
import type { Store } from '../../../src/store/store.ts';
import { createSubscriptions, type Subscriptions } from '../../../src/subscriptions/index.ts';
import { BASE, principal } from '../../rest/support/bench.ts';
import { openStore } from './open-store.ts';

const IG = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-';
const TOPIC = 'https://w3id.org/vitalwire/SubscriptionTopic/';

export const admin = principal('system/*.cruds', { clientId: 'admin' });
export const ehr = principal('system/Subscription.cruds system/Observation.rs', { clientId: 'ehr' });
export const other = principal('system/Subscription.cruds system/Observation.rs', { clientId: 'other' });

export type Json = Record<string, unknown> & { id: string; status: string; meta: { versionId: string } };
interface Part {
  readonly name: string;
  readonly part?: readonly Part[];
  readonly valueString?: string;
  readonly valueCode?: string;
  readonly valueReference?: { readonly reference: string };
}

export interface Told {
  readonly id: string;
  readonly type: string | undefined;
  readonly status: string | undefined;
  readonly total: string | undefined;
  readonly events: readonly { readonly n: number; readonly focus: string | undefined }[];
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
  /** What it was answered with. */
  readonly answer: number;
  readonly at: number;
}

/** Reads a notification, or what an operation answered. */
export function readBundle(text: string): Pick<Told, 'id' | 'type' | 'status' | 'total' | 'events'> {
  const bundle = JSON.parse(text) as { id: string; entry?: { resource?: { parameter?: Part[] } }[] };
  const parameters = bundle.entry?.[0]?.resource?.parameter ?? [];
  const of = (list: readonly Part[], name: string): Part | undefined => list.find((p) => p.name === name);
  return {
    id: bundle.id,
    type: of(parameters, 'type')?.valueCode,
    status: of(parameters, 'status')?.valueCode,
    total: of(parameters, 'events-since-subscription-start')?.valueString,
    events: parameters
      .filter((p) => p.name === 'notification-event')
      .map((p) => ({
        n: Number(of(p.part ?? [], 'event-number')?.valueString),
        focus: of(p.part ?? [], 'focus')
          ?.valueReference?.reference.split('/')
          .at(-1),
      })),
  };
}

export interface Hook {
  readonly url: string;
  readonly got: Told[];
  /** Events of notifications that were taken, in order of arrival. */
  events(): { n: number; focus: string | undefined }[];
  close(): Promise<void>;
}

export async function listen(reply: (told: Told) => number | Promise<number> = () => 200): Promise<Hook> {
  const got: Told[] = [];
  const server = createServer((req, res) => {
    let text = '';
    req.setEncoding('utf8');
    req.on('data', (part: string) => {
      text += part;
    });
    req.on('end', async () => {
      const told = { ...readBundle(text), text, headers: req.headers, answer: 0, at: Date.now() };
      const answer = await reply(told);
      got.push({ ...told, answer });
      res.writeHead(answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    got,
    events: () => got.filter((t) => t.answer < 300 && t.type === 'event-notification').flatMap((t) => t.events),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export async function until(what: string, condition: () => unknown, msMax = 5000): Promise<void> {
  const end = Date.now() + msMax;
  while (!(await condition())) {
    if (Date.now() > end) assert.fail(`not within ${msMax} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const ext = (name: string, value: object) => ({ url: IG + name, ...value });
interface Asked {
  readonly topic?: string;
  readonly filters?: readonly string[];
  readonly content?: string;
  readonly header?: readonly string[];
  readonly heartbeat?: number;
  readonly maxCount?: number;
  readonly over?: object;
}
export const subscription = (endpoint: string, asked: Asked = {}): Record<string, unknown> => ({
  resourceType: 'Subscription',
  status: 'requested',
  reason: 'test',
  criteria: TOPIC + (asked.topic ?? 'new-reading'),
  ...(asked.filters?.length
    ? { _criteria: { extension: asked.filters.map((valueString) => ext('filter-criteria', { valueString })) } }
    : {}),
  channel: {
    type: 'rest-hook',
    endpoint,
    payload: 'application/fhir+json',
    _payload: { extension: [ext('payload-content', { valueCode: asked.content ?? 'id-only' })] },
    ...(asked.header ? { header: asked.header } : {}),
    extension: [
      ...(asked.heartbeat ? [ext('heartbeat-period', { valueUnsignedInt: asked.heartbeat })] : []),
      ext('max-count', { valuePositiveInt: asked.maxCount ?? 20 }),
    ],
  },
  ...asked.over,
});

export const reading = (patient = 'p1', over: object = {}): Record<string, unknown> => ({
  resourceType: 'Observation',
  status: 'final',
  category: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: '2026-05-04T06:07:08Z',
  valueQuantity: { value: 66, unit: 'beats/min', system: 'http://unitsofmeasure.org', code: '/min' },
  ...over,
});

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: Json;
}

export class World {
  readonly store: Store;
  readonly bounds: Limits;
  readonly disabled = new Set<string>();
  subscriptions!: Subscriptions;
  /** Every process that there was, dead ones too. */
  readonly #all: Subscriptions[] = [];
  #ctx!: RestContext;

  private constructor(store: Store, bounds: Limits) {
    this.store = store;
    this.bounds = bounds;
  }

  static async open(store: Store, over: Partial<Limits> = {}): Promise<World> {
    const world = new World(store, { ...limits, ...over });
    await world.boot();
    return world;
  }

  /** A new process on the same store. */
  async boot(): Promise<void> {
    const options = { store: this.store, clock: systemClock, log: silentLogger, limits: this.bounds, base: BASE };
    this.subscriptions = await createSubscriptions({
      ...options,
      baseUrl: BASE.replace('/fhir', ''),
      sealer: createSealer(new Uint8Array(32).fill(5)),
      allowPrivateEndpoints: true,
      allowInsecureHttp: true,
      clientEnabled: async (id) => !this.disabled.has(id),
    });
    this.#all.push(this.subscriptions);
    this.#ctx = {
      ...options,
      baseUrl: BASE.replace('/fhir', ''),
      secret: Buffer.alloc(32, 7),
      rules: this.subscriptions.rules,
      operations: this.subscriptions.operations,
      topics: this.subscriptions.topics,
      smart: {},
    };
    this.subscriptions.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((subscriptions) => subscriptions.stop()));
  }

  async send(method: string, url: string, body?: object, as: Principal = admin): Promise<Answer> {
    const [path = '', query = ''] = url.split('?', 2);
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'content-type': 'application/fhir+json' };
    const answer = await handle(this.#ctx, { method, path: `/${path}`, query, headers, body: text }, as);
    return { status: answer.status, text: answer.body ?? '', json: JSON.parse(answer.body || '{}') as Json };
  }

  async create(resource: Record<string, unknown>, as: Principal = admin): Promise<Json> {
    const answer = await this.send('POST', String(resource['resourceType']), resource, as);
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
  }

  async status(id: string): Promise<string> {
    return (await this.send('GET', `Subscription/${id}`)).json.status;
  }

  /** Sets the status as the client does: with what it is shown. */
  async put(id: string, change: object, as: Principal = ehr): Promise<Answer> {
    const { json } = await this.send('GET', `Subscription/${id}`, undefined, as);
    return this.send('PUT', `Subscription/${id}`, { ...json, ...change }, as);
  }

  async is(id: string, status: string, msMax?: number): Promise<void> {
    await until(`Subscription/${id} is ${status}`, async () => (await this.status(id)) === status, msMax);
  }

  async subscribe(endpoint: string, asked: Asked = {}, as: Principal = ehr): Promise<Json> {
    const made = await this.create(subscription(endpoint, { filters: ['patient=p1'], ...asked }), as);
    await this.is(made.id, 'active');
    return made;
  }
}

/** Runs `work` with a world that goes away again, in the order in which a server is shut down. */
export async function withWorld(
  t: TestContext,
  work: (world: World, hook: typeof listen) => Promise<void>,
  over: Partial<Limits> = {},
): Promise<void> {
  const hooks: Hook[] = [];
  const { store, remove } = await openStore();
  const world = await World.open(store, over);
  t.after(async () => {
    await world.stop();
    await Promise.all(hooks.map((hook) => hook.close()));
    await remove();
  });
  await work(world, async (reply) => {
    const hook = await listen(reply);
    hooks.push(hook);
    return hook;
  });
}
