/** Standard Webhooks 1.0.0 signatures, asymmetric: `v1a` ed25519 over `id.timestamp.body`, no secret to hand out. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { timeKey } from '../base/hash.ts';
import type { Sealer } from '../base/secret.ts';
import type { Store } from '../store/store.ts';
import { COLLECTIONS } from './names.ts';

export interface Signer {
  /** Headers of one attempt. `id` has no full stop. */
  headers(id: string, atMs: number, body: string): Record<string, string>;
  /** `{"keys":[{"id","alg":"ed25519","publicKey":"whpk_…"}]}` */
  published(): string;
}

interface Key {
  readonly id: string;
  readonly privateKey: KeyObject;
}

/** The last 32 bytes of the DER of an ed25519 public key are the key itself. RFC 8410 §4 */
function publicText(key: Key): string {
  const der = createPublicKey(key.privateKey).export({ format: 'der', type: 'spki' });
  return `whpk_${der.subarray(-32).toString('base64')}`;
}

async function load(store: Store, sealer: Sealer): Promise<Key[]> {
  const docs = await store.docs({ collection: COLLECTIONS.key, limit: 10 });
  return docs.map((doc) => ({
    id: doc.key,
    privateKey: createPrivateKey({ key: Buffer.from(sealer.open(doc.body), 'base64'), format: 'der', type: 'pkcs8' }),
  }));
}

/** Several servers may start at once on one store: the first key wins, since all insert under the same name. */
async function make(store: Store, sealer: Sealer, clock: Clock): Promise<void> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const body = sealer.seal(privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'));
  const claim = { collection: COLLECTIONS.checkpoint, key: 'signing-key', body: '{}' };
  await store.commit({
    docs: [
      { op: 'insert', doc: claim },
      { op: 'put', doc: { collection: COLLECTIONS.key, key: timeKey(clock.now()), body } },
    ],
  });
}

export async function createSigner(store: Store, sealer: Sealer, clock: Clock): Promise<Signer> {
  let keys = await load(store, sealer);
  if (keys.length === 0) {
    await make(store, sealer, clock);
    keys = await load(store, sealer);
  }
  const newest = keys.at(-1);
  if (!newest) throw new Error('the signing key of webhooks could not be stored');
  const published = JSON.stringify({
    keys: keys.map((key) => ({ id: key.id, alg: 'ed25519', publicKey: publicText(key) })),
  });
  return {
    headers(id, atMs, body) {
      const timestamp = String(Math.floor(atMs / 1000));
      const signature = sign(null, Buffer.from(`${id}.${timestamp}.${body}`), newest.privateKey).toString('base64');
      return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1a,${signature}` };
    },
    published: () => published,
  };
}
