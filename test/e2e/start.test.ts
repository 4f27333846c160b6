/** What stops a start does so in one clear sentence; what is started stops when asked. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { FhirClient, testClient } from '../support/client.ts';
import { folder, Program, TestServer } from '../support/process.ts';
import { ADMIN, seedOf } from '../support/ward.ts';

async function refused(t: TestContext, env: Record<string, string>, names: readonly RegExp[]): Promise<string> {
  const program = new Program(['serve'], { PORT: '0', DATA_DIR: join(folder(t), 'data'), ...env });
  t.after(() => program.stop('SIGKILL'));
  const code = await program.ended;
  assert.ok(typeof code === 'number' && code > 0, `a non-zero exit, not ${code}`);
  assert.ok(!program.out.includes('"listening"'));
  assert.doesNotMatch(program.log, /^\s+at .+:\d+:\d+\)?$/m, 'a sentence, not a stack trace');
  for (const name of names) assert.match(program.log, name);
  return program.log;
}

test('a DATA_DIR that cannot be made, or is a file, ends the start by name', async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, 'file'), '');
  await refused(t, { DATA_DIR: join(dir, 'no', 'parent', 'data') }, [/DATA_DIR/]);
  await refused(t, { DATA_DIR: join(dir, 'file') }, [/DATA_DIR/]);
  await refused(t, { DATA_DIR: join(dir, 'file', 'below') }, [/DATA_DIR/]);
  await refused(t, { DATA_DIR: '/proc/vitalwire' }, [/DATA_DIR/]);
});

test('a port in use ends the start by its number', async (t) => {
  const server = await TestServer.start(t);
  await refused(t, { PORT: String(server.port) }, [new RegExp(String(server.port))]);
});

test('a broken SEED_FILE lists every mistake and leaves nothing behind', async (t) => {
  const dir = folder(t);
  const file = join(dir, 'seed.json');
  const good = testClient('good', ADMIN);
  writeFileSync(
    file,
    JSON.stringify({
      clients: [good.seed, { client_name: 'without id' }],
      users: [{ username: 'u', password: 'a long password 1', fhirUser: 'nobody at all' }],
      resources: [
        { resourceType: 'Patient', id: 'kept-out' },
        { resourceType: 'Patient' },
        { resourceType: 'Patience', id: 'x' },
        { resourceType: 'Patient', id: 'y', birthDate: 'yesterday' },
      ],
    }),
  );
  const env = { DATA_DIR: join(dir, 'data'), SEED_FILE: file };
  const log = await refused(t, env, [/clients\[1\]/, /users\[0\]/, /resources\[1\]/, /Patience/, /birthDate/]);
  assert.doesNotMatch(log, /clients\[0\]/);
  writeFileSync(file, JSON.stringify({ clients: [good.seed] }));
  const program = new Program(['serve'], { PORT: '0', ...env, ALLOW_INSECURE_HTTP: 'true' });
  t.after(() => program.stop('SIGKILL'));
  const url = await program.listening();
  const token = await new FhirClient(url, good).token();
  const response = await fetch(`${url}/fhir/Patient/kept-out`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(response.status, 404, 'nothing of a broken file was applied');
});

/** Of the file of the embedded store. */
const otherStore = process.env['TEST_E2E_MONGODB_URI'] ? 'the server runs on MongoDB' : false;

test('a store of a newer version is refused and not touched', { skip: otherStore }, async (t) => {
  const server = await TestServer.start(t, {
    seed: seedOf([testClient('a', ADMIN)], [{ resourceType: 'Patient', id: 'p' }]),
  });
  assert.equal(await server.program.stop('SIGTERM'), 0);
  const path = join(server.dir, 'data', 'vitalwire.db');
  assert.ok(existsSync(path));
  const db = new DatabaseSync(path);
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  db.exec(`PRAGMA user_version = ${version + 1}`);
  db.close();
  const before = readFileSync(path);
  await refused(t, { DATA_DIR: join(server.dir, 'data') }, [/newer/i]);
  assert.ok(readFileSync(path).equals(before), 'the file is as it was');
});

test('SIGTERM: an idle connection does not hold it up, a request in flight is answered, exit 0', async (t) => {
  const admin = testClient('admin', ADMIN);
  const server = await TestServer.start(t, { seed: seedOf([admin], []) });
  const token = await new FhirClient(server.base, admin).token();
  const idle = connect(server.port, '127.0.0.1');
  idle.on('error', () => {});
  idle.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(idle, 'data');
  const body = JSON.stringify({ resourceType: 'Patient', active: true });
  const socket = connect(server.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (d) => (answer += d)).on('error', () => {});
  socket.write(
    `POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/fhir+json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
  );
  await new Promise((r) => setTimeout(r, 150));
  server.program.child.kill('SIGTERM');
  await new Promise((r) => setTimeout(r, 150));
  socket.write(body.slice(10));
  const at = Date.now();
  assert.equal(await server.program.ended, 0);
  assert.ok(Date.now() - at < 10_000);
  assert.match(answer, /^HTTP\/1\.1 201/);
});

test('an older Node ends with one clear sentence', async (t) => {
  const old = await olderNode();
  if (old === undefined) return t.skip('no Node older than 24 on PATH');
  const child = spawn(old, [join(import.meta.dirname, '../../bin/vitalwire.js'), 'serve'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (d) => (text += d));
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.match(text, /Node\.js 24/);
  assert.equal(text.trim().split('\n').length, 1);
});

/** The first Node on PATH that is older than 24: what a machine may have before `npm ci` brings the right one. */
async function olderNode(): Promise<string | undefined> {
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(dir, 'node');
    if (!existsSync(path)) continue;
    const probe = spawn(path, ['-v'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let version = '';
    probe.stdout.on('data', (d) => {
      version += d;
    });
    await once(probe, 'close');
    if (/^v(1[89]|2[0-3])\./.test(version)) return path;
  }
  return undefined;
}
