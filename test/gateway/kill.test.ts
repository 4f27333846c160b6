/** Promise 1 at the edge: what was answered 202 survives kill -9, by the real process over real sockets. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { folder, keyFile, reading, until } from './support/gateway.ts';
import { standIn } from './support/stand-in.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

function launch(t: TestContext, env: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN, 'gateway'], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    let out = '';
    child.on('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${out}`)));
    child.stdout?.on('data', (part: Buffer) => {
      out += part.toString();
      const url = /"url":"([^"]+)","msg":"listening"/.exec(out)?.[1];
      if (url) resolve({ child, url });
    });
  });
}

/** True when it was acknowledged. */
async function post(url: string, device: string, n: number): Promise<boolean> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ readings: [reading(device, n)] });
  try {
    const response = await fetch(`${url}/ingest/readings`, { method: 'POST', headers, body });
    await response.json();
    return response.status === 202;
  } catch {
    return false;
  }
}

test('three kills while readings come in and the link flickers: every 202 arrives, in the order of its device', async (t) => {
  const server = await standIn();
  t.after(() => server.close());
  let asked = 0;
  // Every other batch is refused for a moment, and some answers are lost after the server has stored.
  server.judge = () => {
    asked++;
    if (asked % 2 === 0)
      return { status: 503, headers: { 'retry-after': '0' }, body: { issue: { code: 'x', details: 'x' } } };
    return asked % 5 === 0 ? { status: 200, drop: true } : undefined;
  };
  const dir = folder(t);
  const env = {
    SERVER_URL: server.url,
    CLIENT_ID: 'g',
    PRIVATE_KEY_FILE: keyFile(dir),
    DATA_DIR: join(dir, 'spool'),
    PORT: '0',
    ALLOW_INSECURE_HTTP: 'true',
  };
  const acknowledged: string[] = [];
  let n = 0;
  let gateway = await launch(t, env);
  for (let life = 0; life < 4; life++) {
    const end = n + 40;
    let gone = false;
    const kill = setTimeout(() => gateway.child.kill('SIGKILL'), life < 3 ? 60 + life * 40 : 1e6);
    while (n < end && !gone) {
      const device = `D${n % 3}`;
      gone = !(await post(gateway.url, device, n));
      if (!gone) acknowledged.push(`${device}-${n}`);
      n++;
    }
    clearTimeout(kill);
    gateway.child.kill('SIGKILL');
    await new Promise((done) =>
      gateway.child.exitCode === null && gateway.child.signalCode === null ? gateway.child.once('exit', done) : done(0),
    );
    if (life < 3) gateway = await launch(t, env);
  }
  gateway = await launch(t, env);
  server.judge = () => undefined;
  const arrived = (): Set<string | undefined> => new Set(server.items().map((i) => i.id));
  await until(() => acknowledged.every((id) => arrived().has(id)), 15_000);
  assert.ok(acknowledged.length >= 43, `${acknowledged.length} acknowledged`);
  for (const d of ['D0', 'D1', 'D2']) {
    const order = [...arrived()].filter((id) => id?.startsWith(`${d}-`)).map((id) => Number(id?.split('-')[1]));
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
      `first arrivals of ${d}`,
    );
  }
});
