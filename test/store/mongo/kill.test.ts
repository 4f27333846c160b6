/** Whatever was answered is there, once, after the writer or the database process was killed in the middle of it. */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { ALL, type Filter } from '../../../src/search/plan.ts';
import type { Store } from '../../../src/store/store.ts';
import { accessTo } from '../../contract/support.ts';
import { MongoProcess, noMongoProcess } from '../../support/mongo.ts';
import { openAt } from './support.ts';

const CHILD = join(import.meta.dirname, 'kill-child.ts');
const ROUNDS = 3;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A writer of its own process; `answered` grows while it lives. */
class Writer {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  #out = '';
  constructor(uri: string, from: number) {
    this.#child = spawn(process.execPath, [CHILD, uri, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout.on('data', (part: Buffer) => {
      this.#out += part;
    });
  }
  get answered(): string[] {
    return this.#out.split('\n').slice(0, -1);
  }
  /** Until so many more were answered. */
  async goesOn(more: number): Promise<void> {
    const wanted = this.answered.length + more;
    while (this.answered.length < wanted) {
      assert.equal(this.#child.exitCode, null, 'the writer only ends because it is killed');
      await sleep(5);
    }
  }
  async kill(): Promise<string[]> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    assert.deepEqual(await closed, [null, 'SIGKILL'], 'the writer only ends because it is killed');
    return this.answered;
  }
}

async function assertWhole(store: Store, answered: readonly string[]): Promise<void> {
  const total = async (filter: Filter): Promise<number> =>
    (await store.search({ type: 'Observation', filter, sort: [], count: 0, total: true }, accessTo('Observation')))
      .total as number;
  const holders = await store.keyHolders(answered.flatMap((key) => [`${key}.0`, `${key}.1`]));
  assert.equal(new Set(holders.map((h) => h.id)).size, answered.length * 2, 'every key that was answered for is held');
  const stored = await total(ALL);
  // Both resources, the document and the counter of a batch came together; the log has each once.
  assert.deepEqual(await store.counters(['stored']), { stored });
  assert.equal((await store.docs({ collection: 'raw', limit: 1_000_000 })).length, stored / 2);
  const changes = await store.changesSince(0, 1_000_000);
  assert.deepEqual(
    changes.map((c) => c.seq),
    changes.map((_, i) => i + 1),
  );
  assert.equal(new Set(changes.map((c) => c.id)).size, stored);
  let byPatient = 0;
  for (let p = 0; p < 7; p++)
    byPatient += await total({ op: 'reference', param: 'patient', type: 'Patient', id: `p${p}` });
  assert.equal(byPatient, stored, 'the indexes have them all');
}

test('the database process is killed under load, then the writer too', {
  skip: noMongoProcess,
  timeout: 180_000,
}, async (t) => {
  const mongo = await MongoProcess.start('--sync-on-commit');
  t.after(() => mongo.remove());
  const uri = mongo.uri();
  const answered: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const writer = new Writer(uri, round * 1_000_000);
    await writer.goesOn(30);
    for (let i = 0; i < 2; i++) {
      await sleep(Math.random() * 100);
      await mongo.kill();
      await sleep(i * 1_000);
      await mongo.start();
      // The same process goes on by itself.
      await writer.goesOn(30);
    }
    await sleep(Math.random() * 50);
    answered.push(...(await writer.kill()));
    const store = await openAt(uri);
    await assertWhole(store, answered);
    await store.close();
  }
  t.diagnostic(`${answered.length} commits answered, ${ROUNDS * 2} kills of the database, ${ROUNDS} of the writer`);
});
