/**
 * What oidc-provider keeps, as sealed documents under the hash of its id: whoever reads the store learns no token. Everything
 * survives a crash, since `commit` resolves when it is durable. smart.md traps 14 and 17.
 */
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Clock } from '../base/clock.ts';
import { sha256Url } from '../base/hash.ts';
import type { Sealer } from '../base/secret.ts';
import type { Doc, DocWrite, Store } from '../store/store.ts';

export interface AdapterOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly sealer: Sealer;
  /** Called once it is durable that this token is worth nothing any more. */
  readonly revoked: (token: string) => void;
  /** The same for every token of a grant. */
  readonly grantRevoked: (grantId: string) => void;
}

const PAGE = 500;

/** `ClientCredentials` → `auth-client-credentials`. */
export function collectionOf(model: string): string {
  return `auth${model.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function tag(name: string, value: string): string {
  return `${name}:${sha256Url(value)}`;
}

/** Only these can be listed by. */
const TAGGED = ['grantId', 'uid', 'userCode', 'accountId', 'clientId'] as const;

function tagsOf(payload: AdapterPayload): string[] {
  return TAGGED.flatMap((name) => (typeof payload[name] === 'string' ? [tag(name, payload[name])] : []));
}

type Name = 'jti' | 'uid' | 'userCode';

/** What cannot be opened, or is not what was asked for (a document put under another's key), is not there. */
function openAs(sealer: Sealer, doc: Doc | undefined, name: Name, asked: string): AdapterPayload | undefined {
  if (!doc) return undefined;
  try {
    const payload = JSON.parse(sealer.open(doc.body)) as AdapterPayload;
    return payload[name] === asked ? payload : undefined;
  } catch {
    return undefined;
  }
}

/** Adapter of one model. The ids that it is given are the tokens themselves. */
export function createAdapter(model: string, options: AdapterOptions): Adapter {
  const { store, clock, sealer } = options;
  const collection = collectionOf(model);
  const keyOf = (id: string): string => sha256Url(id);

  const open = (doc: Doc | undefined, name: Name, asked: string): AdapterPayload | undefined =>
    openAs(sealer, doc, name, asked);

  async function byTag(name: string, value: string, limit: number): Promise<readonly Doc[]> {
    return store.docs({ collection, tags: [tag(name, value)], limit });
  }

  async function write(...docs: DocWrite[]): Promise<boolean> {
    return (await store.commit({ docs })).ok;
  }

  return {
    async upsert(id, payload, expiresIn) {
      const doc: Doc = {
        collection,
        key: keyOf(id),
        body: sealer.seal(JSON.stringify(payload)),
        tags: tagsOf(payload),
        expires: expiresIn === undefined ? undefined : clock.now() + expiresIn * 1000,
      };
      if (model !== 'ReplayDetection') {
        await write({ op: 'put', doc });
        return;
      }
      // A jti is spent by the insert itself: of two that come at once one is refused. RFC 7523 §3, 7.
      if (!(await write({ op: 'insert', doc }))) throw new errors.InvalidClientAuth('the jti was used before');
    },
    async find(id) {
      return open(await store.doc(collection, keyOf(id)), 'jti', id);
    },
    async findByUid(uid) {
      return open((await byTag('uid', uid, 1))[0], 'uid', uid);
    },
    async findByUserCode(userCode) {
      return open((await byTag('userCode', userCode, 1))[0], 'userCode', userCode);
    },
    async consume(id) {
      const doc = await store.doc(collection, keyOf(id));
      const payload = open(doc, 'jti', id);
      if (!doc || !payload) throw new errors.InvalidGrant('it is not there any more');
      const body = sealer.seal(JSON.stringify({ ...payload, consumed: Math.floor(clock.now() / 1000) }));
      // Of two that consume at once one is refused.
      if (!(await write({ op: 'replace', doc: { ...doc, body }, was: doc.body })))
        throw new errors.InvalidGrant('it was used before');
    },
    async destroy(id) {
      await write({ op: 'delete', collection, key: keyOf(id) });
      options.revoked(id);
    },
    async revokeByGrantId(grantId) {
      for (;;) {
        const page = await byTag('grantId', grantId, PAGE);
        if (page.length > 0) await write(...page.map((doc) => ({ op: 'delete', collection, key: doc.key }) as const));
        if (page.length < PAGE) break;
      }
      options.grantRevoked(grantId);
    },
  };
}
