/** W10: how cost grows with the store, from 10,000 Observations up; and W12: start and memory, empty and full. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { measure, type Sample } from './measure.ts';
import { fill, type World } from './population.ts';
import { ServerProcess } from './processes.ts';
import { WORKLOADS } from './workloads.ts';

export interface Rung {
  readonly observations: number;
  readonly fillPerSecond: number;
  readonly bytesPerObservation: number;
  readonly residentBytes: number;
  readonly samples: readonly Sample[];
}

function bytesOf(dir: string): number {
  return readdirSync(dir, { withFileTypes: true }).reduce(
    (sum, e) => sum + (e.isDirectory() ? bytesOf(join(dir, e.name)) : statSync(join(dir, e.name)).size),
    0,
  );
}

export async function climb(world: World, rungs: readonly number[], seconds: number): Promise<Rung[]> {
  const found: Rung[] = [];
  const asked = WORKLOADS.filter((w) => ['W2', 'W5', 'W6'].includes(w.id));
  // What writes comes last: the reads are to meet as many Observations as the rung says.
  asked.sort((a, b) => Number(a.writes) - Number(b.writes));
  for (const observations of rungs) {
    const before = world.stored;
    const filled = await fill(world, observations);
    const samples: Sample[] = [];
    const dir = join(world.server.dir as string, 'data');
    const bytesPerObservation = bytesOf(dir) / world.stored;
    // Code that is not compiled yet would make the first rung dear and the growth look small.
    if (found.length === 0) for (const reads of asked.filter((w) => !w.writes)) await measure(world, reads, seconds);
    for (const workload of asked) samples.push(await measure(world, workload, seconds));
    found.push({
      observations,
      fillPerSecond: (observations - before) / filled.seconds,
      bytesPerObservation,
      residentBytes: world.server.process?.resident() ?? Number.NaN,
      samples,
    });
  }
  return found;
}

/** Slope of log(cost) over log(size): 0 does not grow, 1 grows with the store. */
export function exponent(points: readonly (readonly [size: number, cost: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const meanX = logs.reduce((s, [x]) => s + x, 0) / logs.length;
  const meanY = logs.reduce((s, [, y]) => s + y, 0) / logs.length;
  const up = logs.reduce((s, [x, y]) => s + (x - meanX) * (y - meanY), 0);
  const down = logs.reduce((s, [x]) => s + (x - meanX) ** 2, 0);
  return up / down;
}

export interface Start {
  readonly readyMs: number;
  readonly residentBytes: number;
}

/** The middle one of three, as a user starts it; each on the folder that `dataDir` names. */
export async function startOn(dataDir: (n: number) => string): Promise<Start> {
  const starts: Start[] = [];
  for (let n = 0; n < 3; n++) {
    const at = performance.now();
    const process = new ServerProcess(join(import.meta.dirname, '../../bin/vitalwire.js'), ['serve'], {
      PORT: '0',
      DATA_DIR: dataDir(n),
    });
    await process.url;
    const readyMs = performance.now() - at;
    await new Promise((r) => setTimeout(r, 1000));
    starts.push({ readyMs, residentBytes: process.resident() });
    await process.stop();
  }
  return starts.sort((x, y) => x.readyMs - y.readyMs)[1] as Start;
}
