/** The Subscription that a caller asks an operation about. */
import { authorize } from '../access/authorize.ts';
import { permitsTerms } from '../access/check.ts';
import type { Letter, Principal } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import { extract } from '../fhir/extract.ts';
import type { AccessFilter } from '../search/plan.ts';
import type { Store, Stored } from '../store/store.ts';
import type { Obj } from './names.ts';
import { isVisible } from './owner.ts';

export interface Seen {
  readonly stored: Stored;
  readonly resource: Obj;
}

/** @throws VitalwireError `auth.forbidden` when no scope allows it at all, before anything is looked up. */
export const subscriptionAccess = (principal: Principal, letter: Letter, base: string): AccessFilter =>
  authorize(principal, letter, 'Subscription', base);

/** Undefined when it is not there, or not this caller's to see: both look the same. */
export function seen(
  stored: Stored | undefined,
  principal: Principal,
  access: AccessFilter,
  base: string,
): Seen | undefined {
  if (!stored || stored.deleted) return undefined;
  const resource = JSON.parse(stored.text) as Record<string, unknown>;
  const meta = { id: stored.id, lastUpdated: Date.parse(stored.lastUpdated) };
  const permitted = permitsTerms(access, 'Subscription', extract(resource, base), meta);
  return permitted && isVisible(principal, resource) ? { stored, resource } : undefined;
}

/** @throws VitalwireError `auth.forbidden`, `resource.not-found` */
export async function findSubscription(store: Store, id: string, principal: Principal, base: string): Promise<Seen> {
  const access = subscriptionAccess(principal, 'r', base);
  const found = seen(await store.read('Subscription', id), principal, access, base);
  if (!found) throw new VitalwireError('resource.not-found', `There is no Subscription/${id}.`);
  return found;
}
