/** What happens when there is too much to write, or nothing can be written any more. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { VitalwireError } from '../../../src/base/errors.ts';
import { ALL } from '../../../src/search/plan.ts';
import { Writer } from '../../../src/store/sqlite/writer.ts';
import { accessTo, committed, patient, writeOf } from '../../contract/support.ts';
import { openIn, openTemporary, temporaryFolder } from './support.ts';

const codeOf = (error: unknown): string => (error instanceof VitalwireError ? error.code : String(error));

test('a full queue refuses with Retry-After and stores the rest', async () => {
  const { store } = await openTemporary({ commitQueueBatchesMax: 10 });
  const results = await Promise.allSettled(
    Array.from({ length: 60 }, () => store.commit({ writes: [writeOf(patient(), store.newId(), 0)] })),
  );
  const refused = results.filter((r) => r.status === 'rejected');
  assert.ok(refused.length > 0 && refused.length < 60);
  for (const { reason } of refused) {
    assert.equal(codeOf(reason), 'server.busy');
    assert.match((reason as VitalwireError).options.headers?.['retry-after'] ?? '', /^[1-9]\d*$/);
  }
  const page = await store.search(
    { type: 'Patient', filter: ALL, sort: [], count: 0, total: true },
    accessTo('Patient'),
  );
  assert.equal(page.total, 60 - refused.length);
  await store.close();
});

test('a file that cannot be written: commits are refused as unavailable, ping fails, and both come back', async () => {
  const dir = temporaryFolder();
  const store = await openIn(dir);
  const id = store.newId();
  await committed(store, { writes: [writeOf(patient(), id, 0)] });
  await store.ping();
  // A trigger stands for a disk that does not take it.
  const other = new DatabaseSync(join(dir, 'vitalwire.db'));
  other.exec("CREATE TRIGGER broken BEFORE INSERT ON change BEGIN SELECT RAISE(ROLLBACK, 'no space left'); END");
  const lost = store.newId();
  const results = await Promise.allSettled([
    store.commit({ writes: [writeOf(patient(), lost, 0)], counters: { lost: 1 } }),
    store.commit({ writes: [writeOf(patient({ gender: 'other' }), store.newId(), 0)] }),
  ]);
  for (const result of results) {
    assert.equal(result.status, 'rejected');
    assert.equal(codeOf(result.reason), 'server.unavailable');
    assert.match((result.reason as VitalwireError).options.headers?.['retry-after'] ?? '', /^\d+$/);
  }
  assert.equal(await store.read('Patient', lost), undefined);
  assert.deepEqual(await store.counters(['lost']), { lost: 0 });
  assert.equal((await store.read('Patient', id))?.version, 1, 'reading goes on');
  other.exec('DROP TRIGGER broken');
  other.close();
  await store.ping();
  await committed(store, { writes: [writeOf(patient({ gender: 'other' }), lost, 0)] });
  assert.equal((await store.read('Patient', lost))?.version, 1);
  const plan = {
    type: 'Patient',
    filter: { op: 'token', param: 'gender', code: 'other' },
    sort: [],
    count: 5,
    total: true,
  } as const;
  assert.equal((await store.search(plan, accessTo('Patient'))).total, 1);
  await store.close();
});

test('a writer that dies is reported once', async () => {
  const { store, dir } = await openTemporary();
  await store.close();
  const deaths: Error[] = [];
  const writer = new Writer(
    { path: join(dir, 'vitalwire.db'), rowsPerMerge: 100 },
    { message: () => undefined, dead: (error) => deaths.push(error) },
  );
  await writer.terminate();
  assert.equal(deaths.length, 1);
  assert.equal(writer.dead, deaths[0]);
  writer.send({ kind: 'probe' });
});

test('when the writer dies, what was not answered is refused, and nothing is promised any more', async (t) => {
  const workers = new Set<Worker>();
  const post = Worker.prototype.postMessage;
  t.mock.method(Worker.prototype, 'postMessage', function (this: Worker, ...args: Parameters<Worker['postMessage']>) {
    workers.add(this);
    post.apply(this, args);
  });
  const { store, reopen } = await openTemporary();
  const kept = store.newId();
  await committed(store, { writes: [writeOf(patient(), kept, 0)] });
  const pending = Array.from({ length: 30 }, () => store.commit({ writes: [writeOf(patient(), store.newId(), 0)] }));
  const settled = Promise.allSettled(pending);
  for (const worker of workers) await worker.terminate();
  const refused = (await settled).filter((r) => r.status === 'rejected');
  assert.ok(refused.length > 0);
  for (const { reason } of refused) assert.equal(codeOf(reason), 'server.unavailable');
  await assert.rejects(
    async () => store.ping(),
    (error) => codeOf(error) === 'server.unavailable',
  );
  await assert.rejects(store.commit({ counters: { n: 1 } }), (error) => codeOf(error) === 'server.unavailable');
  assert.equal((await store.read('Patient', kept))?.version, 1, 'reading goes on');
  const again = await reopen();
  const page = await again.search(
    { type: 'Patient', filter: ALL, sort: [], count: 0, total: true },
    accessTo('Patient'),
  );
  assert.ok((page.total as number) >= 1 + 30 - refused.length, 'what was answered is there');
  await again.ping();
  await again.close();
});
