/** The server's own keys: made on the first start, sealed, kept in the store so that every server and every restart has the same. */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { StartError } from '../base/errors.ts';
import { randomUrl } from '../base/hash.ts';
import type { Sealer } from '../base/secret.ts';
import type { Store } from '../store/store.ts';

export interface ServerKeys {
  /** Private JWKs: RS256 (OpenID Connect demands it) and ES256. */
  readonly jwks: { readonly keys: readonly Readonly<Record<string, string>>[] };
  /** Newest first. */
  readonly cookies: readonly string[];
}

const COLLECTION = 'auth-server-keys';
const KEY = 'current';
const generate = promisify(generateKeyPair);

const jwk = (key: KeyObject, alg: string): Record<string, string> => ({
  ...(key.export({ format: 'jwk' }) as Record<string, string>),
  alg,
  use: 'sig',
  kid: randomUrl(16),
});

async function make(): Promise<ServerKeys> {
  const rsa = await generate('rsa', { modulusLength: 2048 });
  const ec = await generate('ec', { namedCurve: 'P-256' });
  return { jwks: { keys: [jwk(rsa.privateKey, 'RS256'), jwk(ec.privateKey, 'ES256')] }, cookies: [randomUrl(32)] };
}

async function read(store: Store, sealer: Sealer): Promise<ServerKeys | undefined> {
  const doc = await store.doc(COLLECTION, KEY);
  if (!doc) return undefined;
  try {
    return JSON.parse(sealer.open(doc.body)) as ServerKeys;
  } catch {
    throw new StartError(
      'The secret key does not open what is in the store. Start with the SECRET_KEY_FILE that the store was made with.',
    );
  }
}

/** @throws StartError when they were sealed with another key. */
export async function loadKeys(store: Store, sealer: Sealer): Promise<ServerKeys> {
  const kept = await read(store, sealer);
  if (kept) return kept;
  const made = await make();
  const doc = { collection: COLLECTION, key: KEY, body: sealer.seal(JSON.stringify(made)) };
  // Servers that start at the same time on one store: the first makes them, the others take those.
  await store.commit({ docs: [{ op: 'insert', doc }] });
  return (await read(store, sealer)) ?? made;
}
