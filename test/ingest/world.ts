/** A ward in a test: patients, devices, who wears them, and a gateway that posts. */
import type { Principal } from '../../src/access/principal.ts';
import { parseScopes } from '../../src/access/scopes.ts';
import { limits } from '../../src/base/limits.ts';
import { silentLogger } from '../../src/base/log.ts';
import { createDevices, type Devices } from '../../src/devices/index.ts';
import { extract } from '../../src/fhir/extract.ts';
import { splitResource } from '../../src/fhir/text.ts';
import { createIngest, type Ingest } from '../../src/ingest/index.ts';
import type { ProposedWrite } from '../../src/store/rules.ts';
import type { Batch, Committed, Store } from '../../src/store/store.ts';
import { MemoryStore } from './memory-store.ts';

export const SERIAL = 'urn:example:serial';
export const BASE_URL = 'http://server.example';
export const BASE = `${BASE_URL}/fhir`;
export const NOW = Date.parse('2026-11-25T12:00:00Z');

export function principal(clientId: string, scope: string): Principal {
  const scopes = parseScopes(scope);
  return Object.freeze({ clientId, admin: scope === 'system/*.cruds', scopes, scopeText: scope });
}
export const ADMIN = principal('admin', 'system/*.cruds');
export const GATEWAY = principal('gateway', 'system/Observation.c system/Device.rs');

export interface Result {
  readonly index: number;
  readonly status: string;
  readonly observation?: string[];
  readonly issue?: { code: string; details: string };
  readonly stages?: unknown[];
  readonly resources?: Record<string, unknown>[];
}
type Json = Record<string, unknown>;

export interface Answer<T> {
  readonly status: number;
  readonly json: T;
  readonly text: string;
}

export class Ward {
  readonly clock = { ms: NOW, now: () => this.clock.ms };
  readonly store: Store;
  readonly devices: Devices;
  readonly ingest: Ingest;
  private next = 0;

  constructor(options: { store?: (clock: { now(): number }) => Store; unknownDevice?: 'hold' | 'create' } = {}) {
    this.store = options.store?.(this.clock) ?? new MemoryStore(this.clock).asStore();
    const { store, clock } = this;
    this.devices = createDevices({ store, clock, limits, base: BASE });
    const { devices } = this;
    const unknownDevice = options.unknownDevice ?? 'hold';
    this.ingest = createIngest({
      store,
      devices,
      clock,
      limits,
      log: silentLogger,
      base: BASE,
      baseUrl: BASE_URL,
      unknownDevice,
    });
  }

  get memory(): MemoryStore {
    return this.store as unknown as MemoryStore;
  }

  /** A FHIR write with the rules of the devices room, as the FHIR API does it. @throws what a rule throws. */
  async put(resource: Json, alongside?: ProposedWrite[]): Promise<Committed> {
    return this.write([resource], alongside);
  }

  /** Several in one transaction. */
  async write(resources: readonly Json[], alongside?: ProposedWrite[]): Promise<Committed> {
    const proposed = await Promise.all(resources.map((r) => this.propose(r)));
    const batches: Batch[] = [];
    for (const write of proposed) {
      const rule = this.devices.rules.find((r) => r.type === write.type);
      const outcome = await rule?.check({
        ...write,
        alongside: alongside ?? (proposed.length > 1 ? proposed : undefined),
      });
      const resource = write.resource as Json;
      const { meta, body } = splitResource(write.text);
      batches.push({
        ...outcome?.batch,
        writes: [
          {
            method: write.method,
            draft: { type: write.type, id: write.id, meta, body },
            terms: extract(resource, BASE),
            follows: write.before?.version ?? 0,
          },
        ],
      });
    }
    return this.store.commit({
      writes: batches.flatMap((b) => b.writes ?? []),
      docs: batches.flatMap((b) => b.docs ?? []),
      preconditions: batches.flatMap((b) => b.preconditions ?? []),
      touches: batches.flatMap((b) => b.touches ?? []),
    });
  }

