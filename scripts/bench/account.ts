/**
 * Whether the runs count: all servers find the same, the balance holds, nothing was lost, and a sample of reads gives back the bytes
 * of the write.
 */
import { Random } from './generate/random.ts';
import { load, requestBytes } from './load.ts';
import { nextObservation, type World } from './population.ts';
import type { Workload } from './workloads.ts';

export interface Account {
  readonly holds: boolean;
  readonly problems: readonly string[];
  readonly compared: number;
}

async function get(world: World, path: string): Promise<{ status: number; text: string }> {
  const { host: _host, 'content-type': _type, ...headers } = await world.server.headers();
  const response = await fetch(`${world.server.url}${path}`, { headers });
  return { status: response.status, text: await response.text() };
}

/** Creates some, and compares the answer of the create with that of a read and of a search, byte by byte. */
async function compareReads(world: World, count: number, problems: string[]): Promise<number> {
  const headers = await world.server.headers();
  const created = new Map<string, string>();
  await load(world.server.target, {
    connections: 8,
    secondsMax: 120,
    requestsMax: count,
    next: () =>
      requestBytes(
        'POST',
        `${world.server.fhirPath}/Observation`,
        { ...headers, prefer: 'return=representation' },
        nextObservation(world),
      ),
    answered(_i, status, body) {
      const id = /"id":"([^"]+)"/.exec(body)?.[1];
      if (status === 201 && id) created.set(id, body);
      else problems.push(`a create was answered ${status}`);
    },
  });
  world.stored += created.size;
  let compared = 0;
  for (const [id, text] of created) {
    const read = await get(world, `${world.server.fhirPath}/Observation/${id}`);
    if (read.text !== text) problems.push(`Observation/${id} is read with other bytes than it was written with`);
    compared++;
  }
  return compared;
}

/** Resources in an average answer of a workload; every server is asked the same. */
async function entriesPerAnswer(world: World, workload: Workload, asked: number): Promise<number> {
  const next = await workload.prepare({ ...world, random: new Random(5) });
  let entries = 0;
  await load(world.server.target, {
    connections: 1,
    secondsMax: 60,
    requestsMax: asked,
    next,
    answered(_i, _status, body) {
      entries += body.split('"fullUrl"').length - 1;
    },
  });
  return entries / asked;
}

/** A rate says something only when all find the same: a search that finds nothing is fast. */
export async function compareSearches(worlds: readonly World[], workload: Workload): Promise<string[]> {
  const found = new Map<string, number>();
  for (const world of worlds) found.set(world.server.name, await entriesPerAnswer(world, workload, 200));
  const expected = found.get('vitalwire') ?? 0;
  if (expected === 0) return [`${workload.id}: the searches find nothing`];
  return [...found]
    .filter(([, entries]) => Math.abs(entries / expected - 1) > 0.1)
    .map(
      ([name, entries]) => `${workload.id}: ${entries} entries in an average answer of ${name}, ${expected} in ours`,
    );
}

export async function account(world: World, sample: number, before: readonly string[]): Promise<Account> {
  const problems = [...before];
  const { text } = await get(world, '/ingest/balance');
  const b = JSON.parse(text) as Record<string, number>;
  const sum = (b['stored'] ?? 0) + (b['duplicate'] ?? 0) + (b['held'] ?? 0) + (b['rejected'] ?? 0);
  if (b['received'] !== sum) problems.push(`the balance does not hold: ${text}`);
  const compared = await compareReads(world, sample, problems);
  const total = JSON.parse((await get(world, `${world.server.fhirPath}/Observation?_summary=count`)).text) as {
    total: number;
  };
  if (total.total !== world.stored)
    problems.push(`${world.stored} Observations were acknowledged, ${total.total} are there`);
  return { holds: problems.length === 0, problems: problems.slice(0, 10), compared };
}
