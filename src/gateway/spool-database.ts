/** The spool's file: schema, how it is opened, its statements. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '../base/errors.ts';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS item(seq INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, adapter TEXT NOT NULL,
  received INTEGER NOT NULL, acked INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS item_device ON item(device, seq) WHERE acked = 0;
CREATE TABLE IF NOT EXISTS dead_letter(seq INTEGER PRIMARY KEY, adapter TEXT NOT NULL, at INTEGER NOT NULL,
  code TEXT NOT NULL, details TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS figure(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;`;

const VERSION = 1;
/** @throws StartError when another gateway has it, a newer version wrote it, or it cannot be opened. */
export function openDatabase(dir: string): DatabaseSync {
  const path = join(dir, 'spool.db');
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    // Exclusive: a second gateway on the same folder would send everything twice and in another order.
    db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN EXCLUSIVE; COMMIT');
    const { user_version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (user_version > VERSION)
      throw new StartError(`${path} was written by a newer Vitalwire. Start that version, or use another DATA_DIR.`);
    db.exec(`${SCHEMA} PRAGMA user_version=${VERSION}; DELETE FROM item WHERE acked = 1;`);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof StartError) throw error;
    const { message } = error as Error;
    throw new StartError(
      /locked|busy/i.test(message)
        ? `${path} is in use by another gateway. Stop it, or set DATA_DIR.`
        : `The spool ${path} cannot be opened: ${message}.`,
    );
  }
}

export function prepareAll(db: DatabaseSync) {
  return {
    insert: db.prepare('INSERT INTO item(device, adapter, received, body) VALUES (?, ?, ?, ?)'),
    heads: db.prepare(
      // SQLite takes the bare columns from the row of min(): https://sqlite.org/lang_select.html#bareagg
      'SELECT min(seq) seq, device, adapter, received, count(*) count FROM item WHERE acked = 0 GROUP BY device',
    ),
    head: db.prepare(
      'SELECT seq, device, adapter, received FROM item WHERE device = ? AND acked = 0 ORDER BY seq LIMIT 1',
    ),
    take: db.prepare(
      'SELECT seq, device, adapter, received, body FROM item WHERE device = ? AND acked = 0 ORDER BY seq LIMIT ?',
    ),
    oldest: db.prepare('SELECT received FROM item WHERE acked = 0 ORDER BY seq LIMIT 1'),
    ack: db.prepare('UPDATE item SET acked = 1 WHERE seq = ? RETURNING length(body) n'),
    remove: db.prepare('DELETE FROM item WHERE seq = ?'),
    bury: db.prepare(
      `INSERT OR REPLACE INTO dead_letter(seq, adapter, at, code, details, body)
       SELECT seq, adapter, ?, ?, ?, body FROM item WHERE seq = ?`,
    ),
    trim: db.prepare(
      'DELETE FROM dead_letter WHERE seq <= (SELECT seq FROM dead_letter ORDER BY seq DESC LIMIT 1 OFFSET ?)',
    ),
    letters: db.prepare('SELECT adapter, at, code, details, body FROM dead_letter ORDER BY seq DESC LIMIT ?'),
    figure: db.prepare(
      'INSERT INTO figure(name, value) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value',
    ),
  };
}