  async propose(resource: Json): Promise<ProposedWrite> {
    const type = String(resource['resourceType']);
    const id = String(resource['id']);
    const before = await this.store.read(type, id);
    return { method: 'PUT', type, id, resource, text: JSON.stringify(resource), ...(before ? { before } : {}) };
  }

  async remove(type: string, id: string): Promise<Committed> {
    const before = await this.store.read(type, id);
    const rule = this.devices.rules.find((r) => r.type === type);
    const outcome = await rule?.check({ method: 'DELETE', type, id, text: '', ...(before ? { before } : {}) });
    return this.store.commit({
      ...outcome?.batch,
      writes: [
        {
          method: 'DELETE',
          draft: { type, id, meta: '', body: '' },
          terms: { token: [], string: [], date: [], number: [], quantity: [], reference: [], uri: [], composite: [] },
          follows: before?.version ?? 0,
        },
      ],
    });
  }

  /** A device with a serial, and a patient who wears it since 2020 unless told otherwise. */
  async device(
    options: { worn?: boolean; identifier?: Json[] } = {},
  ): Promise<{ id: string; serial: string; patient: string }> {
    const n = ++this.next;
    const [id, serial, patient] = [`device-${n}`, `S-${n}`, `patient-${n}`];
    await this.put({
      resourceType: 'Patient',
      id: patient,
      identifier: [{ system: 'urn:example:mrn', value: `MRN-${n}` }],
    });
    await this.put({
      resourceType: 'Device',
      id,
      identifier: options.identifier ?? [{ system: SERIAL, value: serial }],
    });
    if (options.worn ?? true) await this.put(this.use(id, patient));
    return { id, serial, patient };
  }

  use(device: string, patient: string, period: Json = { start: '2020-01-01T00:00:00Z' }, more: Json = {}): Json {
    return {
      resourceType: 'DeviceUseStatement',
      id: `use-${++this.next}`,
      status: 'active',
      device: { reference: `Device/${device}` },
      subject: { reference: `Patient/${patient}` },
      timingPeriod: period,
      ...more,
    };
  }

  reading(serial: string, over: Json = {}): Json {
    return {
      device: { identifier: [{ system: SERIAL, value: serial }] },
      kind: 'heart-rate',
      time: '2026-05-06T07:08:09+02:00',
      value: '71',
      unit: '/min',
      ...over,
    };
  }

  async request<T>(
    method: string,
    path: string,
    body: string,
    as: Principal = GATEWAY,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<Answer<T>> {
    const [where = '', query = ''] = path.split('?');
    const response = await this.ingest.handle({ method, path: where, query, headers, body }, as);
    const text = response.body ?? '';
    return { status: response.status, text, json: JSON.parse(text) as T };
  }

  async post(readings: readonly unknown[], as: Principal = GATEWAY, query = ''): Promise<Result[]> {
    const answer = await this.request<{ results: Result[] }>(
      'POST',
      `/readings${query}`,
      JSON.stringify({ readings }),
      as,
    );
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return answer.json.results;
  }

  async one(reading: unknown, as: Principal = GATEWAY): Promise<Result> {
    const [result] = await this.post([reading], as);
    return result as Result;
  }

  /** The Observation that a result names. */
  async observation(result: Result): Promise<{ json: Json; text: string }> {
    const id = result.observation?.[0]?.split('/')[1];
    const stored = id === undefined ? undefined : await this.store.read('Observation', id);
    if (!stored) throw new Error(`no Observation: ${JSON.stringify(result)}`);
    return { json: JSON.parse(stored.text) as Json, text: stored.text };
  }

  async held(query = '', as: Principal = ADMIN): Promise<Json[]> {
    return (await this.request<{ held: Json[] }>('GET', `/held${query}`, '', as)).json.held;
  }

  async balance(): Promise<Record<string, number>> {
    return (await this.request<Record<string, number>>('GET', '/balance', '', ADMIN)).json;
  }
}
