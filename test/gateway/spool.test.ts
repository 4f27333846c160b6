import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StartError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/log.ts';
import { readSpoolKey } from '../../src/gateway/keys.ts';
import { type NewItem, SqliteSpool } from '../../src/gateway/spool.ts';
import { folder } from './support/gateway.ts';

const KEY = Buffer.alloc(32, 7);
const item = (device: string, n: number): NewItem => ({
  adapter: 'readings',
  device,
  received: 1000 + n,
  body: `{"value":"secret-${n}"}`,
});
/** What a crash at this moment would leave: the files as they are, never closed. */
function crashed(dir: string, copy: string): SqliteSpool {
  cpSync(dir, copy, { recursive: true });
  return new SqliteSpool(copy, KEY, 2 ** 20);
}

test('what was appended is on disk before the promise resolves', async (t) => {
  const dir = folder(t);
  const spool = new SqliteSpool(join(dir), KEY, 2 ** 20);
  t.after(() => spool.close());
  const places = await spool.append([item('a', 1), item('b', 2), item('a', 3)]);
  const after = crashed(dir, join(folder(t), 'copy'));
  t.after(() => after.close());
  assert.deepEqual(
    after
      .heads()
      .map((h) => [h.seq, h.count])
      .sort(),
    [
      [1, 2],
      [2, 1],
    ],
  );
  const [first] = places;
  assert.deepEqual(
    after.take(first!.device, 10).map((w) => w.body),
    ['{"value":"secret-1"}', '{"value":"secret-3"}'],
  );
  assert.equal(after.totals().oldest, 1001);
});

test('requests that arrive together share one transaction', async (t) => {
  const spool = new SqliteSpool(folder(t), KEY, 2 ** 20);
  t.after(() => spool.close());
  const all = await Promise.all(Array.from({ length: 50 }, (_, n) => spool.append([item('a', n)])));
  assert.deepEqual(
    all.map(([p]) => p!.seq),
    Array.from({ length: 50 }, (_, n) => n + 1),
  );
  assert.equal(spool.transactions, 1);
});

test('a crash between acked and deleted neither loses nor repeats', async (t) => {
  const dir = folder(t);
  const spool = new SqliteSpool(dir, KEY, 2 ** 20);
  t.after(() => spool.close());
  const [a, b, c] = await spool.append([item('a', 1), item('a', 2), item('a', 3)]);
  spool.settle([a!.seq], [{ seq: b!.seq, code: 'unit.unknown', details: 'x' }], 5000);
  const after = crashed(dir, join(folder(t), 'copy'));
  t.after(() => after.close());
  assert.deepEqual(
    after.heads().map((h) => [h.seq, h.count]),
    [[c!.seq, 1]],
  );
  assert.deepEqual(after.totals(), { waiting: 1, oldest: 1003, rejected: 1, lastAck: 5000 });
});

test('nothing readable is on disk: no value, no device name', async (t) => {
  const dir = folder(t);
  const spool = new SqliteSpool(dir, KEY, 2 ** 20);
  await spool.append([item('serial-4711', 1)]);
  const bytes = readdirSync(dir)
    .map((f) => readFileSync(join(dir, f)).toString('latin1'))
    .join('');
  spool.close();
  assert.ok(bytes.length > 0);
  assert.doesNotMatch(bytes, /secret-1|serial-4711/);
});

test('full: the promise rejects with 507, and there is room again once items are acked', async (t) => {
  const spool = new SqliteSpool(folder(t), KEY, 1000);
  t.after(() => spool.close());
  const [first] = await spool.append([item('a', 1), item('a', 2)]);
  await assert.rejects(spool.append(Array.from({ length: 5 }, (_, n) => item('a', n))), {
    code: 'server.full',
    status: 507,
  });
  spool.settle([first!.seq, first!.seq + 1], [], 1);
  assert.equal((await spool.append([item('a', 3), item('a', 4)])).length, 2);
});

test('a spool is opened by one gateway, with its own key, and never by a new key', (t) => {
  const dir = folder(t);
  const key = readSpoolKey(undefined, dir, silentLogger);
  assert.equal(statSync(join(dir, 'spool.key')).mode & 0o777, 0o600);
  assert.deepEqual(readSpoolKey(undefined, dir, silentLogger), key);
  const spool = new SqliteSpool(dir, key, 2 ** 20);
  assert.throws(() => new SqliteSpool(dir, key, 2 ** 20), StartError);
  spool.close();
  rmSync(join(dir, 'spool.key'));
  assert.throws(() => readSpoolKey(undefined, dir, silentLogger), /spool\.key is missing/);
  assert.ok(!existsSync(join(dir, 'spool.key')));
});

test('a wrong key is told at start', async (t) => {
  const dir = folder(t);
  const spool = new SqliteSpool(dir, KEY, 2 ** 20);
  await spool.append([item('a', 1)]);
  spool.close();
  assert.throws(() => new SqliteSpool(dir, Buffer.alloc(32, 8), 2 ** 20), /another key/);
});
