/** `GET /ingest/explain/<id>`: from an Observation back to the messages that made it, and what each stage makes of them. */

import { instant } from '../base/clock.ts';
import { VitalwireError } from '../base/errors.ts';
import type { PlainResponse } from '../base/http.ts';
import { adapter as adapterOf } from './adapters/index.ts';
import { ok } from './answer.ts';
import { messagesOf, messageText } from './body.ts';
import type { Item } from './candidate.ts';
import { locateDevices, locatePatient } from './locate.ts';
import { DeviceGroups, prepare } from './prepare.ts';
import { type Raw, readRaw } from './raw.ts';
import type { Room } from './room.ts';
import { type Stage, stagesOf } from './trace.ts';

/** The stages are run again on the raw message; nothing is written. Device and patient are those of now at the measured time. */
async function stages(room: Room, raw: Raw, item: Item): Promise<Stage[]> {
  for (const c of item.candidates) {
    if (c.refused) {
      c.outcome = { status: 'refused', issue: c.refused };
      continue;
    }
    await locateDevices([c.group], { ...room, unknownDevice: 'hold' });
    const issue = await locatePatient(c, room);
    if (issue) c.outcome = { status: 'refused', issue };
  }
  return stagesOf(item, { name: raw.head.adapter, version: raw.head.version });
}

async function explainOrigin(room: Room, origin: string): Promise<string> {
  const raw = await readRaw(room.store, origin);
  const adapter = raw && adapterOf(raw.head.adapter);
  if (!raw || !adapter) return `{"origin":${JSON.stringify(origin)},"details":"The raw message is not kept any more."}`;
  const { head } = raw;
  const message = messagesOf(raw.text, head.media, adapter.list, room.limits)[raw.index];
  if (!message) throw new Error(`raw message ${origin} has no such index`);
  const item = prepare(message, {
    adapter,
    limits: room.limits,
    groups: new DeviceGroups(),
    receivedAt: head.receivedAt,
    now: head.receivedAt,
  });
  const facts = JSON.stringify({
    origin,
    adapter: head.adapter,
    adapterVersion: head.version,
    gateway: head.gateway,
    receivedAt: instant(head.receivedAt),
  });
  const text = message.broken ? JSON.stringify(messageText(message)) : messageText(message);
  return `${facts.slice(0, -1)},"message":${text},"stages":${JSON.stringify(await stages(room, raw, item))}}`;
}

/** For administrators; the caller checks that. Newest version first. */
export async function explain(room: Room, id: string): Promise<PlainResponse> {
  const newest = await room.store.read('Observation', id);
  if (!newest) throw new VitalwireError('resource.not-found', 'No Observation has this id.');
  const texts: string[] = [];
  const seen = new Set<string>();
  const last = Math.max(1, newest.version - room.limits.explainedVersionsMax + 1);
  for (let version = newest.version; version >= last; version--) {
    const stored = await room.store.readVersion('Observation', id, version);
    if (!stored?.origin || seen.has(stored.origin)) continue;
    seen.add(stored.origin);
    texts.push(`{"version":"${version}",${(await explainOrigin(room, stored.origin)).slice(1)}`);
  }
  const note =
    texts.length > 0 ? '' : ',"details":"The Observation did not come by ingest: it was written through the FHIR API."';
  return ok(`{"observation":"Observation/${id}"${note},"messages":[${texts.join(',')}]}`);
}
