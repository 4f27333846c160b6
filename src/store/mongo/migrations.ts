/** Versioned steps that make the indexes what this program expects; they run once, under a lock, whoever starts first. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import { StartError } from '../../base/errors.ts';
import type { Connection } from './connection.ts';
import { CHANGES_OF_ONE, CHANGES_OF_TYPE, LATER_CHANGES, RESOURCE_INDEXES } from './indexes.ts';

const LOCK_MS = 60_000;
const WAIT_MS = 200;
const COMMITS_KEPT_SECONDS = 86_400;

/** One step; it may be cut off anywhere and run again. */
export type Migration = (db: Connection) => Promise<void>;

export const MIGRATIONS: readonly Migration[] = [
  async (db) => {
    // Explicit: a collection cannot be made implicitly inside a transaction on every server version.
    for (const name of ['resources', 'versions', 'changes', 'keys', 'docs', 'numbers', 'commits'])
      await db.db.createCollection(name).catch(ignoreExisting);
    await db.resources.createIndexes(Object.values(RESOURCE_INDEXES).map((key) => ({ key })));
    await db.changes.createIndexes([
      { key: CHANGES_OF_TYPE },
      { key: CHANGES_OF_ONE },
      // Updates and deletions alone: what a walk asks for that began before them.
      { key: LATER_CHANGES, partialFilterExpression: { version: { $gt: 1 } } },
    ]);
    await db.docs.createIndexes([
      { key: { c: 1, k: 1 } },
      { key: { c: 1, tags: 1, k: 1 } },
      { key: { expires: 1 }, expireAfterSeconds: 0 },
    ]);
    await db.commits.createIndexes([{ key: { at: 1 }, expireAfterSeconds: COMMITS_KEPT_SECONDS }]);
  },
];

function ignoreExisting(error: { codeName?: string; code?: number }): void {
  if (error.codeName !== 'NamespaceExists' && error.code !== 48) throw error;
}

const versionOf = async (db: Connection): Promise<number> => (await db.numbers.findOne({ _id: 'schema' }))?.n ?? 0;

function refuseNewer(version: number, known: number): void {
  if (version > known)
    throw new StartError(
      `The database of MONGODB_URI was written by a newer Vitalwire (its schema is version ${version}, this program knows up to ${known}). Start that version again, or restore a backup made before the upgrade.`,
    );
}

/** Takes the lock, or says that another process has it. A process that died under it loses it after a minute. */
async function lock(db: Connection, now: number): Promise<boolean> {
  try {
    await db.numbers.findOneAndUpdate(
      { _id: 'migration-lock', at: { $lt: now } },
      { $set: { at: now + LOCK_MS, n: 1 } },
      { upsert: true },
    );
    return true;
  } catch (error) {
    if ((error as { code?: number }).code === 11_000) return false;
    throw error;
  }
}

/** Keeps the lock for as long again. */
const hold = async (db: Connection, now: number): Promise<void> => {
  await db.numbers.updateOne({ _id: 'migration-lock' }, { $set: { at: now + LOCK_MS } });
};

/** @throws StartError when the database was written by a newer program; nothing in it is changed. */
export async function migrate(db: Connection, clock: Clock, steps: readonly Migration[] = MIGRATIONS): Promise<void> {
  const giveUp = clock.now() + 2 * LOCK_MS;
  for (;;) {
    const version = await versionOf(db);
    refuseNewer(version, steps.length);
    if (version === steps.length) return;
    if (!(await lock(db, clock.now()))) {
      if (clock.now() > giveUp)
        throw new StartError(
          'MONGODB_URI: another process is changing the schema of the database and does not end. Look at it, then start again.',
        );
      await sleep(WAIT_MS);
      continue;
    }
    // Building an index over years of data takes longer than the lock lasts.
    const renew = setInterval(() => void hold(db, clock.now()).catch(() => {}), LOCK_MS / 3);
    try {
      for (let step = await versionOf(db); step < steps.length; step++) {
        await steps[step]?.(db);
        await db.numbers.updateOne({ _id: 'schema' }, { $set: { n: step + 1 } }, { upsert: true });
      }
    } finally {
      clearInterval(renew);
      await hold(db, -LOCK_MS);
    }
  }
}
