/** W0 to W7: what one request of each is. */
import { KINDS, readingText } from './generate/fleet.ts';
import { requestBytes } from './load.ts';
import { nextObservation, observationEntry, someDay, type World } from './population.ts';
import type { Server } from './servers.ts';

export interface Workload {
  readonly id: string;
  readonly name: string;
  readonly connections: number;
  /** What one request counts for, e.g. 100 readings. */
  readonly unitsPerRequest: number;
  readonly unit: string;
  /** Servers that can be asked this. */
  readonly on: readonly Server['name'][];
  /** Observations to store before. */
  readonly stored: number;
  readonly writes: boolean;
  prepare(world: World): Promise<(i: number) => Buffer>;
}

const EVERYONE: readonly Server['name'][] = ['vitalwire', 'naive', 'other'];
const OWN: readonly Server['name'][] = ['vitalwire', 'naive'];
const LOINC = 'http://loinc.org|';

async function gets(world: World, path: () => string): Promise<(i: number) => Buffer> {
  const headers = await world.server.headers();
  delete headers['content-type'];
  return () => requestBytes('GET', `${world.server.fhirPath}${path()}`, headers);
}

async function posts(world: World, path: string, body: () => string, type?: string): Promise<(i: number) => Buffer> {
  const headers = await world.server.headers(type);
  return () => requestBytes('POST', path, headers, body());
}

const latest = (world: World): string => {
  const patient = world.patients[world.random.zipf(world.patients.length)];
  return `/Observation?patient=${patient}&code=${encodeURIComponent(codeFor(world))}&_sort=-date&_count=1`;
};
const codeFor = (world: World): string => LOINC + (KINDS[world.random.below(3)] as (typeof KINDS)[number]).code;
const range = (world: World): string => {
  const { from, to } = someDay(world.random);
  const patient = world.patients[world.random.zipf(world.patients.length)];
  return `/Observation?patient=${patient}&date=${encodeURIComponent(`ge${from}`)}&date=${encodeURIComponent(`lt${to}`)}&_count=50`;
};
const byId = (world: World): string => `/${world.random.pick(world.observations)}`;

/** W7: what the pages of an EHR ask for. */
function mixed(world: World): string {
  const dice = world.random.below(100);
  if (dice < 10) return byId(world);
  if (dice < 50) return latest(world);
  if (dice < 80) return range(world);
  if (dice < 90) return `/Patient?_id=${(world.random.pick(world.patients) as string).split('/')[1]}&_count=1`;
  return `/Observation?patient=${world.random.pick(world.patients)}&_sort=-date&_count=10&_include=Observation:device`;
}

export const WORKLOADS: readonly Workload[] = [
  {
    id: 'W0',
    name: 'read by id',
    connections: 32,
    unitsPerRequest: 1,
    unit: 'reads',
    on: EVERYONE,
    stored: 20_000,
    writes: false,
    prepare: (w) => gets(w, () => byId(w)),
  },
  {
    id: 'W1',
    name: 'one reading a request',
    connections: 64,
    unitsPerRequest: 1,
    unit: 'readings',
    on: OWN,
    stored: 0,
    writes: true,
    prepare: (w) =>
      posts(w, '/ingest/readings', () => `{"readings":[${readingText(w.fleet.next())}]}`, 'application/json'),
  },
  {
    id: 'W2',
    name: '100 readings a request',
    connections: 8,
    unitsPerRequest: 100,
    unit: 'readings',
    on: OWN,
    stored: 0,
    writes: true,
    prepare: (w) =>
      posts(
        w,
        '/ingest/readings',
        () => `{"readings":[${Array.from({ length: 100 }, () => readingText(w.fleet.next())).join(',')}]}`,
        'application/json',
      ),
  },
  {
    id: 'W3',
    name: 'FHIR create',
    connections: 64,
    unitsPerRequest: 1,
    unit: 'Observations',
    on: EVERYONE,
    stored: 0,
    writes: true,
    prepare: (w) => posts(w, `${w.server.fhirPath}/Observation`, () => nextObservation(w)),
  },
  {
    id: 'W4',
    name: 'transaction of 100',
    connections: 8,
    unitsPerRequest: 100,
    unit: 'Observations',
    on: EVERYONE,
    stored: 0,
    writes: true,
    prepare: (w) =>
      posts(
        w,
        w.server.fhirPath || '/',
        () =>
          `{"resourceType":"Bundle","type":"transaction","entry":[${Array.from({ length: 100 }, () => observationEntry(nextObservation(w))).join(',')}]}`,
      ),
  },
  {
    id: 'W5',
    name: 'latest vital sign',
    connections: 32,
    unitsPerRequest: 1,
    unit: 'searches',
    on: EVERYONE,
    stored: 100_000,
    writes: false,
    prepare: (w) => gets(w, () => latest(w)),
  },
  {
    id: 'W6',
    name: '24 h range, 50 entries',
    connections: 16,
    unitsPerRequest: 1,
    unit: 'pages',
    on: EVERYONE,
    stored: 100_000,
    writes: false,
    prepare: (w) => gets(w, () => range(w)),
  },
  {
    id: 'W7',
    name: 'EHR page mix',
    connections: 32,
    unitsPerRequest: 1,
    unit: 'requests',
    on: ['vitalwire', 'other'],
    stored: 100_000,
    writes: false,
    prepare: (w) => gets(w, () => mixed(w)),
  },
];
