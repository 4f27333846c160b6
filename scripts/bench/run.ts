/**
 * `npm run bench`: the machine's ceilings first, then the naive design and Vitalwire interleaved, medians of at least five runs.
 * A run counts only when every answer was 2xx and the accounting holds. `docs/performance.md` says how to read it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { account, compareSearches } from './account.ts';
import { diskCeiling } from './ceilings/disk.ts';
import { climb, startOn } from './growth.ts';
import { load, requestBytes } from './load.ts';
import { measure, type Sample, summarise } from './measure.ts';
import { deliver } from './notifications.ts';
import { fill, populate, type World } from './population.ts';
import { pinned, pinSelf } from './processes.ts';
import { type Ceilings, type Report, table } from './report.ts';
import { otherServer, type Server, startBare, startNaive, startVitalwire } from './servers.ts';
import { WORKLOADS, type Workload } from './workloads.ts';

const { values: option } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    runs: { type: 'string' },
    seconds: { type: 'string' },
    patients: { type: 'string' },
    largest: { type: 'string' },
    against: { type: 'string' },
    token: { type: 'string' },
    profile: { type: 'string' },
    node: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `npm run bench -- [options]
  --quick            one short run of everything, at most 90 s; prints, asserts no time
  --only W1,W5       these workloads (W0 W1 W2 W3 W4 W5 W6 W7 W9 W10 W12)
  --runs 5           runs of each workload; --seconds 8 of each run; --patients 1000
  --largest 1000000  Observations of the last rung of W10
  --against URL      drives W0 and W3 to W7 against that FHIR base too, in the same run; --token TOKEN for it
  --profile DIR      writes a CPU profile of Vitalwire into DIR
  --node ARGUMENTS   arguments of Node for Vitalwire, to compare
  --json FILE        the same numbers for machines`;

const quick = option.quick;
const runs = Number(option.runs ?? (quick ? 1 : 5));
const seconds = Number(option.seconds ?? (quick ? 1.2 : 8));
const patients = Number(option.patients ?? (quick ? 200 : 1000));
const largest = Number(option.largest ?? (quick ? 20_000 : 1_000_000));
const only = option.only?.split(',');
const wanted = (id: string): boolean => only === undefined || only.includes(id);
const root = mkdtempSync(join(tmpdir(), 'vitalwire-bench-'));
const say = (text: string): void => console.error(text);

async function ceilings(): Promise<Ceilings> {
  const disk = diskCeiling(join(root, 'disk'), quick ? 1 : 5);
  const bare = await startBare(join(root, 'bare'));
  const headers = { host: new URL(bare.url).host, 'content-type': 'application/json' };
  const get = requestBytes('GET', '/', headers);
  const post = requestBytes('POST', '/', headers, JSON.stringify({ filler: 'x'.repeat(1100) }));
  const rate = async (bytes: Buffer, connections: number): Promise<number> => {
    const each: number[] = [];
    for (let run = 0; run < Math.min(runs, 3); run++)
      each.push((await load(bare.target, { connections, secondsMax: seconds, next: () => bytes })).perSecond);
    return each.sort((a, b) => a - b)[Math.floor(each.length / 2)] as number;
  };
  const result = { ...disk, getPerSecond: await rate(get, 32), postPerSecond: await rate(post, 64) };
  await bare.stop();
  return result;
}

/** Naive and ours take turns, A-B-B-A, so that a slow minute of the machine hits both. */
async function interleaved(worlds: readonly World[], workload: Workload, samples: Sample[]): Promise<string[]> {
  const asked = worlds.filter((w) => workload.on.includes(w.server.name));
  for (const world of asked) if (world.stored < stored(workload)) await fill(world, stored(workload));
  const problems =
    workload.unit === 'searches' || workload.unit === 'pages' ? await compareSearches(asked, workload) : [];
  for (const world of asked) await measure(world, workload, Math.min(2, seconds / 2));
  for (let run = 0; run < runs; run++) {
    for (const world of run % 2 === 0 ? asked : [...asked].reverse()) {
      const sample = await measure(world, workload, seconds);
      samples.push(sample);
      say(
        `${workload.id} ${world.server.name} run ${run + 1}: ${Math.round(sample.unitsPerSecond)} ${workload.unit}/s p99 ${sample.p99Ms.toFixed(1)} ms ${sample.cpuMicros?.toFixed(1) ?? '–'} µs ${sample.invalid}`,
      );
    }
  }
  return problems;
}

const stored = (workload: Workload): number => (quick ? Math.min(workload.stored, 10_000) : workload.stored);

async function main(): Promise<Report> {
  pinSelf();
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.versions.node,
    load: loadavg(),
    pinned,
  };
  const top = only === undefined || only.some((id) => /^W[0-7]$/.test(id)) ? await ceilings() : undefined;
  const servers: Server[] = [];
  const samples: Sample[] = [];
  const report: Report = { machine, quick, ceilings: top, summaries: [], deliveries: [], rungs: [], starts: {} };
  const own = await startVitalwire(join(root, 'own'), { profileDir: option.profile, node: option.node });
  servers.push(own);
  const asked = WORKLOADS.filter((w) => wanted(w.id));
  if (asked.some((w) => w.on.includes('naive'))) servers.push(await startNaive(join(root, 'naive')));
  if (option.against) servers.push(otherServer(option.against, option.token));
  const worlds: World[] = [];
  for (const server of servers) worlds.push(await populate(server, patients, quick ? 20_000 : 100_000));
  const world = worlds[0] as World;
  const deliveries = [];
  const problems: string[] = [];
  try {
    // Reads come first: they say how fast 100,000 are, not how fast what the writes left behind is.
    for (const workload of [...asked].sort((a, b) => Number(a.writes) - Number(b.writes)))
      problems.push(...(await interleaved(worlds, workload, samples)));
    if (wanted('W9')) {
      deliveries.push(await deliver(world, 1, quick ? 50 : 500, 50));
      deliveries.push(await deliver(world, quick ? 100 : 1000, quick ? 50 : 500, 50));
    }
    const counted = await account(world, quick ? 100 : 1000, problems);
    for (const server of servers) await server.stop();
    const { rungs, starts } = await growthAndStart();
    return { ...report, summaries: summarise(samples), deliveries, rungs, starts, account: counted };
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function growthAndStart(): Promise<Pick<Report, 'rungs' | 'starts'>> {
  if (!wanted('W10') && !wanted('W12')) return { rungs: [], starts: {} };
  const dir = join(root, 'growth');
  const starts: Record<string, Awaited<ReturnType<typeof startOn>>> = {};
  if (wanted('W12')) starts['empty'] = await startOn((n) => join(root, `empty-${n}`));
  const server = await startVitalwire(dir, { node: option.node });
  const world = await populate(server, quick ? 200 : 10_000, largest);
  const rungs = await climb(
    world,
    [10_000, 100_000, 1_000_000].filter((r) => r <= largest || r === 10_000),
    Math.min(seconds, 5),
  );
  await server.process?.stop();
  if (wanted('W12'))
    starts[`${world.stored.toLocaleString('en-US')} Observations`] = await startOn(() => join(dir, 'data'));
  return { rungs, starts };
}

if (option.help) console.log(HELP);
else {
  try {
    const report = await main();
    if (option.json) writeFileSync(option.json, `${JSON.stringify(report, null, 2)}\n`);
    console.log(table(report));
    if (report.account && !report.account.holds) process.exitCode = 1;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
