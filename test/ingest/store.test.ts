/** The pipeline over the embedded store: what is answered is there, also after it was closed and opened again. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { silentLogger } from '../../src/base/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/index.ts';
import type { Store } from '../../src/store/store.ts';
import { generatedRows, MODULES, SERIAL as MONITOR, readingsOf } from '../support/monitor.ts';
import { ADMIN, BASE, type Result, Ward } from './world.ts';

async function opened(t: TestContext): Promise<{ ward: Ward; again(): Promise<Ward> }> {
  const dir = mkdtempSync(join(tmpdir(), 'vitalwire-ingest-'));
  const clock = { now: () => Date.now() };
  let store: Store | undefined;
  const open = async (): Promise<Ward> => {
    await store?.close();
    const next = await openSqliteStore({ dir, clock, limits, log: silentLogger, base: BASE });
    store = next;
    return new Ward({ store: () => next });
  };
  t.after(async () => {
    await store?.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return { ward: await open(), again: open };
}

const count = (results: readonly Result[], status: string): number => results.filter((r) => r.status === status).length;

test('store: duplicates, corrections, retractions, held messages and the balance outlive the process', async (t) => {
  const { ward: w, again } = await opened(t);
  const worn = await w.device();
  const loose = await w.device({ worn: false });
  const first = await w.post([
    w.reading(worn.serial, { id: 'a', value: '71.50' }),
    w.reading(worn.serial, { id: 'v', version: 1, value: '70' }),
    w.reading(worn.serial, { id: 'v', version: 2, value: '72' }),
    w.reading(worn.serial, { id: 'e' }),
    w.reading(worn.serial, { id: 'e', status: 'entered-in-error' }),
    w.reading(worn.serial, { id: 'a', value: '71.50' }),
    w.reading(loose.serial, { id: 'h' }),
    w.reading(worn.serial, { id: 'u', unit: 'kg' }),
  ]);
  assert.equal(first.map((r) => r.status).join(' '), 'stored stored stored stored stored duplicate held rejected');
  const texts = await Promise.all([0, 1, 3].map((i) => w.observation(first[i] as Result)));
  assert.match(texts[0]?.text ?? '', /"value":71\.50,/);
  assert.deepEqual(
    texts.map(({ json }) => [(json['meta'] as { versionId: string }).versionId, json['status']]),
    [
      ['1', 'final'],
      ['2', 'corrected'],
      ['2', 'entered-in-error'],
    ],
  );
  const balance = await w.balance();
  const x = await again();
  assert.deepEqual(await x.balance(), balance);
  assert.deepEqual(
    await Promise.all([0, 1, 3].map(async (i) => (await x.observation(first[i] as Result)).text)),
    texts.map((o) => o.text),
  );
  assert.equal((await x.one(x.reading(worn.serial, { id: 'a', value: '71.50' }))).status, 'duplicate');
  await x.put({ ...x.use(loose.id, loose.patient), id: 'late-use' });
  const { json } = await x.request<{ results: Result[] }>('POST', '/held/$replay', '', ADMIN, {});
  assert.equal(json.results.map((r) => r.status).join(' '), 'stored');
  const explained = await x.request('GET', `/explain/${first[0]?.observation?.[0]?.split('/')[1]}`, '', ADMIN);
  assert.match(explained.text, /"id":"a"/);
});

test('store: eight identical requests at once, and eight unknown devices, are one', async (t) => {
  const { ward: w } = await opened(t);
  const { serial } = await w.device();
  const results = await Promise.all(Array.from({ length: 8 }, () => w.one(w.reading(serial, { id: 'same' }))));
  assert.deepEqual([count(results, 'stored'), count(results, 'duplicate')], [1, 7]);
  const held = await Promise.all(Array.from({ length: 8 }, () => w.one(w.reading('nobody', { id: 'same' }))));
  assert.deepEqual([count(held, 'held'), count(held, 'duplicate')], [1, 7]);
  const creating = new Ward({ store: () => w.store, unknownDevice: 'create' });
  const made = await Promise.all(Array.from({ length: 8 }, (_, i) => creating.one(w.reading('new', { id: `n${i}` }))));
  assert.deepEqual(new Set(made.map((r) => r.issue?.code)), new Set(['device.unassociated']));
  assert.equal(
    (await w.store.docs({ collection: 'device-identity', tags: ['urn:example:serial|new'], limit: 5 })).length,
    1,
  );
});

test('store: a monitor of many minutes, sent twice by two gateways at once, is stored once', async (t) => {
  const { ward: w } = await opened(t);
  w.clock.ms = Date.parse('2027-01-01T00:00:00Z');
  for (const module of MODULES) {
    await w.put({ resourceType: 'Device', id: module, identifier: [{ system: MONITOR, value: module }] });
    await w.put(w.use(module, 'p'));
  }
  const readings = generatedRows(200).flatMap(readingsOf);
  const batches: unknown[][] = [];
  for (let i = 0; i < readings.length; i += 100) batches.push(readings.slice(i, i + 100));
  const answers = await Promise.all([...batches, ...batches].map((batch) => w.post(batch)));
  const results = answers.flat();
  assert.deepEqual([count(results, 'stored'), count(results, 'duplicate')], [readings.length, readings.length]);
  const balance = await w.balance();
  assert.deepEqual(
    [balance['received'], balance['stored'], balance['held']],
    [2 * readings.length, readings.length, 0],
  );
  for (const [i, result] of answers.slice(0, 2).flat().entries()) {
    const reading = readings[i];
    const { text, json } = await w.observation(result);
    assert.deepEqual(json['subject'], { reference: 'Patient/p' });
    if (reading?.value !== undefined) assert.ok(text.includes(`"value":${reading.value},`), text);
    for (const part of reading?.components ?? [])
      assert.ok(Number(part.value) === 0 || text.includes(`"value":${part.value},`), text);
  }
});
