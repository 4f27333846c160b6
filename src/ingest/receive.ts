/** `POST /ingest/{adapter}`: one request, one commit, one answer for each message. CONTRACT §5 ingest, dry run. */

import type { Principal } from '../access/principal.ts';
import { timeKey } from '../base/hash.ts';
import type { PlainResponse } from '../base/http.ts';
import type { Draft } from '../store/store.ts';
import { forbidden, mayIngest } from './access.ts';
import type { Adapter } from './adapter.ts';
import { ok } from './answer.ts';
import { messagesOf } from './body.ts';
import { bodyText } from './build/observation.ts';
import type { Item } from './candidate.ts';
import { attempt, type Done, type Plan, persist } from './pipeline.ts';
import { DeviceGroups, prepare } from './prepare.ts';
import { originOf, rawDoc } from './raw.ts';
import { resultText } from './result.ts';
import type { Room } from './room.ts';
import { type Settled, Settlement } from './settle.ts';
import { stagesOf } from './trace.ts';

export interface Post {
  readonly adapter: Adapter;
  readonly media: string;
  readonly body: string;
  readonly dryRun: boolean;
}

export async function receive(room: Room, post: Post, principal: Principal): Promise<PlainResponse> {
  const { access, scopes } = mayIngest(principal, room.base);
  const { adapter, media, body, dryRun } = post;
  const messages = messagesOf(body, media, adapter.list, room.limits);
  if (messages.length === 0) return ok('{"results":[]}');
  const now = room.clock.now();
  const reception = { adapter, limits: room.limits, groups: new DeviceGroups(), receivedAt: now, now };
  const items = messages.map((message) => prepare(message, reception));
  const key = timeKey(now);
  const origin = (item: Item): string => originOf(key, item.message.index);
  const sender = { adapter: adapter.name, gateway: principal.clientId, scopes, originOf: origin };
  const plan: Plan = {
    request: {
      items,
      now,
      accesses: access ? [access] : [],
      forbidden: () => {
        throw forbidden();
      },
      originOf: origin,
    },
    settle: () => settle(room, items, sender),
    raw: rawDoc(
      key,
      { adapter: adapter.name, version: adapter.version, gateway: principal.clientId, receivedAt: now, media },
      body,
    ),
    dryRun,
  };
  const done = await persist(room, () => attempt(room, plan));
  if (!dryRun) count(room, done.settled);
  return ok(answerOf(items, done, dryRun ? adapter : undefined));
}

async function settle(
  room: Room,
  items: readonly Item[],
  sender: ConstructorParameters<typeof Settlement>[1],
): Promise<Settled> {
  const settlement = new Settlement(room, sender);
  for (const item of items) {
    const done = settlement.receive(item);
    if (done) await done;
  }
  return settlement;
}

/** Answers of this process, for /metrics. */
export function count(room: Room, settled: Settled): void {
  const { status, issues } = room.counts;
  for (const result of settled.results) {
    status[result.status]++;
    if (result.issue) issues.set(result.issue.code, (issues.get(result.issue.code) ?? 0) + 1);
  }
}

function answerOf(items: readonly Item[], done: Done, traced: Adapter | undefined): string {
  const texts = done.settled.results.map((result, i) => {
    const item = items[i] as Item;
    if (!traced) return resultText(item.message.index, result);
    // What a dry run would make is not there, so it has no address.
    const there = item.candidates.flatMap(({ outcome }) => (outcome?.status === 'duplicate' ? [outcome.id] : []));
    const stages = `,"stages":${JSON.stringify(stagesOf(item, traced))},"resources":[${resourcesOf(item, done).join(',')}]`;
    return resultText(item.message.index, { ...result, observations: there }, stages);
  });
  return `{"results":[${texts.join(',')}]}`;
}

/** As they would be, without what only a commit gives: id, version and instant. */
function draftText(draft: Draft): string {
  const meta = draft.meta === '' ? '' : `,"meta":{${draft.meta.slice(1)}}`;
  return `{"resourceType":"${draft.type}"${meta}${bodyText(draft.body)}`;
}

function resourcesOf(item: Item, { located }: Done): string[] {
  const devices = new Set(item.candidates.map((c) => (typeof c.group.found === 'object' ? c.group.found.id : '')));
  const created = located.created.filter((made) => devices.has(made.write.draft.id)).map((made) => made.write.draft);
  const observations = item.candidates.flatMap(({ outcome }) =>
    outcome?.status === 'stored' ? [outcome.write.draft] : [],
  );
  return [...created, ...observations].map(draftText);
}
