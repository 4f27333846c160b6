/** DATA_DIR: made when absent, tried by really writing, with one sentence for whatever is wrong with it. */
import { closeSync, existsSync, mkdirSync, openSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '../../base/errors.ts';
import { SCHEMA_VERSION } from './migrations.ts';

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** @throws StartError naming DATA_DIR. */
export function prepareFolder(dir: string): void {
  const path = resolve(dir);
  if (!existsSync(path)) {
    if (!existsSync(dirname(path)))
      throw new StartError(`DATA_DIR ${dir} cannot be made: its parent folder ${dirname(path)} does not exist.`);
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw new StartError(`DATA_DIR ${dir} cannot be made (${codeOf(error)}).`);
    }
  }
  if (!statSync(path).isDirectory()) throw new StartError(`DATA_DIR ${dir} is not a folder.`);
  const probe = join(path, `.write-test-${process.pid}`);
  try {
    // Asking for permissions is not enough: root may write where the file system is read-only.
    const file = openSync(probe, 'w', 0o600);
    try {
      writeSync(file, 'x');
    } finally {
      closeSync(file);
      unlinkSync(probe);
    }
  } catch (error) {
    throw new StartError(`DATA_DIR ${dir} is not writable (${codeOf(error)}).`);
  }
}

/**
 * Looks at an existing file before anything opens it for writing: a newer schema is refused with the file untouched.
 * @throws StartError
 */
export function refuseNewer(path: string): void {
  if (!existsSync(path) || statSync(path).size === 0) return;
  let version: number;
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
    try {
      version = Number((db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version);
    } finally {
      db.close();
    }
  } catch (cause) {
    throw new StartError(`${path} in DATA_DIR is not a Vitalwire store: ${(cause as Error).message}.`);
  }
  if (version > SCHEMA_VERSION)
    throw new StartError(
      `${path} was written by a newer Vitalwire (its schema is version ${version}, this program knows up to ${SCHEMA_VERSION}). Start that version again, or restore a backup made before the upgrade.`,
    );
}
