/** Opening: DATA_DIR, the version of the file, two processes on one folder. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { StartError } from '../../../src/base/errors.ts';
import { ALL } from '../../../src/search/plan.ts';
import { accessTo, committed, observation, patient, writeOf } from '../../contract/support.ts';
import { openIn, temporaryFolder } from './support.ts';

const sentence = (re: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StartError);
  assert.equal(error.mistakes.length, 1);
  assert.match(error.mistakes[0] as string, re);
  return true;
};

test('a folder that is not there is made; its parent is not', async () => {
  const parent = temporaryFolder();
  const dir = join(parent, 'data');
  await (await openIn(dir)).close();
  assert.ok(existsSync(join(dir, 'vitalwire.db')));
  await assert.rejects(
    openIn(join(parent, 'no', 'data')),
    sentence(/^DATA_DIR .*no\/data cannot be made: its parent folder/),
  );
});

test('a DATA_DIR that is a file is refused', async () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, '');
  await assert.rejects(openIn(path), sentence(/^DATA_DIR .* is not a folder/));
});

test('a DATA_DIR that cannot be written is refused', async () => {
  await assert.rejects(openIn('/proc/self'), sentence(/^DATA_DIR \/proc\/self is not writable/));
});

test('a store of a newer program is refused and stays as it is', async () => {
  const dir = temporaryFolder();
  await (await openIn(dir)).close();
  const path = join(dir, 'vitalwire.db');
  const db = new DatabaseSync(path);
  db.exec('PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  const digest = () => createHash('sha256').update(readFileSync(path)).digest('hex');
  const before = digest();
  await assert.rejects(openIn(dir), sentence(/newer Vitalwire \(its schema is version 999/));
  assert.equal(digest(), before);
});

test('a file that is no store is refused and stays as it is', async () => {
  const dir = temporaryFolder();
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'vitalwire.db');
  writeFileSync(path, 'this is something else\n'.repeat(50));
  await assert.rejects(openIn(dir), sentence(/is not a Vitalwire store/));
  assert.match(readFileSync(path, 'utf8'), /^this is something else/);
});

test('ids stay readable after a restart, and none is given out twice', async () => {
  const dir = temporaryFolder();
  const seen = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const store = await openIn(dir);
    const ids = Array.from({ length: 100 }, () => store.newId());
    await committed(store, { writes: [writeOf(patient(), ids[0] as string, 0)] });
    for (const id of ids) seen.add(id);
    for (const id of seen) await store.read('Patient', id);
    await store.close();
  }
  assert.equal(seen.size, 300);
  const store = await openIn(dir);
  let found = 0;
  for (const id of seen) if (await store.read('Patient', id)) found++;
  assert.equal(found, 3);
  await store.close();
});

test('two that write to one folder see each other, and lose nothing', async () => {
  const dir = temporaryFolder();
  const [a, b] = [await openIn(dir, { indexRowsPerMergeMin: 40 }), await openIn(dir, { indexRowsPerMergeMin: 30 })];
  let told = 0;
  a.onForeignChange(() => told++);
  const lane = async (store: typeof a, name: string): Promise<void> => {
    for (let i = 0; i < 40; i++)
      await committed(store, {
        writes: [
          writeOf(
            observation(`${name}-${i % 3}`, '2026-01-01T00:00:00Z', { status: i % 2 ? 'final' : 'amended' }),
            store.newId(),
            0,
            {
              key: `shared-${i}-${name}`,
            },
          ),
        ],
        docs: [{ op: 'put', doc: { collection: name, key: String(i), body: name } }],
        counters: { both: 1 },
      });
  };
  await Promise.all([lane(a, 'a'), lane(a, 'a2'), lane(b, 'b')]);
  for (const store of [a, b]) {
    const plan = { type: 'Observation', filter: ALL, sort: [], count: 200, total: true };
    const page = await store.search(plan, accessTo('Observation'));
    assert.deepEqual([page.total, page.entries.length], [120, 120]);
    for (const name of ['a', 'a2', 'b'])
      assert.equal(
        (
          await store.search(
            { ...plan, filter: { op: 'reference', param: 'patient', type: 'Patient', id: `${name}-1` } },
            accessTo('Observation'),
          )
        ).total,
        13,
      );
    assert.deepEqual(await store.counters(['both']), { both: 120 });
    assert.equal((await store.keyHolders(['shared-3-a', 'shared-3-b'])).length, 2);
    assert.equal((await store.docs({ collection: 'b', limit: 100 })).length, 40);
    const changes = await store.changesSince(0, 1_000);
    assert.deepEqual(
      changes.map((c) => c.seq),
      Array.from({ length: 120 }, (_, i) => i + 1),
    );
  }
  // One key, taken by the other process.
  const taken = await b.commit({ writes: [writeOf(patient(), b.newId(), 0, { key: 'shared-3-a' })] });
  assert.equal(taken.ok ? 'ok' : taken.refusal.kind, 'key');
  await committed(b, { docs: [{ op: 'put', doc: { collection: 'x', key: 'x', body: 'x' } }] });
  const before = told;
  for (let i = 0; i < 40 && told === before; i++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(told > before, 'the other one is told of documents too');
  await Promise.all([a.close(), b.close()]);
});
