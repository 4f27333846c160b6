/** `GET /ingest/held`: what was not filed, newest first. CONTRACT §5 held, more. */

import type { Principal } from '../access/principal.ts';
import { instant } from '../base/clock.ts';
import { VitalwireError } from '../base/errors.ts';
import type { PlainResponse } from '../base/http.ts';
import { canonicalIdentity } from '../devices/identity.ts';
import type { Doc } from '../store/store.ts';
import { mayIngest } from './access.ts';
import { ok } from './answer.ts';
import { gatewayTag, HELD, type HeldEntry, identityTag, parseEntry, reasonTag, statusTag, valueTag } from './held.ts';
import type { Room } from './room.ts';

/** A message as JSON; one that never was JSON as a text. */
function messageJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

function entryText(entry: HeldEntry): string {
  const { id, status, reason, details, device, gateway, adapter, receivedAt, message } = entry;
  const head = JSON.stringify({
    id,
    status,
    reason,
    details,
    device: { identifier: device },
    gateway,
    adapter,
    receivedAt: instant(receivedAt),
  });
  return `${head.slice(0, -1)},"message":${messageJson(message)}}`;
}

/** Tags of which one must be there: an identifier value, `system|value`, or what a Device is known by. */
async function deviceTags(room: Room, text: string): Promise<string[]> {
  const id = /^Device\/([A-Za-z0-9\-.]{1,64})$/.exec(text)?.[1];
  if (id !== undefined) return (await room.devices.identities(id)).map(identityTag);
  const bar = text.indexOf('|');
  if (bar === -1) return [valueTag(text)];
  return [identityTag(canonicalIdentity({ system: text.slice(0, bar), value: text.slice(bar + 1) }))];
}

function countOf(room: Room, text: string | null): number {
  if (text === null) return room.limits.pageEntriesDefault;
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || count < 1)
    throw new VitalwireError('request.value', '"_count" must be a whole number, 1 or more.');
  return Math.min(count, room.limits.pageEntriesMax);
}

const FILTERS = ['device', 'reason', 'status', 'gateway'] as const;

/** The newest `limit` before a key, of any of the tags of the device. */
async function newest(
  room: Room,
  tags: readonly string[],
  device: readonly string[] | undefined,
  before: string | null,
  limit: number,
): Promise<Doc[]> {
  const common = { collection: HELD, limit, descending: true, ...(before === null ? {} : { before }) };
  if (!device) return [...(await room.store.docs({ ...common, tags }))];
  const found = new Map<string, Doc>();
  for (const tag of device)
    for (const doc of await room.store.docs({ ...common, tags: [...tags, tag] })) found.set(doc.key, doc);
  return [...found.values()].sort((a, b) => (a.key < b.key ? 1 : -1)).slice(0, limit);
}

/** A gateway sees what it sent, an administrator everything. */
export const visibleTags = (principal: Principal): string[] =>
  principal.admin ? [] : [gatewayTag(principal.clientId)];

export async function heldList(room: Room, query: string, principal: Principal): Promise<PlainResponse> {
  mayIngest(principal, room.base);
  const params = new URLSearchParams(query);
  const count = countOf(room, params.get('_count'));
  const tags = visibleTags(principal);
  const [device, reason, status, gateway] = FILTERS.map((name) => params.get(name) || null);
  if (reason) tags.push(reasonTag(reason));
  if (status) tags.push(statusTag(status));
  if (gateway) tags.push(gatewayTag(gateway));
  const ofDevice = device ? await deviceTags(room, device) : undefined;
  const docs = await newest(room, tags, ofDevice, params.get('_cursor'), count + 1);
  const page = docs.slice(0, count);
  const entries = page.map((doc) => entryText(parseEntry(doc.body)));
  let next = '';
  if (docs.length > count) {
    const again = new URLSearchParams();
    for (const name of FILTERS) if (params.get(name)) again.set(name, params.get(name) as string);
    again.set('_count', String(count));
    again.set('_cursor', page.at(-1)?.key ?? '');
    next = `,"next":${JSON.stringify(`${room.baseUrl}/ingest/held?${again}`)}`;
  }
  return ok(`{"held":[${entries.join(',')}]${next}}`);
}
