/**
 * What of an event may be told now. Rights are looked at again before every attempt: an event whose resource the owner may no
 * longer read is told by its number alone, so nothing leaks and no gap shows.
 */
import { isUnrestricted } from '../access/authorize.ts';
import { permits } from '../access/check.ts';
import { isLocal } from '../search/predicate.ts';
import type { Store, Stored } from '../store/store.ts';
import type { ToldEvent } from './bundle.ts';
import type { Definition } from './definition.ts';
import type { Content } from './names.ts';
import type { EventRecord } from './state.ts';

/** A deleted resource is judged as it was before. */
export const judgedVersion = (event: { readonly method: string; readonly version: number }): number =>
  event.method === 'DELETE' ? event.version - 1 : event.version;

async function tellOne(
  store: Store,
  base: string,
  definition: Definition,
  event: EventRecord,
  content: Content,
): Promise<ToldEvent> {
  const { n, at, type, id, version, method } = event;
  const bare: ToldEvent = { n, at };
  const access = definition.interests.find((interest) => interest.type === type)?.access;
  if (content === 'empty' || !access) return bare;
  const open = isUnrestricted(access);
  const wantsText = content === 'full-resource' && method !== 'DELETE';
  let stored: Stored | undefined;
  if (!open || wantsText) stored = await store.readVersion(type, id, judgedVersion(event));
  if (!open) {
    if (!stored || stored.deleted) return bare;
    const shown =
      permits(access, JSON.parse(stored.text) as Record<string, unknown>, base) ||
      (!isLocal(access.filter) && (await store.visible(type, id, access)));
    if (!shown) return bare;
  }
  return { n, at, focus: { type, id, version, method, text: wantsText ? stored?.text : undefined } };
}

export async function tell(
  store: Store,
  base: string,
  definition: Definition,
  events: readonly EventRecord[],
  content: Content,
): Promise<ToldEvent[]> {
  const told: ToldEvent[] = [];
  for (const event of events) told.push(await tellOne(store, base, definition, event, content));
  return told;
}
