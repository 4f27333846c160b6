/** Starts the real program as its own process on a free port, kills it, starts it again: what end-to-end tests are made of. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const main = join(import.meta.dirname, '../../src/main.ts');

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** A folder that goes away with the test. */
export function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'vitalwire-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return dir;
}

export class Program {
  readonly child: ChildProcess;
  out = '';
  err = '';
  readonly ended: Promise<number | NodeJS.Signals>;
  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    const { PATH, HOME, TMPDIR } = process.env;
    this.child = spawn(process.execPath, [main, ...args], {
      // Far from UTC on purpose: nothing may depend on the zone of the machine.
      env: { PATH, HOME, TMPDIR, TZ: 'Asia/Kolkata', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (d) => (this.out += d));
    this.child.stderr?.on('data', (d) => (this.err += d));
    this.ended = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  }
  get log(): string {
    return this.out + this.err;
  }
  /** The address of the line "listening"; rejects with the last words when the process ends first. */
  async listening(msMax = 20_000): Promise<string> {
    const end = Date.now() + msMax;
    while (Date.now() < end) {
      const line = this.out.split('\n').find((l) => l.includes('"msg":"listening"'));
      if (line) return (JSON.parse(line) as { url: string }).url;
      if (this.child.exitCode !== null || this.child.signalCode !== null) break;
      await new Promise((r) => setTimeout(r, 20));
    }
    throw new Error(`no line "listening"; last words: ${this.log.trim().split('\n').slice(-3).join(' | ')}`);
  }
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.ended;
  }
}

export interface ServerOptions {
  readonly seed?: unknown;
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that keeps its port and its data over restarts. */
export class TestServer {
  readonly port: number;
  readonly dir: string;
  readonly env: Record<string, string>;
  program: Program;
  private constructor(port: number, dir: string, env: Record<string, string>) {
    this.port = port;
    this.dir = dir;
    this.env = env;
    this.program = new Program(['serve'], env);
  }
  static async start(t: TestContext, options: ServerOptions = {}): Promise<TestServer> {
    const port = await freePort();
    const dir = folder(t);
    const seedFile = join(dir, 'seed.json');
    if (options.seed !== undefined) writeFileSync(seedFile, JSON.stringify(options.seed));
    const server = new TestServer(port, dir, {
      HOST: '127.0.0.1',
      PORT: String(port),
      BASE_URL: `http://127.0.0.1:${port}`,
      DATA_DIR: join(dir, 'data'),
      LOG_LEVEL: 'warn',
      ALLOW_PRIVATE_ENDPOINTS: 'true',
      ALLOW_INSECURE_HTTP: 'true',
      ...(options.seed === undefined ? {} : { SEED_FILE: seedFile }),
      ...storeEnvironment(),
      ...options.env,
      // The line "listening" is of level info.
      ...(options.env?.['LOG_LEVEL'] ? {} : { LOG_LEVEL: 'info' }),
    });
    t.after(() => server.program.stop('SIGKILL'));
    await server.program.listening();
    return server;
  }
  get base(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get fhir(): string {
    return `${this.base}/fhir`;
  }
  /** Ends the process by the signal and starts it again on the same data. */
  async restart(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.program.stop(signal);
    this.program = new Program(['serve'], this.env);
    await this.program.listening();
  }
}

/** End-to-end tests run on the embedded store, or on a database of their own of TEST_E2E_MONGODB_URI. */
function storeEnvironment(): Record<string, string> {
  const uri = process.env['TEST_E2E_MONGODB_URI'];
  if (!uri) return {};
  const url = new URL(uri);
  url.pathname = `/vitalwire_e2e_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
  return { MONGODB_URI: url.href };
}
