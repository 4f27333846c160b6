/** One run of one workload on one server: load, cost, and whether it counts. */
import { type LoadResult, load } from './load.ts';
import type { World } from './population.ts';
import type { Workload } from './workloads.ts';

export interface Sample {
  readonly workload: string;
  readonly server: string;
  readonly unitsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Server CPU, process tree, microseconds a unit. Absent for a server that was not started here. */
  readonly cpuMicros?: number | undefined;
  readonly writtenBytesPerUnit?: number | undefined;
  /** Why the run does not count; empty when it does. */
  readonly invalid: string;
}

/** A 2xx for everything; a refusal or a dropped connection makes the run worthless. */
function invalidReason(result: LoadResult): string {
  const bad = Object.entries(result.statuses).filter(([status]) => !status.startsWith('2'));
  if (bad.length > 0) return `answers ${bad.map(([status, n]) => `${status}×${n}`).join(' ')}`;
  if (result.connectionErrors > 0) return `${result.connectionErrors} connections failed`;
  return result.requests === 0 ? 'no request was answered' : '';
}

/** The naive design answers some searches in a second: with many connections the last answers would come minutes late. */
const connectionsFor = (world: World, workload: Workload): number =>
  world.server.name === 'naive' && !workload.writes ? Math.min(4, workload.connections) : workload.connections;

export async function measure(world: World, workload: Workload, seconds: number): Promise<Sample> {
  const connections = connectionsFor(world, workload);
  const next = await workload.prepare(world);
  const { process } = world.server;
  const before = process?.measure();
  const result = await load(world.server.target, { connections, secondsMax: seconds, next });
  const after = process?.measure();
  const units = result.requests * workload.unitsPerRequest;
  if (workload.writes) world.stored += units;
  return {
    workload: workload.id,
    server: world.server.name,
    unitsPerSecond: units / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    cpuMicros: before && after ? ((after.cpuSeconds - before.cpuSeconds) * 1e6) / units : undefined,
    writtenBytesPerUnit:
      before && after && workload.writes ? (after.writtenBytes - before.writtenBytes) / units : undefined,
    invalid: invalidReason(result),
  };
}

export interface Summary {
  readonly workload: string;
  readonly server: string;
  readonly runs: number;
  readonly unitsPerSecond: number;
  /** Lowest and highest run. */
  readonly spread: readonly [number, number];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros?: number | undefined;
  readonly writtenBytesPerUnit?: number | undefined;
  readonly invalid: readonly string[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const medianOf = (samples: readonly Sample[], of: (s: Sample) => number | undefined): number | undefined => {
  const values = samples.map(of).filter((v): v is number => v !== undefined);
  return values.length === 0 ? undefined : median(values);
};

/** Medians over the runs that count. */
export function summarise(samples: readonly Sample[]): Summary[] {
  const groups = Map.groupBy(samples, (s) => `${s.workload} ${s.server}`);
  return [...groups.values()].map((all) => {
    const good = all.filter((s) => s.invalid === '');
    const rates = good.map((s) => s.unitsPerSecond);
    const first = all[0] as Sample;
    return {
      workload: first.workload,
      server: first.server,
      runs: good.length,
      unitsPerSecond: median(rates),
      spread: [Math.min(...rates), Math.max(...rates)],
      p50Ms: median(good.map((s) => s.p50Ms)),
      p99Ms: median(good.map((s) => s.p99Ms)),
      cpuMicros: medianOf(good, (s) => s.cpuMicros),
      writtenBytesPerUnit: medianOf(good, (s) => s.writtenBytesPerUnit),
      invalid: all.filter((s) => s.invalid !== '').map((s) => s.invalid),
    };
  });
}
