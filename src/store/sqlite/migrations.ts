/** The ordered list of what made the tables as they are. `PRAGMA user_version` says how many of them a file has seen. */
import { randomBytes } from 'node:crypto';
import { StartError } from '../../base/errors.ts';
import type { Connection } from './connection.ts';
import { FIRST_SCHEMA } from './schema.ts';

export type Migration = (db: Connection) => void;

export const MIGRATIONS: readonly Migration[] = [
  (db) => {
    db.exec(FIRST_SCHEMA);
    db.run("INSERT INTO meta VALUES ('id-key', ?), ('rid-next', 1)", randomBytes(32));
  },
];

export const SCHEMA_VERSION = MIGRATIONS.length;

export const versionOf = (db: Connection): number => db.number(0, 'PRAGMA user_version');

/**
 * Brings the file to this program's version, each step in a transaction of its own.
 * @throws StartError when the file was written by a newer program; it is left as it is.
 */
export function migrate(db: Connection, path: string, steps: readonly Migration[] = MIGRATIONS): void {
  const found = versionOf(db);
  if (found > steps.length)
    throw new StartError(
      `${path} was written by a newer Vitalwire (its schema is version ${found}, this program knows up to ${steps.length}). Start that version again, or restore a backup made before the upgrade.`,
    );
  for (let version = found; version < steps.length; version++) {
    db.exec('BEGIN IMMEDIATE');
    try {
      // Another process may have been faster.
      if (versionOf(db) === version) {
        steps[version]?.(db);
        db.exec(`PRAGMA user_version = ${version + 1}`);
      }
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  }
}
