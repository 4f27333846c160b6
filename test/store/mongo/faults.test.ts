/**
 * What a database and a network do wrong. Whatever happens: what was answered with ok is there once, what is sent again under its
 * key is there once, what was refused is not there, an error says 503, and the store goes on by itself.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { MongoClient } from 'mongodb';
import { VitalwireError } from '../../../src/base/errors.ts';
import type { Limits } from '../../../src/base/limits.ts';
import type { Plan } from '../../../src/search/plan.ts';
import type { Store } from '../../../src/store/store.ts';
import { accessTo, committed, deletion, patient, writeOf } from '../../contract/support.ts';
import { newDatabase, noFailPoints } from '../../support/mongo.ts';
import { MongoProxy } from '../../support/mongo-proxy.ts';
import { openAt } from './support.ts';

const ALL_TAGGED: Plan = {
  type: 'Patient',
  filter: { op: 'token', param: '_tag', code: 'fault' },
  sort: [],
  count: 0,
  total: true,
};
const tagged = (): string => patient({ meta: { tag: [{ code: 'fault' }] } });

interface World {
  readonly store: Store;
  readonly uri: string;
  readonly proxy: MongoProxy;
  /** Commands with these names fail in this way. */
  fail(times: number | 'always', commands: readonly string[], how: object): Promise<void>;
  heal(): Promise<void>;
}

async function world(t: TestContext, more: Partial<Limits> = {}, times = ''): Promise<World> {
  const uri = await newDatabase();
  const proxy = await MongoProxy.before(uri);
  const admin = new MongoClient(uri);
  const set = async (mode: unknown, data: object = {}): Promise<void> => {
    await admin.db('admin').command({ configureFailPoint: 'failCommand', mode, data });
  };
  const store = await openAt(proxy.uri(uri) + times, more);
  t.after(async () => {
    await set('off');
    await store.close();
    await proxy.close();
    await admin.close();
  });
  return {
    store,
    uri,
    proxy,
    fail: (times, failCommands, how) => set(times === 'always' ? 'alwaysOn' : { times }, { failCommands, ...how }),
    heal: () => set('off'),
  };
}

/** An error that a client can do something with: the same again later. */
function assertUnavailable(error: unknown): void {
  assert.ok(error instanceof VitalwireError, `not an error of ours: ${error}`);
  assert.ok(error.code === 'server.unavailable' || error.code === 'server.busy', error.code);
  assert.ok(
    Object.keys(error.options.headers ?? {}).some((name) => name.toLowerCase() === 'retry-after'),
    'it says when to come again',
  );
  assert.doesNotMatch(inspect(error, { depth: 20 }), /resourceType/, 'no data of patients reaches the log with it');
}

