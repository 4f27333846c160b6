/**
 * Two servers write under faults that come as they please: cuts, refusals, silence, lost answers, late commits, errors of the
 * database. What was answered with ok is there with the very text that was answered; nothing is there twice; the log has no gap.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { VitalwireError } from '../../../src/base/errors.ts';
import type { Batch, Committed, Store } from '../../../src/store/store.ts';
import { accessTo, patient, writeOf } from '../../contract/support.ts';
import { newDatabase, noFailPoints } from '../../support/mongo.ts';
import { MongoProxy } from '../../support/mongo-proxy.ts';
import { openAt } from './support.ts';

/** How long there are faults; the longer, the more is found. */
const FAULTS_MS = Number(process.env['TEST_FAULTS_SECONDS'] ?? 8) * 1000;
const LANES = 6;
const COUNTED = ['answered'] as const;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const upTo = (n: number): number => Math.floor(Math.random() * n);
const one = <T>(of: readonly T[]): T => of[upTo(of.length)] as T;

const COMMANDS = ['find', 'insert', 'update', 'findAndModify', 'commitTransaction', 'abortTransaction'] as const;
const ERRORS: readonly object[] = [
  { closeConnection: true },
  { errorCode: 112, errorLabels: ['TransientTransactionError'] },
  { errorCode: 251, errorLabels: ['TransientTransactionError'] },
  ...[91, 10_107, 11_600, 189].map((errorCode) => ({ errorCode, errorLabels: ['RetryableWriteError'] })),
  ...[50, 262, 8_000].map((errorCode) => ({ errorCode })),
];

interface World {
  readonly stores: readonly Store[];
  readonly proxies: readonly MongoProxy[];
  fail(data: object, times: number): Promise<void>;
  heal(): Promise<void>;
}

async function world(t: TestContext): Promise<World> {
  const uri = await newDatabase();
  const proxies = await Promise.all([MongoProxy.before(uri), MongoProxy.before(uri)]);
  const admin = new MongoClient(uri);
  const set = async (mode: unknown, data: object): Promise<void> => {
    await admin.db('admin').command({ configureFailPoint: 'failCommand', mode, data });
  };
  const stores = await Promise.all(proxies.map((proxy) => openAt(proxy.uri(uri), { commitLostMsMax: 10_000 })));
  t.after(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await admin.close();
  });
  return {
    stores,
    proxies,
    fail: (data, times) => set({ times }, data),
    async heal() {
      await set('off', {});
      for (const proxy of proxies) {
        proxy.away = false;
        proxy.release();
        proxy.loseAnswerOf = undefined;
        proxy.delay = undefined;
      }
    },
  };
}

async function fault({ proxies, fail }: World): Promise<string> {
  const proxy = one(proxies);
  switch (upTo(6)) {
    case 0:
      proxy.cut();
      return 'cut';
    case 1:
      proxy.away = true;
      proxy.cut();
      await sleep(upTo(700));
      proxy.away = false;
      return 'away';
    case 2:
      proxy.hold();
      await sleep(upTo(700));
      if (Math.random() < 0.5) proxy.cut();
      proxy.release();
      return 'silence';
    case 3:
      proxy.loseAnswerOf = one(COMMANDS);
      return `answer of ${proxy.loseAnswerOf} lost`;
    case 4:
      proxy.delay = { command: 'commitTransaction', ms: upTo(500) };
      return 'late commit';
    default: {
      const data = { failCommands: [one(COMMANDS), one(COMMANDS)], ...one(ERRORS) };
      await fail(data, 1 + upTo(3));
      return JSON.stringify(data);
    }
  }
}

/** The same batch until it is answered, as a gateway sends it; each attempt makes its ids anew. */
async function send(store: Store, batchOf: () => Batch): Promise<{ done: Committed; refused: number }> {
  const end = Date.now() + 120_000;
  for (let refused = 0; ; refused++)
    try {
      return { done: await store.commit(batchOf()), refused };
    } catch (error) {
      assert.ok(error instanceof VitalwireError, `not an error of ours: ${error}`);
      assert.ok(error.code === 'server.unavailable' || error.code === 'server.busy', error.code);
      assert.ok(Date.now() < end, 'the store does not come back');
      await sleep(20);
    }
}

interface Heard {
  /** Text by id of what was answered with ok. */
  readonly answered: Map<string, string>;
  readonly keys: string[];
  refusals: number;
}

async function lane(store: Store, name: string, heard: Heard, goesOn: () => boolean): Promise<void> {
  for (let n = 0; goesOn(); n++) {
    const key = `${name}-${n}`;
    const text = patient({ meta: { tag: [{ code: 'random' }] } });
    const { done, refused } = await send(store, () => ({
      writes: [0, 1].map((i) => writeOf(text, store.newId(), 0, { key: `${key}.${i}`, keyNote: key })),
      docs: [{ op: 'insert', doc: { collection: 'raw', key, body: key, tags: [name] } }],
      touches: [`guard-${name}`],
      counters: { answered: 2 },
    }));
    heard.keys.push(key);
    heard.refusals += refused;
    if (done.ok) for (const { id, text: stored } of done.written) heard.answered.set(id, stored);
    else assert.ok(refused > 0 && done.refusal.kind === 'key', 'only what was in doubt is there already');
  }
}

test('random faults', { skip: await noFailPoints(), timeout: FAULTS_MS + 200_000 }, async (t) => {
  const w = await world(t);
  const heard: Heard = { answered: new Map(), keys: [], refusals: 0 };
  let faulty = true;
  const lanes = Promise.all(
    Array.from({ length: LANES }, (_, i) => lane(w.stores[i % 2] as Store, `lane-${i}`, heard, () => faulty)),
  );
  const end = Date.now() + FAULTS_MS;
  const kinds = new Map<string, number>();
  while (Date.now() < end) {
    const kind = await fault(w);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    await sleep(upTo(150));
  }
  faulty = false;
  await w.heal();
  await lanes;
  t.diagnostic(`${heard.keys.length} batches, ${heard.refusals} answered with 503 first`);
  t.diagnostic([...kinds].map(([kind, n]) => `${n}× ${kind}`).join('; '));
  for (const store of w.stores) await assertWhole(store, heard);
});

async function assertWhole(store: Store, { answered, keys }: Heard): Promise<void> {
  const stored = keys.length * 2;
  const holders = await store.keyHolders(keys.flatMap((key) => [`${key}.0`, `${key}.1`]));
  assert.equal(new Set(holders.map((h) => h.id)).size, stored, 'every key has one holder');
  const plan = { type: 'Patient', filter: { op: 'token', param: '_tag', code: 'random' }, sort: [], count: 0 } as const;
  assert.equal((await store.search({ ...plan, total: true }, accessTo('Patient'))).total, stored, 'each is there once');
  assert.deepEqual(await store.counters(COUNTED), { answered: stored }, 'the counter came with them');
  assert.equal((await store.docs({ collection: 'raw', limit: 100_000 })).length, keys.length, 'the documents too');
  let touched = 0;
  for (let i = 0; i < LANES; i++) touched += await store.guard(`guard-lane-${i}`);
  assert.equal(touched, keys.length, 'the guards too');
  const changes = await store.changesSince(0, 1_000_000);
  assert.deepEqual(
    changes.map((c) => c.seq),
    changes.map((_, i) => i + 1),
    'numbers without a gap',
  );
  assert.equal(new Set(changes.map((c) => c.id)).size, stored, 'each is in the log once');
  for (const [id, text] of answered) assert.equal((await store.read('Patient', id))?.text, text, 'as it was answered');
}
