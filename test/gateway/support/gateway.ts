/** A gateway in this process with a folder of its own, removed at the end of the test. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { type GatewayConfig, startGateway } from '../../../src/gateway/index.ts';

export function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'vitalwire-gateway-'));
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}

/** Writes a new ES384 key and returns its path. */
export function keyFile(dir: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const path = join(dir, 'key.json');
  writeFileSync(path, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES384' }));
  return path;
}

export interface Status {
  readonly connected: boolean;
  readonly waiting: number;
  readonly oldest: string | null;
  readonly rejected: number;
  readonly skewMs: number | null;
  readonly lastAck: string | null;
}

export interface Running {
  readonly url: string;
  close(): Promise<void>;
  post(body: unknown, adapter?: string, headers?: Record<string, string>): Promise<{ status: number; body: Answer }>;
  status(): Promise<Status>;
}

interface Answer {
  readonly results: { index: number; status: string; issue?: { code: string; details: string } }[];
  readonly issue?: { code: string; details: string };
}

export async function gateway(t: TestContext, serverUrl: string, more: Partial<GatewayConfig> = {}): Promise<Running> {
  const dir = folder(t);
  const config: GatewayConfig = {
    serverUrl,
    clientId: 'gateway-under-test',
    privateKeyFile: keyFile(dir),
    dataDir: join(dir, 'spool'),
    host: '127.0.0.1',
    port: 0,
    spoolMaxMb: 64,
    allowInsecureHttp: true,
    allowPrivateEndpoints: true,
    ...more,
  };
  const running = await startGateway(config, silentLogger, systemClock);
  t.after(() => running.close());
  return {
    ...running,
    async post(body, adapter = 'readings', headers = {}) {
      const response = await fetch(`${running.url}/ingest/${adapter}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Answer };
    },
    status: async () => (await (await fetch(`${running.url}/status`)).json()) as Status,
  };
}

export const reading = (device: string, n: number, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: `${device}-${n}`,
  device: { identifier: [{ system: 'urn:example:serial', value: device }] },
  kind: 'heart-rate',
  time: '2026-05-07T08:00:00Z',
  value: String(60 + n),
  unit: '/min',
  ...more,
});

/** Waits until `condition` holds. @throws when it does not within `ms` */
export async function until(condition: () => boolean | Promise<boolean>, ms = 8_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`it did not happen within ${ms} ms`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
