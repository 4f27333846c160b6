/** Fills a server: patients with their devices, then Observations; remembers what was stored so that questions hit real data. */
import { END, Fleet, observationText, population, readingText } from './generate/fleet.ts';
import { Random } from './generate/random.ts';
import { load, requestBytes } from './load.ts';
import type { Server } from './servers.ts';

export interface World {
  readonly server: Server;
  readonly fleet: Fleet;
  readonly random: Random;
  /** `Patient/…` and `Device/…` by number. */
  readonly patients: string[];
  readonly devices: string[];
  /** `Observation/…` that are there. */
  readonly observations: string[];
  stored: number;
}

interface TransactionResponse {
  readonly entry?: readonly { readonly response?: { readonly status?: string; readonly location?: string } }[];
}

const placeOf = (location: string | undefined): string =>
  /([A-Z]\w+\/[A-Za-z0-9.-]+)(?:\/_history\/.*)?$/.exec(location ?? '')?.[1] ?? '';

export async function post(
  server: Server,
  path: string,
  body: string,
  type?: string,
): Promise<{ status: number; text: string }> {
  const headers = await server.headers(type);
  const { host: _host, ...rest } = headers;
  const response = await fetch(`${server.url}${path}`, { method: 'POST', headers: rest, body });
  return { status: response.status, text: await response.text() };
}

async function transaction(server: Server, entries: readonly string[]): Promise<string[]> {
  const body = `{"resourceType":"Bundle","type":"transaction","entry":[${entries.join(',')}]}`;
  const { status, text } = await post(server, server.fhirPath || '/', body);
  if (status !== 200) throw new Error(`a transaction was answered ${status}: ${text.slice(0, 300)}`);
  return ((JSON.parse(text) as TransactionResponse).entry ?? []).map((e) => placeOf(e.response?.location));
}

/** Each server names the patients and devices itself, as a stranger would find it. */
export async function populate(server: Server, patients: number, total: number, seed = 1): Promise<World> {
  const world: World = {
    server,
    fleet: new Fleet(seed, patients, total),
    random: new Random(seed + 7),
    patients: [],
    devices: [],
    observations: [],
    stored: 0,
  };
  const resources = [...population(patients)];
  for (let from = 0; from < patients; from += 100) {
    const some = resources
      .slice(from * 3, Math.min(patients, from + 100) * 3)
      .filter((r) => r['resourceType'] !== 'DeviceUseStatement');
    const places = await transaction(
      server,
      some.map(
        ({ id: _id, ...r }) =>
          `{"resource":${JSON.stringify(r)},"request":{"method":"POST","url":"${r['resourceType']}"}}`,
      ),
    );
    places.forEach((place, i) => void (i % 2 === 0 ? world.patients : world.devices).push(place));
  }
  if (server.name === 'vitalwire') await associate(world);
  return world;
}

async function associate(world: World): Promise<void> {
  const uses = world.patients.map((patient, n) =>
    JSON.stringify({
      resource: {
        resourceType: 'DeviceUseStatement',
        status: 'active',
        device: { reference: world.devices[n] },
        subject: { reference: patient },
        timingPeriod: { start: '2020-01-01T00:00:00Z' },
      },
      request: { method: 'POST', url: 'DeviceUseStatement' },
    }),
  );
  for (let from = 0; from < uses.length; from += 200) await transaction(world.server, uses.slice(from, from + 200));
}

export const observationEntry = (text: string): string =>
  `{"resource":${text},"request":{"method":"POST","url":"Observation"}}`;

export function nextObservation(world: World): string {
  const m = world.fleet.next();
  return observationText(m, world.patients[m.patient] as string, world.devices[m.patient] as string);
}

/** Stores until there are `total` Observations: readings in batches where the server takes them, else transactions. */
export async function fill(world: World, total: number): Promise<{ seconds: number }> {
  const { server } = world;
  const at = performance.now();
  const readings = server.name === 'vitalwire';
  const size = readings ? 1000 : 100;
  const headers = await server.headers(readings ? 'application/json' : undefined);
  await load(server.target, {
    connections: 4,
    secondsMax: 3600,
    requestsMax: Math.ceil((total - world.stored) / size),
    next: () =>
      readings
        ? requestBytes(
            'POST',
            '/ingest/readings',
            headers,
            `{"readings":[${Array.from({ length: size }, () => readingText(world.fleet.next())).join(',')}]}`,
          )
        : requestBytes(
            'POST',
            server.fhirPath || '/',
            headers,
            `{"resourceType":"Bundle","type":"transaction","entry":[${Array.from({ length: size }, () => observationEntry(nextObservation(world))).join(',')}]}`,
          ),
    answered: (_i, status, body) => {
      if (status !== 200) throw new Error(`filling was answered ${status}: ${body.slice(0, 300)}`);
      world.stored += size;
      if (world.observations.length < 20_000)
        for (const place of body.matchAll(/Observation\/[A-Za-z0-9.-]+/g)) world.observations.push(place[0]);
    },
  });
  return { seconds: (performance.now() - at) / 1000 };
}

/** A day within the two days that are filled, as the bounds of a range search. */
export function someDay(random: Random): { from: string; to: string } {
  const to = END - random.below(86_400_000);
  return { from: new Date(to - 86_400_000).toISOString(), to: new Date(to).toISOString() };
}
