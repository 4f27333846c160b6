import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { createQueue, type QueueBatch } from '../../src/gateway/queue.ts';
import { SqliteSpool } from '../../src/gateway/spool.ts';
import { folder } from './support/gateway.ts';

const NOW = 1_000_000_000;
const OLD = NOW - limits.gatewayLiveMsMax - 1;

async function filled(
  t: Parameters<typeof folder>[0],
  items: readonly { device: string; n: number; received: number; adapter?: string; body?: string }[],
) {
  const spool = new SqliteSpool(folder(t), Buffer.alloc(32, 1), 2 ** 28);
  t.after(() => spool.close());
  await spool.append(
    items.map(({ device, n, received, adapter = 'readings', body }) => ({
      adapter,
      device,
      received,
      body: body ?? JSON.stringify(`${device}${n}`),
    })),
  );
  return { spool, queue: createQueue(spool, () => 0.5) };
}
const names = (batch: QueueBatch | undefined): unknown[] | undefined => batch?.items.map((i) => JSON.parse(i.body));

test('a device has one batch in flight, others go beside it, and a batch that failed comes again in its place', async (t) => {
  const { spool, queue } = await filled(t, [{ device: 'a', n: 1, received: NOW }]);
  const first = queue.next(NOW);
  assert.deepEqual(names(first), ['a1']);
  queue.added(
    await spool.append([
      { adapter: 'readings', device: 'a', received: NOW, body: '"a2"' },
      { adapter: 'readings', device: 'b', received: NOW, body: '"b1"' },
    ]),
  );
  const second = queue.next(NOW);
  assert.deepEqual(names(second), ['b1']);
  assert.equal(queue.next(NOW), undefined);
  queue.done(first!, []);
  assert.deepEqual(names(queue.next(NOW)), ['a1', 'a2']);
});

test('what is live goes first, what is old is not forgotten: four to one', async (t) => {
  const old = Array.from({ length: 3 }, (_, n) => ({ device: `old${n}-`, n: 1, received: OLD - 10 + n }));
  const { spool, queue } = await filled(t, old);
  const order: string[] = [];
  for (let round = 0; round < 10; round++) {
    queue.added(await spool.append([{ adapter: 'readings', device: 'live', received: NOW, body: '"live"' }]));
    const batch = queue.next(NOW) as QueueBatch;
    order.push(names(batch)?.includes('live') ? 'live' : 'backlog');
    const seqs = batch.items.map((i) => i.seq);
    spool.settle(seqs, [], NOW);
    queue.done(batch, seqs);
  }
  assert.deepEqual(order.slice(0, 6), ['live', 'live', 'live', 'live', 'backlog', 'live']);
});

test('a batch has one adapter, at most 500 items and about 1 MiB, in the order of arrival', async (t) => {
  const items = Array.from({ length: 1200 }, (_, n) => ({ device: `d${n % 4}-`, n, received: NOW + n }));
  const { queue } = await filled(t, [...items, { device: 'g', n: 1, received: NOW, adapter: 'gatt' }]);
  const batch = queue.next(NOW) as QueueBatch;
  assert.equal(batch.items.length, 500);
  assert.deepEqual(
    batch.items.map((i) => i.seq),
    batch.items.map((i) => i.seq).sort((a, b) => a - b),
  );
  assert.deepEqual([batch.adapter, queue.next(NOW)?.adapter], ['readings', 'gatt']);
  const large = await filled(
    t,
    Array.from({ length: 5 }, (_, n) => ({ device: 'x', n, received: NOW, body: JSON.stringify('x'.repeat(400_000)) })),
  );
  assert.equal(large.queue.next(NOW)?.items.length, 2);
});

test('a device on which the server broke travels alone, in ever smaller parts, after a pause', async (t) => {
  const { queue } = await filled(
    t,
    [1, 2, 3, 4].flatMap((n) => [
      { device: 'a', n, received: NOW },
      { device: 'b', n, received: NOW },
    ]),
  );
  const both = queue.next(NOW) as QueueBatch;
  assert.equal(both.devices.length, 2);
  queue.faulted(both, NOW);
  queue.done(both, []);
  assert.equal(queue.next(NOW), undefined);
  const later = queue.wakeAt() as number;
  assert.ok(later > NOW && later <= NOW + 1000);
  const alone = queue.next(later) as QueueBatch;
  assert.equal(alone.devices.length, 1);
  queue.faulted(alone, later);
  queue.done(alone, []);
  assert.equal((queue.next(later) as QueueBatch).devices.length, 1);
});
