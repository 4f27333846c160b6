/** What a database must be to be opened, and how its schema comes up: once, under a lock, whoever starts first. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { StartError } from '../../../src/base/errors.ts';
import { type Connection, connect } from '../../../src/store/mongo/connection.ts';
import { MIGRATIONS, type Migration, migrate } from '../../../src/store/mongo/migrations.ts';
import { committed, patient, writeOf } from '../../contract/support.ts';
import { MongoProcess, newDatabase, noMongo, noMongoProcess } from '../../support/mongo.ts';
import { freePort } from '../../support/process.ts';
import { openAt } from './support.ts';

const refused =
  (...words: readonly RegExp[]) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof StartError, `${error}`);
    for (const word of [/MONGODB_URI/, ...words]) assert.match(error.message, word);
    assert.equal(error.message.split('\n').length, 1, 'one sentence');
    return true;
  };

test('what is no connection string is refused by name', async () => {
  await assert.rejects(openAt('postgres://h/db'), refused(/not a MongoDB connection string/));
});

test('a database that cannot be reached is refused by name, without its password', async () => {
  const uri = `mongodb://ann:s3cret@127.0.0.1:${await freePort()}/x?serverSelectionTimeoutMS=300`;
  await assert.rejects(openAt(uri), (error: Error) => {
    assert.doesNotMatch(error.message, /s3cret/);
    return refused(/cannot be reached/)(error);
  });
});

test('a single server without a replica set is refused: it has no transactions', {
  skip: noMongoProcess,
}, async (t) => {
  const alone = await MongoProcess.start('--standalone');
  t.after(() => alone.remove());
  await assert.rejects(openAt(alone.uri()), refused(/replica set/, /rs\.initiate/));
});

async function connection(t: TestContext): Promise<{ db: Connection; uri: string }> {
  const uri = await newDatabase();
  const db = await connect(uri);
  t.after(() => db.close());
  return { db, uri };
}

describe('MongoDB: the schema', { skip: noMongo }, () => {
  test('several that start at once run each step once', async (t) => {
    const { uri } = await connection(t);
    const runs: number[] = [];
    const steps: Migration[] = [0, 1, 2].map((n) => async () => {
      runs.push(n);
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const all = await Promise.all(Array.from({ length: 5 }, () => connect(uri)));
    await Promise.all(all.map((db) => migrate(db, systemClock, steps)));
    assert.deepEqual(runs, [0, 1, 2]);
    await Promise.all(all.map((db) => db.close()));
  });

  test('an older database is brought up with what is in it; a step that fails is run again at the next start', async (t) => {
    const { db, uri } = await connection(t);
    const store = await openAt(uri);
    const id = store.newId();
    await committed(store, { writes: [writeOf(patient(), id, 0)] });
    await store.close();
    let attempts = 0;
    const later: Migration = async (to) => {
      if (++attempts === 1) throw new Error('the disk is full');
      await to.db.createCollection('later');
    };
    await assert.rejects(migrate(db, systemClock, [...MIGRATIONS, later]), /the disk is full/);
    assert.equal((await db.numbers.findOne({ _id: 'schema' }))?.n, MIGRATIONS.length);
    const again = await openAt(uri);
    assert.equal((await again.read('Patient', id))?.id, id, 'the older program still opens it');
    await again.close();
    await migrate(db, systemClock, [...MIGRATIONS, later]);
    assert.equal((await db.numbers.findOne({ _id: 'schema' }))?.n, MIGRATIONS.length + 1);
    await migrate(db, systemClock, [...MIGRATIONS, later]);
    assert.equal(attempts, 2, 'a step that is done is not run again');
  });

  test('a database of a newer program is refused, and nothing in it is changed', async (t) => {
    const { db, uri } = await connection(t);
    await db.numbers.insertOne({ _id: 'schema', n: 99 });
    await assert.rejects(openAt(uri), refused(/newer Vitalwire/, /99/));
    assert.deepEqual(await db.numbers.find().toArray(), [{ _id: 'schema', n: 99 }]);
    assert.equal(await db.resources.indexes().catch(() => 'none'), 'none', 'no collection was made');
  });

  test('a process that died under the lock loses it', async (t) => {
    const { db } = await connection(t);
    const minuteAgo = systemClock.now() - 1;
    await db.numbers.insertOne({ _id: 'migration-lock', n: 1, at: minuteAgo });
    let ran = false;
    await migrate(db, systemClock, [
      async () => {
        ran = true;
      },
    ]);
    assert.ok(ran);
  });

  test('who waits for the lock sees what was done meanwhile', async (t) => {
    const { db } = await connection(t);
    await db.numbers.insertOne({ _id: 'migration-lock', n: 1, at: systemClock.now() + 60_000 });
    const waiting = migrate(db, systemClock, [() => Promise.reject(new Error('was done already'))]);
    setTimeout(() => void db.numbers.insertOne({ _id: 'schema', n: 1 }), 300);
    await waiting;
  });

  test('state that expires is taken away by the database itself', async (t) => {
    const { db, uri } = await connection(t);
    await (await openAt(uri)).close();
    const expiring = async (of: { indexes(): Promise<{ expireAfterSeconds?: number }[]> }): Promise<unknown[]> =>
      (await of.indexes()).filter((i) => i.expireAfterSeconds !== undefined).map((i) => i.expireAfterSeconds);
    assert.deepEqual(await expiring(db.docs), [0]);
    assert.deepEqual(await expiring(db.commits), [86_400]);
  });

  test('a document above 16 MB is refused with a sentence, and hurts nothing beside it', async (t) => {
    const { uri } = await connection(t);
    const store = await openAt(uri);
    t.after(() => store.close());
    const large = JSON.stringify({ resourceType: 'Binary', contentType: 'text/plain', data: 'A'.repeat(17 * 2 ** 20) });
    const [small, refusedOne] = await Promise.allSettled([
      store.commit({ writes: [writeOf(patient(), store.newId(), 0)] }),
      store.commit({ writes: [writeOf(large, store.newId(), 0)] }),
    ]);
    assert.equal(small.status, 'fulfilled');
    assert.equal(refusedOne.status, 'rejected');
    assert.equal((refusedOne as PromiseRejectedResult).reason.code, 'request.too-large');
    assert.match((refusedOne as PromiseRejectedResult).reason.message, /16 MB/);
  });
});
