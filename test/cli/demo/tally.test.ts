import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Child } from '../../../src/cli/demo/child.ts';
import type { EventLine } from '../../../src/cli/demo/ehr.ts';
import { createLink } from '../../../src/cli/demo/link.ts';
import { percentile, Tally } from '../../../src/cli/demo/tally.ts';
import { DEVICES } from '../../../src/cli/demo/ward/patients.ts';
import { createWard, type Message } from '../../../src/cli/demo/ward/ward.ts';

const TIME = '2026-01-01T00:00:00.123Z';
const message = (kinds: readonly string[], time = TIME): Message => ({
  device: DEVICES[0]!,
  readings: kinds.map((kind) => ({ id: kind, device: { identifier: [] }, kind, time, status: ['demo'] })),
});
const event = (code: string, at: number, effective = '2026-01-01T01:00:00.123+01:00'): EventLine => ({
  msg: 'event',
  patient: 'p',
  number: 1,
  at,
  device: `Device/${DEVICES[0]!.id}`,
  effective,
  codes: ['x', code],
});

test('a reading and its Observation are matched by device, moment and code; what is told twice counts once', () => {
  const tally = new Tally();
  tally.sent(message(['oxygen-saturation', 'pulse-rate']), 1000);
  assert.equal(tally.missing, 2);
  assert.equal(tally.told(event('59408-5', 1020)), undefined);
  assert.equal(tally.told(event('59408-5', 1090)), undefined);
  assert.equal(tally.told(event('8867-4', 1040))?.at, 1000);
  assert.equal(tally.told(event('8867-4', 1040, '2026-01-01T00:00:00.124Z')), undefined);
  assert.deepEqual([tally.readings, tally.missing, tally.notified], [2, 0, 4]);
  assert.deepEqual(tally.latency(), { p50: 20, p99: 40 });
});

test('readings under way while the link is cut say nothing about latency, and are not forgotten', () => {
  const tally = new Tally();
  tally.sent(message(['pulse-rate'], '2026-01-01T00:00:00Z'), 900);
  tally.sent(message(['pulse-rate'], '2026-01-01T00:00:01Z'), 1900);
  tally.sent(message(['pulse-rate'], '2026-01-01T00:00:02Z'), 5000);
  tally.cut({ from: 1000, until: 3000 });
  tally.told(event('8867-4', 950, '2026-01-01T00:00:00Z'));
  tally.told(event('8867-4', 3000, '2026-01-01T00:00:01Z'));
  tally.told(event('8867-4', 5010, '2026-01-01T00:00:02Z'));
  assert.deepEqual([tally.throughCut, tally.missing, tally.latency()], [1, 0, { p50: 10, p99: 50 }]);
});

test('percentiles by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual(
    [percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([], 0.5), percentile([7], 0.99)],
    [50, 99, 0, 7],
  );
});

test('a ward measures more than 100 readings in 18 seconds, each device in its own rhythm', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const messages: Message[] = [];
  let now = Date.parse(TIME);
  const ward = createWard({ clock: { now: () => now }, seed: 1, run: 'r', measured: (m) => messages.push(m) });
  ward.start();
  for (let i = 0; i < 360; i++) {
    now += 50;
    t.mock.timers.tick(50);
  }
  ward.stop();
  const readings = messages.flatMap((m) => m.readings);
  assert.ok(readings.length >= 150 && readings.length <= 260, `${readings.length}`);
  assert.equal(new Set(readings.map((r) => r.id)).size, readings.length);
  assert.deepEqual(new Set(messages.map((m) => m.device.id)).size, 12);
  t.mock.timers.tick(10_000);
  assert.equal(messages.flatMap((m) => m.readings).length, readings.length);
});

test('a link that is cut ends connections and refuses new ones until it is mended', async (t) => {
  const server = createServer((_req, res) => res.end('here')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const link = await createLink(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    link.close();
    server.closeAllConnections();
    server.close();
  });
  const get = async (): Promise<string> => (await fetch(link.url)).text();
  assert.equal(await get(), 'here');
  link.cut();
  await assert.rejects(get());
  link.mend();
  assert.equal(await get(), 'here');
});

test('a child that does not start is quoted', async () => {
  let death = '';
  const child = new Child({
    name: 'server',
    program: '../../main.ts',
    args: ['serve', '--no-such-option'],
    env: {},
    onDeath: (s) => (death = s),
  });
  await assert.rejects(child.listening(), /The server did not start\. Its last words:\n.*no-such-option/s);
  assert.match(death, /^The server ended with 2\./);
});
