/** A store of an older program is brought up step by step, with what is in it; a step that fails leaves it as it was. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Connection } from '../../../src/store/sqlite/connection.ts';
import { MIGRATIONS, type Migration, migrate, versionOf } from '../../../src/store/sqlite/migrations.ts';
import { committed, patient, writeOf } from '../../contract/support.ts';
import { openIn, temporaryFolder } from './support.ts';

const later: Migration = (db) => db.exec('CREATE TABLE later(x); INSERT INTO later SELECT count(*) FROM resource');
const failing: Migration = (db) => {
  db.exec('CREATE TABLE halfway(x)');
  throw new Error('the disk is full');
};

/** A store of today with one Patient, opened as a program with more steps would. */
async function older(): Promise<{ db: Connection; dir: string; path: string; id: string }> {
  const dir = temporaryFolder();
  const store = await openIn(dir);
  const id = store.newId();
  await committed(store, { writes: [writeOf(patient(), id, 0)] });
  await store.close();
  const path = join(dir, 'vitalwire.db');
  return { db: new Connection(path, { readOnly: false, cacheKib: 1024 }), dir, path, id };
}

test('an older store is migrated, and everything in it is still there', async () => {
  const { db, path } = await older();
  const version = versionOf(db);
  migrate(db, path, [...MIGRATIONS, later]);
  assert.equal(versionOf(db), version + 1);
  assert.equal(db.number(-1, 'SELECT x FROM later'), 1);
  migrate(db, path, [...MIGRATIONS, later]);
  assert.equal(db.number(-1, 'SELECT count(*) FROM later'), 1, 'a step runs once');
  db.close();
});

test('a step that fails is undone whole, and the older program can still open the store', async () => {
  const { db, dir, path, id } = await older();
  const version = versionOf(db);
  assert.throws(() => migrate(db, path, [...MIGRATIONS, failing]), /the disk is full/);
  assert.equal(versionOf(db), version);
  assert.equal(db.number(-1, "SELECT count(*) FROM sqlite_master WHERE name = 'halfway'"), 0);
  db.close();
  const store = await openIn(dir);
  assert.equal((await store.read('Patient', id))?.id, id);
  await store.close();
});
