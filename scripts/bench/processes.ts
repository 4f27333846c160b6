/** Processes that are measured: started on a core of their own where the system allows it, their cost read from /proc. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const TICKS_PER_SECOND = 100;

const pins = ((): boolean => {
  try {
    execFileSync('taskset', ['-c', '0', 'true'], { stdio: 'ignore' });
    return availableParallelism() > 1;
  } catch {
    return false;
  }
})();

export const pinned = pins;

/** Pins this process, the load generator, to the last core; the servers have core 0. */
export function pinSelf(): void {
  if (pins)
    execFileSync('taskset', ['-cp', String(availableParallelism() - 1), String(process.pid)], { stdio: 'ignore' });
}

export interface Measured {
  readonly cpuSeconds: number;
  readonly writtenBytes: number;
  readonly residentPeakBytes: number;
}

export class ServerProcess {
  readonly child: ChildProcess;
  readonly url: Promise<string>;
  private out = '';
  constructor(
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    nodeArgs: readonly string[] = [],
  ) {
    const command = [...(pins ? ['taskset', '-c', '0'] : []), process.execPath, ...nodeArgs, file, ...args];
    this.child = spawn(command[0] as string, command.slice(1), {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr?.on('data', (d) => (this.out += d));
    this.url = new Promise((resolve, reject) => {
      let listening = false;
      this.child.stdout?.on('data', (d) => {
        this.out = (this.out + d).slice(-20_000);
        if (listening) return;
        const line = this.out.split('\n').find((l) => l.includes('"msg":"listening"') && l.endsWith('}'));
        if (!line) return;
        listening = true;
        resolve((JSON.parse(line) as { url: string }).url);
      });
      this.child.on('close', (code) => reject(new Error(`the server ended with ${code}: ${this.out.slice(-400)}`)));
    });
  }
  get pid(): number {
    return this.child.pid as number;
  }
  measure(): Measured {
    let ticks = 0;
    let written = 0;
    let peak = 0;
    for (const pid of tree(this.pid)) {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        ticks += Number(fields[11]) + Number(fields[12]);
        written += Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
        peak += Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
      } catch {
        // The process ended meanwhile.
      }
    }
    return { cpuSeconds: ticks / TICKS_PER_SECOND, writtenBytes: written, residentPeakBytes: peak };
  }
  /** Resident memory now, in bytes. */
  resident(): number {
    return tree(this.pid).reduce(
      (sum, pid) =>
        sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024,
      0,
    );
  }
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.url.catch(() => {});
    this.child.kill(signal);
    await once(this.child, 'close');
  }
}

function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // The process ended meanwhile.
    }
  }
  const found = [root];
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i] as number) ?? []));
  return found;
}