/** Stores a resource under a key as a careful client does: the same again until it is answered. Gives the number of 503s. */
async function sendUntilAnswered(store: Store, key: string, msMax = 60_000): Promise<number> {
  const end = Date.now() + msMax;
  for (let refused = 0; ; refused++) {
    try {
      const done = await store.commit({
        writes: [writeOf(tagged(), store.newId(), 0, { key })],
        counters: { answered: 1 },
      });
      // An earlier attempt of which nothing was heard may have been stored.
      if (!done.ok) assert.equal(done.refusal.kind, 'key');
      return refused;
    } catch (error) {
      assertUnavailable(error);
      assert.ok(Date.now() < end, 'the store does not come back');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Each key has one holder, each holder is there once, and the log has each of them once, in order, without a gap. */
async function assertEachOnce(store: Store, keys: readonly string[]): Promise<void> {
  const holders = await store.keyHolders(keys);
  assert.equal(holders.length, keys.length, 'every key has a holder');
  assert.equal((await store.search(ALL_TAGGED, accessTo('Patient'))).total, keys.length, 'each is there once');
  assert.deepEqual(await store.counters(['answered']), { answered: keys.length }, 'counted with what is stored');
  const changes = await store.changesSince(0, 10_000);
  assert.deepEqual(
    changes.map((c) => c.seq),
    changes.map((_, i) => i + 1),
    'numbers without a gap',
  );
  assert.equal(new Set(changes.map((c) => c.id)).size, keys.length, 'each is in the log once');
}

const keysOf = (n: number): string[] => Array.from({ length: n }, (_, i) => `key-${i}`);

describe('MongoDB: faults', { skip: await noFailPoints() }, () => {
  for (const command of ['find', 'insert', 'update', 'findAndModify', 'commitTransaction'])
    test(`the connection is cut on ${command}`, async (t) => {
      const { store, fail } = await world(t);
      await fail(3, [command], { closeConnection: true });
      const keys = keysOf(30);
      await Promise.all(keys.map((key) => sendUntilAnswered(store, key)));
      await assertEachOnce(store, keys);
    });

  for (const [name, errorCode] of [
    ['InterruptedAtShutdown', 11_600],
    ['NotWritablePrimary', 10_107],
    ['ShutdownInProgress', 91],
  ] as const)
    test(`the database says ${name} to a commit and to an insert`, async (t) => {
      const { store, fail } = await world(t);
      const errorLabels = ['RetryableWriteError'];
      await fail(2, ['commitTransaction'], { errorCode, errorLabels });
      await sendUntilAnswered(store, 'key-0');
      await fail(2, ['insert'], { errorCode, errorLabels: ['TransientTransactionError'] });
      await sendUntilAnswered(store, 'key-1');
      await assertEachOnce(store, keysOf(2));
    });

  test('the answer to a commit is lost: it is reported as stored, and stored once', async (t) => {
    const { store, proxy } = await world(t);
    for (const [i, key] of keysOf(5).entries()) {
      proxy.loseAnswerOf = 'commitTransaction';
      const done = await store.commit({
        writes: [writeOf(tagged(), store.newId(), 0, { key })],
        counters: { answered: 1 },
      });
      assert.ok(done.ok, 'a commit that happened is not reported as failed');
      assert.equal(proxy.lost, i + 1, 'the answer was lost indeed');
    }
    await assertEachOnce(store, keysOf(5));
  });

  test('the answer to a commit is lost, and the database is away for a while after it', async (t) => {
    const { store, proxy } = await world(t);
    proxy.loseAnswerOf = 'commitTransaction';
    const batch = { writes: [writeOf(tagged(), store.newId(), 0, { key: 'key-0' })], counters: { answered: 1 } };
    const pending = store.commit(batch);
    while (proxy.lost === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    proxy.away = true;
    proxy.cut();
    setTimeout(() => {
      proxy.away = false;
    }, 3_000);
    assert.ok((await pending).ok);
    await assertEachOnce(store, keysOf(1));
  });

  test('a commit that was cut off reaches the database long after it was given up', async (t) => {
    const { store, proxy, fail } = await world(t);
    for (const [i, key] of keysOf(6).entries()) {
      proxy.delay = { command: 'commitTransaction', ms: i * 60 };
      // Every other time the repetition is refused too, and the transaction runs again while its first commit is on its way.
      if (i % 2 === 1) await fail(1, ['commitTransaction'], { errorCode: 8_000 });
      await sendUntilAnswered(store, key);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    await assertEachOnce(store, keysOf(6));
  });

  test('a commit is answered with an error that says nothing about it', async (t) => {
    const { store, fail, heal } = await world(t, { transactionMsMax: 300, commitLostMsMax: 700 });
    await fail(1, ['commitTransaction'], { errorCode: 8_000 });
    assert.equal(await sendUntilAnswered(store, 'key-0'), 0, 'the marker says that it did not happen');
    await fail('always', ['commitTransaction'], { errorCode: 8_000 });
    const batch = { writes: [writeOf(tagged(), store.newId(), 0, { key: 'key-1' })], counters: { answered: 1 } };
    await assert.rejects(store.commit(batch), (error) => {
      assertUnavailable(error);
      return true;
    });
    await heal();
    await sendUntilAnswered(store, 'key-1');
    await assertEachOnce(store, keysOf(2));
  });

  test('the network swallows everything for 20 s without an end of any connection', async (t) => {
    const { store, proxy } = await world(t);
    const keys = keysOf(40);
    const first = Promise.all(keys.slice(0, 20).map((key) => sendUntilAnswered(store, key)));
    while (!(await store.lastSeq())) await new Promise((resolve) => setTimeout(resolve, 1));
    proxy.hold();
    const later = Promise.all(keys.slice(20).map((key) => sendUntilAnswered(store, key, 90_000)));
    const read = assert.rejects(
      async () => store.read('Patient', 'x'),
      (error) => {
        assertUnavailable(error);
        return true;
      },
    );
    setTimeout(() => proxy.release(), 20_000);
    await Promise.all([first, later, read]);
    await assertEachOnce(store, keys);
  });

  test('the network falls silent within a large write: it is given up, and the store goes on', async (t) => {
    const { store, proxy } = await world(t, {}, '&heartbeatFrequencyMS=1000&connectTimeoutMS=1000');
    const text = JSON.stringify({ resourceType: 'Binary', contentType: 'text/plain', data: 'A'.repeat(12 * 2 ** 20) });
    proxy.holdAtBytes = 60_000;
    await assert.rejects(store.commit({ writes: [writeOf(text, store.newId(), 0)] }), (error) => {
      assertUnavailable(error);
      return true;
    });
    proxy.release();
    await sendUntilAnswered(store, 'key-0');
    await assertEachOnce(store, keysOf(1));
  });

  test('a storm of conflicts is survived, or answered with 503, never half stored', async (t) => {
    const { store, fail, heal } = await world(t, { transactionMsMax: 1_500, transactionAttemptsMax: 6 });
    const conflict = { errorCode: 112, errorLabels: ['TransientTransactionError'] };
    await fail(4, ['insert', 'update', 'findAndModify'], conflict);
    assert.equal(await sendUntilAnswered(store, 'key-0'), 0, 'a few are tried again unseen');
    await fail('always', ['commitTransaction'], conflict);
    const batch = { writes: [writeOf(tagged(), store.newId(), 0, { key: 'key-1' })], counters: { answered: 1 } };
    await assert.rejects(store.commit(batch), (error) => {
      assertUnavailable(error);
      return true;
    });
    await heal();
    assert.deepEqual(await store.keyHolders(['key-1']), [], 'what was answered with 503 is not there');
    await sendUntilAnswered(store, 'key-1');
    await assertEachOnce(store, keysOf(2));
  });

  test('writers of two processes that want the same thing: one wins each time, nothing is lost', async (t) => {
    const { store, uri } = await world(t);
    const other = await openAt(uri);
    t.after(() => other.close());
    const id = 'contended';
    await committed(store, { writes: [writeOf(tagged(), id, 0)] });
    let wins = 0;
    const lane = async (through: Store): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        const version = (await through.read('Patient', id))?.version as number;
        const done = await through.commit({ writes: [writeOf(tagged(), id, version)], counters: { wins: 1 } });
        if (done.ok) wins++;
        else assert.equal(done.refusal.kind, 'version');
      }
    };
    await Promise.all([lane(store), lane(store), lane(other), lane(other)]);
    assert.equal((await other.read('Patient', id))?.version, wins + 1);
    assert.deepEqual(await store.counters(['wins']), { wins });
    const changes = await other.changesSince(0, 1_000);
    assert.deepEqual(
      changes.map((c) => [c.seq, c.version]),
      changes.map((_, i) => [i + 1, i + 1]),
    );
    await committed(other, { writes: [deletion('Patient', id, wins + 1)] });
  });

  test('an error that no repetition cures is a 503 for the one that has it; the others are stored', async (t) => {
    const { store, fail } = await world(t);
    await fail(1, ['insert'], { errorCode: 8_000 });
    const keys = keysOf(10);
    const refused = await Promise.all(keys.map((key) => sendUntilAnswered(store, key)));
    assert.ok(refused.reduce((a, b) => a + b) <= 1, 'a fault of one transaction does not fail its neighbours');
    await assertEachOnce(store, keys);
  });

  test('reads are tried again once, then answered with 503', async (t) => {
    const { store, fail, heal } = await world(t);
    await sendUntilAnswered(store, 'key-0');
    await fail(1, ['find'], { closeConnection: true });
    assert.equal((await store.keyHolders(['key-0'])).length, 1);
    await fail('always', ['find', 'aggregate'], { closeConnection: true });
    const reads = [
      () => store.read('Patient', 'x'),
      () => store.search({ ...ALL_TAGGED, count: 5 }, accessTo('Patient')),
      () => store.keyHolders(['key-0']),
      () => store.doc('c', 'k'),
      () => store.counters(['answered']),
      () => store.changesSince(0, 10),
    ];
    for (const read of reads)
      await assert.rejects(
        async () => read(),
        (error) => {
          assertUnavailable(error);
          return true;
        },
      );
    for (const errorCode of [91, 10_107, 11_600, 13_436]) {
      await fail('always', ['find', 'aggregate'], { errorCode });
      await assert.rejects(
        async () => store.read('Patient', 'x'),
        (error) => {
          assertUnavailable(error);
          return true;
        },
      );
    }
    await heal();
    await assertEachOnce(store, ['key-0']);
  });

  test('the network is away for seconds under load, again and again', async (t) => {
    const { store, proxy } = await world(t);
    const keys = keysOf(60);
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let key = keys[next++]; key !== undefined; key = keys[next++]) {
        await sendUntilAnswered(store, key);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const lanes = Promise.all(Array.from({ length: 6 }, lane));
    for (let i = 0; i < 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      proxy.away = true;
      proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, 6_500));
      proxy.away = false;
    }
    await lanes;
    await assertEachOnce(store, keys);
  });

  test('a process that was killed within a transaction holds nobody up', async (t) => {
    const { uri } = await world(t);
    const dead = new MongoClient(uri);
    t.after(() => dead.close(true));
    const numbers = dead.db().collection<{ _id: string; n: number }>('numbers');
    const session = dead.startSession();
    session.startTransaction();
    await numbers.updateOne({ _id: 'seq' }, { $inc: { n: 0 } }, { session });
    const lsid = (session.id as unknown as { id: unknown }).id;
    await numbers.insertOne({ _id: 'session/dead', n: 0, at: Date.now(), lsid } as never);
    const next = await openAt(uri);
    t.after(() => next.close());
    assert.equal(await sendUntilAnswered(next, 'key-0', 5_000), 0);
  });

  test('a store whose database is away can be closed', async (t) => {
    const { proxy, uri } = await world(t);
    const store = await openAt(proxy.uri(uri));
    proxy.away = true;
    proxy.cut();
    const pending = store.commit({ docs: [{ op: 'put', doc: { collection: 'c', key: 'k', body: 'b' } }] });
    const closed = store.close();
    await assert.rejects(pending, (error) => {
      assertUnavailable(error);
      return true;
    });
    await closed;
    proxy.away = false;
  });
});
