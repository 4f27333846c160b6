/**
 * Whose a Subscription is. The right by which it was asked for is kept beside it, not in it; a tag in the stored text says whose
 * it is, so that the same index that answers a search decides who sees it. Nobody is shown the tag.
 */
import { authorize, unrestricted } from '../access/authorize.ts';
import type { Principal } from '../access/principal.ts';
import { parseScopes } from '../access/scopes.ts';
import type { Caller } from '../base/caller.ts';
import { sha256Url } from '../base/hash.ts';
import { limits } from '../base/limits.ts';
import type { MaybePromise } from '../base/types.ts';
import type { AccessFilter, Filter } from '../search/plan.ts';
import type { DocWrite, Store } from '../store/store.ts';
import { COLLECTIONS, list, type Obj, OWNER_SYSTEM, obj, str } from './names.ts';

/** What outlives the access token. An empty clientId: the server's own (seed). */
export interface OwnerRecord {
  readonly clientId: string;
  readonly admin: boolean;
  readonly scope: string;
  readonly patient?: string | undefined;
  readonly fhirUser?: string | undefined;
  readonly grantId?: string | undefined;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export const SERVER_OWNED = 'server';

/** Code of the tag; a client cannot choose it. */
export const ownerCode = (clientId: string): string =>
  clientId === '' ? SERVER_OWNED : sha256Url(clientId).slice(0, 22);

export function recordOf(caller: Principal | undefined, since: number): OwnerRecord {
  if (!caller) return { clientId: '', admin: true, scope: '', since };
  const { clientId, admin, scopeText, patient, fhirUser, grantId } = caller;
  return { clientId, admin, scope: scopeText, patient, fhirUser, grantId, since };
}

export async function readOwner(store: Store, id: string): Promise<OwnerRecord | undefined> {
  const doc = await store.doc(COLLECTIONS.owner, id);
  return doc && (JSON.parse(doc.body) as OwnerRecord);
}

export const ownerDoc = (id: string, owner: OwnerRecord): DocWrite => ({
  op: 'put',
  doc: { collection: COLLECTIONS.owner, key: id, body: JSON.stringify(owner), tags: [ownerCode(owner.clientId)] },
});

const principals = new Map<string, Principal>();

/** The owner as if their token were here: what they may read at any later moment. One object for the same rights. */
export function principalOf(owner: OwnerRecord): Principal {
  const { clientId, admin, scope, patient, fhirUser, grantId } = owner;
  const key = JSON.stringify([clientId, admin, scope, patient, fhirUser, grantId]);
  let principal = principals.get(key);
  if (!principal) {
    principal = Object.freeze({
      clientId,
      admin,
      scopes: parseScopes(scope),
      scopeText: scope,
      patient,
      fhirUser,
      grantId,
    });
    if (principals.size >= limits.subscriptionOwnersCachedMax) principals.clear();
    principals.set(key, principal);
  }
  return principal;
}

/** What of `type` the owner may read and find. @throws VitalwireError `auth.forbidden` */
export function ownerAccess(owner: OwnerRecord, principal: Principal, type: string, base: string): AccessFilter {
  if (owner.clientId === '') return unrestricted(type);
  // CONTRACT §7: `rs` on each type that the topic delivers; what is delivered is what a read would give.
  authorize(principal, 's', type, base);
  return authorize(principal, 'r', type, base);
}

const isOwnerTag = (tag: Obj): boolean => tag['system'] === OWNER_SYSTEM;

/** The code of the owner tag in a stored resource. */
export const ownerTagOf = (resource: Obj): string | undefined =>
  str(list(obj(resource['meta'])['tag']).find(isOwnerTag)?.['code']);

/** Takes the tag out, whoever put it there; with a code puts the true one in. Changes `resource`. */
export function setOwnerTag(resource: Record<string, unknown>, code: string | undefined): void {
  const meta: Record<string, unknown> = { ...obj(resource['meta']) };
  const tags = list(meta['tag']).filter((tag) => !isOwnerTag(tag));
  if (code !== undefined) tags.push({ system: OWNER_SYSTEM, code });
  if (tags.length > 0) meta['tag'] = tags;
  else delete meta['tag'];
  if (Object.keys(meta).length > 0) resource['meta'] = meta;
  else delete resource['meta'];
}

/** CONTRACT §7: seen by its client and administrators. */
export function visibility(caller: Caller): Filter | undefined {
  if (caller.admin) return undefined;
  return { op: 'token', param: '_tag', system: OWNER_SYSTEM, code: ownerCode(caller.clientId) };
}

export const isVisible = (caller: Caller, resource: Obj): boolean =>
  caller.admin || ownerTagOf(resource) === ownerCode(caller.clientId);

/** Whether the client that owns it is still let in. */
export const isEnabled = (owner: OwnerRecord, clientEnabled: (id: string) => Promise<boolean>): MaybePromise<boolean> =>
  owner.clientId === '' || clientEnabled(owner.clientId);
