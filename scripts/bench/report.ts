/** The table for people. The same numbers go into a JSON file for machines. */
import type { Account } from './account.ts';
import type { DiskCeiling } from './ceilings/disk.ts';
import { exponent, type Rung, type Start } from './growth.ts';
import type { Summary } from './measure.ts';
import type { Delivery } from './notifications.ts';
import { WORKLOADS } from './workloads.ts';

export interface Ceilings extends DiskCeiling {
  readonly getPerSecond: number;
  readonly postPerSecond: number;
}

export interface Report {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly load: readonly number[];
    readonly pinned: boolean;
  };
  readonly quick: boolean;
  readonly ceilings?: Ceilings | undefined;
  readonly summaries: readonly Summary[];
  readonly deliveries: readonly Delivery[];
  readonly rungs: readonly Rung[];
  readonly starts: Readonly<Record<string, Start>>;
  readonly account?: Account | undefined;
}

const n = (value: number | undefined, digits = 0): string =>
  value === undefined || !Number.isFinite(value)
    ? '–'
    : value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
const mb = (bytes: number): string => `${n(bytes / 2 ** 20)} MB`;

const CEILING: Readonly<Record<string, 'getPerSecond' | 'postPerSecond'>> = {
  W0: 'getPerSecond',
  W1: 'postPerSecond',
  W3: 'postPerSecond',
  W5: 'getPerSecond',
};

function rowOf(report: Report, s: Summary): string {
  const workload = WORKLOADS.find((w) => w.id === s.workload);
  const naive = report.summaries.find((x) => x.workload === s.workload && x.server === 'naive');
  const ceiling =
    report.ceilings && CEILING[s.workload] ? report.ceilings[CEILING[s.workload] as 'getPerSecond'] : undefined;
  const cells = [
    s.workload,
    workload?.name,
    s.server,
    `${n(s.unitsPerSecond)} ${workload?.unit}/s`,
    `${n(s.spread[0])}–${n(s.spread[1])}`,
    n(s.p50Ms, 1),
    n(s.p99Ms, 1),
    n(s.cpuMicros, 1),
    n(s.writtenBytesPerUnit),
    ceiling ? n(s.unitsPerSecond / ceiling, 2) : '–',
    naive && s.server !== 'naive' ? `${n(s.unitsPerSecond / naive.unitsPerSecond, 1)}×` : '–',
    s.invalid.length > 0 ? `${s.invalid.length} runs do not count: ${s.invalid[0]}` : `${s.runs}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

export function table(report: Report): string {
  const { machine, ceilings } = report;
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load before ${machine.load.map((l) => n(l, 2)).join(' ')}, ${machine.pinned ? 'server on core 0, generator on the last core' : 'not pinned'}${report.quick ? ', quick' : ''}`,
    '',
  ];
  if (ceilings)
    lines.push(
      `Ceilings: node:http GET ${n(ceilings.getPerSecond)}/s, POST with parse and synced append ${n(ceilings.postPerSecond)}/s, fdatasync p50 ${n(ceilings.fdatasyncP50Ms, 2)} ms p99 ${n(ceilings.fdatasyncP99Ms, 2)} ms, SQLite append ${n(ceilings.sqliteRowsPerSecond)} rows/s (100 a transaction)`,
      '',
    );
  if (report.summaries.length > 0)
    lines.push(
      '| | workload | server | median | runs from–to | p50 ms | p99 ms | CPU µs/unit | written B/unit | of the ceiling | against naive | runs |',
      '|---|---|---|---:|---|---:|---:|---:|---:|---:|---:|---|',
      ...report.summaries.map((s) => rowOf(report, s)),
      '',
    );
  for (const d of report.deliveries)
    lines.push(
      `W9 ${n(d.subscriptions)} subscriptions, ${d.events} events: answer → subscriber p50 ${n(d.p50Ms, 1)} ms, p99 ${n(d.p99Ms, 1)} ms${d.problems.length > 0 ? ` — does not count: ${d.problems.join('; ')}` : ''}`,
    );
  lines.push(...growthLines(report.rungs));
  for (const [name, s] of Object.entries(report.starts))
    lines.push(`W12 start, ${name}: ${n(s.readyMs)} ms to "listening", ${mb(s.residentBytes)} resident`);
  if (report.account)
    lines.push(
      `Accounting: ${report.account.holds ? 'holds' : `DOES NOT HOLD, the runs do not count: ${report.account.problems.join('; ')}`} (${report.account.compared} reads compared byte by byte)`,
    );
  return lines.join('\n');
}

function growthLines(rungs: readonly Rung[]): string[] {
  if (rungs.length === 0) return [];
  const lines = rungs.map((r) => {
    const parts = r.samples.map(
      (s) =>
        `${s.workload} ${n(s.unitsPerSecond)}/s ${n(s.cpuMicros, 1)} µs p99 ${n(s.p99Ms, 1)} ms${s.invalid ? ` (${s.invalid})` : ''}`,
    );
    return `W10 ${n(r.observations)} Observations: filled at ${n(r.fillPerSecond)}/s, ${n(r.bytesPerObservation)} B each on disk, ${mb(r.residentBytes)} resident; ${parts.join('; ')}`;
  });
  if (rungs.length > 1)
    for (const id of ['W2', 'W5', 'W6']) {
      const points = rungs.flatMap((r) =>
        r.samples
          .filter((s) => s.workload === id && s.cpuMicros !== undefined)
          .map((s) => [r.observations, s.cpuMicros as number] as const),
      );
      if (points.length > 1) lines.push(`W10 growth exponent of ${id} (CPU a unit): ${n(exponent(points), 3)}`);
    }
  return lines;
}
