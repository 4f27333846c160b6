/** Opens the store that the configuration names, and the key that seals its secrets: for the server and for every command. */

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { StartError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { createSealer, parseSecretKey, SECRET_KEY_BYTES, type Sealer } from '../base/secret.ts';
import type { ServeConfig } from '../config.ts';
import type { Store } from '../store/store.ts';

export interface Opened {
  readonly store: Store;
  readonly sealer: Sealer;
  /** Signs paging cursors; derived from the secret key. */
  readonly secretKey: Uint8Array;
}

const KEY_SENTENCE = `must hold ${SECRET_KEY_BYTES} bytes as hex (64 digits) or base64 (44 characters)`;

/** @throws StartError naming SECRET_KEY_FILE. */
export function readSecretKey(path: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new StartError(`SECRET_KEY_FILE ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? cause}.`);
  }
  const key = parseSecretKey(text);
  if (!key) throw new StartError(`SECRET_KEY_FILE ${path} ${KEY_SENTENCE}.`);
  return key;
}

/** The key in DATA_DIR, made on the first start. */
function keyInDataDir(dataDir: string, log: Logger): Uint8Array {
  const path = join(dataDir, 'secret.key');
  if (!existsSync(path)) {
    writeFileSync(path, randomBytes(SECRET_KEY_BYTES).toString('hex') + '\n', { mode: 0o600, flag: 'wx' });
    chmodSync(path, 0o600);
  }
  log.warn({ file: 'secret.key' }, 'SECRET_KEY_FILE is not set: the key is kept in DATA_DIR, beside what it protects');
  return readSecretKey(path);
}

/** The key in the database, for servers that share it. */
async function keyInDatabase(store: Store, log: Logger): Promise<Uint8Array> {
  log.warn('SECRET_KEY_FILE is not set: the key is kept in the database, beside what it protects');
  const doc = { collection: 'server-keys', key: 'secret', body: randomBytes(SECRET_KEY_BYTES).toString('hex') };
  // Two servers may start at once: the first insert wins, and both read it.
  await store.commit({ docs: [{ op: 'insert', doc }] });
  const kept = parseSecretKey((await store.doc('server-keys', 'secret'))?.body ?? '');
  if (!kept) throw new StartError('The secret key in the database of MONGODB_URI is damaged. Set SECRET_KEY_FILE.');
  return kept;
}

export async function openStore(config: ServeConfig, base: string, log: Logger): Promise<Opened> {
  const given = config.secretKeyFile === undefined ? undefined : readSecretKey(config.secretKeyFile);
  const options = { clock: systemClock, limits, log, base };
  if (config.mongodbUri !== undefined) {
    const { openMongoStore } = await import('../store/mongo/index.ts');
    const store = await openMongoStore({ ...options, uri: config.mongodbUri });
    const secretKey = given ?? (await keyInDatabase(store, log));
    return { store, sealer: createSealer(secretKey), secretKey };
  }
  const { openSqliteStore } = await import('../store/sqlite/index.ts');
  const store = await openSqliteStore({ ...options, dir: config.dataDir });
  const secretKey = given ?? keyInDataDir(config.dataDir, log);
  return { store, sealer: createSealer(secretKey), secretKey };
}
