/** What the writer does besides: expired documents go, the write-ahead log stays short, merges lose nothing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { accessTo, committed, observation, patient, writeOf } from '../../contract/support.ts';
import { openTemporary } from './support.ts';

function countIn(dir: string, sql: string): number {
  const db = new DatabaseSync(join(dir, 'vitalwire.db'), { readOnly: true });
  try {
    return Object.values(db.prepare(sql).get() as Record<string, number>)[0] as number;
  } finally {
    db.close();
  }
}

test('expired documents are taken away with their tags, the others stay', async () => {
  const { store, dir } = await openTemporary();
  const docs = Array.from({ length: 50 }, (_, i) => ({
    op: 'put' as const,
    doc: {
      collection: 'c',
      key: String(i),
      body: 'b',
      tags: ['t', 'u'],
      ...(i < 40 ? { expires: Date.now() - 1 } : i < 45 ? { expires: Date.now() + 60_000 } : {}),
    },
  }));
  await committed(store, { docs });
  const left = () => [countIn(dir, 'SELECT count(*) FROM doc'), countIn(dir, 'SELECT count(*) FROM doc_tag')];
  assert.deepEqual(left(), [50, 100]);
  for (let i = 0; i < 50 && left()[0] !== 10; i++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(left(), [10, 20]);
  await store.close();
});

test('the write-ahead log does not grow with what is written', async () => {
  const { store } = await openTemporary();
  const text = patient({ text: { status: 'generated', div: `<div>${'x'.repeat(20_000)}</div>` } });
  for (let i = 0; i < 60; i++)
    await committed(store, { writes: Array.from({ length: 50 }, () => writeOf(text, store.newId(), 0)) });
  const { bytes = 0, walBytes = 0 } = await store.stats();
  assert.ok(bytes > 40e6, `${bytes} bytes in the file`);
  assert.ok(walBytes < 30e6, `${walBytes} bytes in the log`);
  await store.close();
});

test('every index row is found before, while and after it is merged, and after a restart in between', async () => {
  const { store: first, dir, reopen } = await openTemporary({ indexRowsPerMergeMin: 150 });
  let store = first;
  const device = { reference: 'Device/d' };
  const filter = { op: 'reference', param: 'device', type: 'Device', id: 'd' } as const;
  const plan = { type: 'Observation', filter, sort: [], count: 1_000, total: true };
  let stored = 0;
  let mergedSome = false;
  for (let round = 0; round < 50; round++) {
    const writes = Array.from({ length: 40 }, (_, i) => {
      const text = observation(`p${i % 9}`, `2026-01-01T00:${String(i).padStart(2, '0')}:00Z`, {
        device,
        valueQuantity: { value: round, unit: 'round' },
      });
      return writeOf(text, store.newId(), 0, { key: `${round}-${i}` });
    });
    await committed(store, { writes });
    stored += writes.length;
    if (round === 20) store = await reopen();
    const page = await store.search(plan, accessTo('Observation'));
    assert.deepEqual([page.total, page.entries.length], [stored, Math.min(stored, 1_000)]);
    const ofRound = {
      op: 'quantity',
      param: 'value-quantity',
      comparator: 'eq',
      value: round,
      low: round - 0.5,
      high: round + 0.5,
    } as const;
    assert.equal((await store.search({ ...plan, filter: ofRound }, accessTo('Observation'))).total, 40);
    const inTable = countIn(dir, 'SELECT count(*) FROM reference');
    mergedSome ||= inTable > 0 && inTable < stored;
  }
  assert.ok(mergedSome, 'a merge was caught under way');
  assert.ok(countIn(dir, 'SELECT count(*) FROM log') < 50, 'merged log rows are gone');
  const keys = Array.from({ length: 50 }, (_, round) => `${round}-7`);
  assert.equal((await store.keyHolders(keys)).length, 50);
  await store.close();
});
