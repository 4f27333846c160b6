/** The link is cut for a while and the gateway is killed meanwhile: nothing is lost, each device keeps its order. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Bundle, Observation } from 'fhir/r4';
import { FhirClient, testClient } from '../support/client.ts';
import { folder, freePort, Program, TestServer } from '../support/process.ts';
import { ADMIN, GATEWAY, seedOf, wornBy } from '../support/ward.ts';

const SYSTEM = 'urn:example:gateway';

/** A link between gateway and server that can be cut. */
class Link {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  readonly port: number;
  private readonly target: number;
  constructor(port: number, target: number) {
    this.port = port;
    this.target = target;
  }
  async up(): Promise<void> {
    const server = createServer((socket) => {
      const other = connect(this.target, '127.0.0.1');
      for (const s of [socket, other]) {
        this.sockets.add(s);
        s.on('error', () => {}).on('close', () => this.sockets.delete(s));
      }
      socket.pipe(other).pipe(socket);
    });
    this.server = server;
    await new Promise<void>((r) => server.listen(this.port, '127.0.0.1', r));
  }
  cut(): void {
    this.server?.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

async function gatewayStatus(url: string): Promise<{ connected: boolean; waiting: number; rejected: number }> {
  return (await (await fetch(`${url}/status`)).json()) as { connected: boolean; waiting: number; rejected: number };
}

async function until(url: string, waiting: number, msMax: number): Promise<void> {
  const end = Date.now() + msMax;
  for (;;) {
    const status = await gatewayStatus(url);
    if (status.waiting === waiting) return;
    if (Date.now() > end) assert.fail(`waiting ${waiting} not within ${msMax} ms: ${JSON.stringify(status)}`);
    await new Promise((r) => setTimeout(r, 100));
  }
}

test('a cut link and a killed gateway lose nothing', { timeout: 120_000 }, async (t) => {
  const client = testClient('gateway', GATEWAY);
  const admin = testClient('admin', ADMIN);
  const devices = ['a', 'b', 'c'].map((serial) => ({ id: `dev-${serial}`, system: SYSTEM, serial }));
  const link = await freePort();
  const server = await TestServer.start(t, {
    seed: seedOf([client, admin], wornBy('p', devices)),
    // The gateway reaches the server through the link, so that is the address it is known by.
    env: { BASE_URL: `http://127.0.0.1:${link}` },
  });
  const wire = new Link(link, server.port);
  await wire.up();
  t.after(() => wire.cut());
  const dir = folder(t);
  writeFileSync(join(dir, 'key.json'), JSON.stringify(client.privateJwk));
  const env = {
    SERVER_URL: `http://127.0.0.1:${link}`,
    CLIENT_ID: client.clientId,
    PRIVATE_KEY_FILE: join(dir, 'key.json'),
    DATA_DIR: join(dir, 'spool'),
    PORT: String(await freePort()),
    ALLOW_INSECURE_HTTP: 'true',
    ALLOW_PRIVATE_ENDPOINTS: 'true',
  };
  let gateway = new Program(['gateway'], env);
  t.after(() => gateway.stop('SIGKILL'));
  const url = await gateway.listening();

  let n = 0;
  const post = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++, n++) {
      const readings = devices.map((d) => ({
        id: `${d.serial}-${n}`,
        device: { identifier: [{ system: SYSTEM, value: d.serial }] },
        kind: 'heart-rate',
        time: new Date(Date.UTC(2026, 4, 7, 8, 0, n)).toISOString(),
        value: String(60 + (n % 60)),
        unit: '/min',
      }));
      const response = await fetch(`${url}/ingest/readings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ readings }),
      });
      assert.equal(response.status, 202, await response.text());
    }
  };
  await post(20);
  await until(url, 0, 20_000);
  wire.cut();
  await post(40);
  await gateway.stop('SIGKILL');
  gateway = new Program(['gateway'], env);
  assert.equal(await gateway.listening(), url);
  assert.equal((await gatewayStatus(url)).waiting, 120, 'all that was answered 202 is still there');
  await post(20);
  await wire.up();
  await until(url, 0, 60_000);
  assert.equal((await gatewayStatus(url)).rejected, 0);
  await assertComplete(
    server,
    admin,
    devices.map((d) => d.id),
    n,
  );
});

/** Every reading once, and the server heard each device in the order of measurement. */
async function assertComplete(
  server: TestServer,
  admin: ReturnType<typeof testClient>,
  devices: readonly string[],
  n: number,
): Promise<void> {
  // fhir-kit-client and the discovery document use BASE_URL, which is the link.
  const kit = await new FhirClient(server.env['BASE_URL'] as string, admin).use();
  for (const device of devices) {
    const seen: Observation[] = [];
    let page = (await kit.search({
      resourceType: 'Observation',
      searchParams: { device: `Device/${device}`, _sort: '_lastUpdated', _count: '30' },
    })) as unknown as Bundle | undefined;
    while (page) {
      seen.push(...(page.entry ?? []).map((e) => e.resource as Observation));
      page = (await kit.nextPage({ bundle: page as never })) as unknown as Bundle | undefined;
    }
    const times = seen.map((o) => Date.parse(o.effectiveDateTime as string));
    assert.equal(times.length, n, device);
    assert.equal(new Set(times).size, n, `${device}: each once`);
    // Within one request all share a lastUpdated; across requests it only grows.
    const updated = seen.map((o) => o.meta?.lastUpdated as string);
    const byTime = seen.map((_, i) => i).sort((a, b) => (times[a] as number) - (times[b] as number));
    assert.ok(
      byTime.every((at, i) => i === 0 || (updated[at] as string) >= (updated[byTime[i - 1] as number] as string)),
      `${device}: in order`,
    );
  }
}
