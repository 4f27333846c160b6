/** `$replay`: held messages are tried again, each at its own time and by the rules of now. CONTRACT §5 replay, balance. */

import type { Principal } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import type { PlainResponse } from '../base/http.ts';
import type { Refusal } from '../store/store.ts';
import { accessOf, mayIngest, type Rights } from './access.ts';
import { adapter as adapterOf } from './adapters/index.ts';
import { ok } from './answer.ts';
import { messagesOf, NDJSON_TYPE } from './body.ts';
import type { Item } from './candidate.ts';
import { HELD, type HeldEntry, parseEntry, statusTag } from './held.ts';
import { type Issue, issue } from './issue.ts';
import { visibleTags } from './listing.ts';
import { attempt, type Done, persist } from './pipeline.ts';
import { DeviceGroups, prepare } from './prepare.ts';
import { count } from './receive.ts';
import { type Result, resultText } from './result.ts';
import type { Room } from './room.ts';
import { noCounters, Settlement } from './settle.ts';

const NOT_PERMITTED: Issue = issue(
  'store.rejected',
  'The token that sent the message, or the one that replays it, may not write what it would become. Replay it with a wider scope.',
);

/** A held message as it would be received now, but for its time of reception. */
function itemOf(room: Room, entry: HeldEntry, groups: DeviceGroups, now: number): Item {
  const adapter = adapterOf(entry.adapter);
  const [message] = messagesOf(entry.message.replaceAll('\n', ' '), NDJSON_TYPE, '', room.limits);
  if (!message) throw new Error('a held message without text');
  if (!adapter) {
    const refused = issue('mapping.no-match', `The adapter ${entry.adapter} is not there any more.`);
    return { message, receivedAt: entry.receivedAt, refused, candidates: [] };
  }
  return prepare(message, { adapter, limits: room.limits, groups, receivedAt: entry.receivedAt, now });
}

const nothingDone = (): Done => ({
  settled: { results: [], docs: [], counters: noCounters(), keepsRaw: false },
  located: { preconditions: [], created: [] },
});

/** What a replay did with some entries, one result each. */
interface Replayed {
  readonly entries: readonly HeldEntry[];
  readonly results: readonly Result[];
}

/** Entries of one sender's scope, as they are now, in one commit. */
async function attemptReplay(room: Room, ids: readonly string[], rights: Rights): Promise<(Done & Replayed) | Refusal> {
  const entries = await reread(room, ids);
  const [first] = entries;
  if (!first) return { ...nothingDone(), entries, results: [] };
  const now = room.clock.now();
  const groups = new DeviceGroups();
  const items = entries.map((entry) => itemOf(room, entry, groups, now));
  const origins = new Map(items.map((item, i) => [item, entries[i]?.origin]));
  const originOf = (item: Item): string => origins.get(item) ?? first.origin;
  const accesses = [rights.access, accessOf(first.scopes, room.base)].filter((access) => access !== undefined);
  const done = await attempt(room, {
    request: { items, now, accesses, forbidden: () => NOT_PERMITTED, originOf },
    settle: async () => {
      const { adapter, gateway } = first;
      const settlement = new Settlement(room, { adapter, gateway, originOf });
      for (const [i, item] of items.entries()) settlement.retry(item, entries[i] as HeldEntry);
      return settlement;
    },
  });
  return 'kind' in done ? done : { ...done, entries, results: done.settled.results };
}

const renumbered = (texts: readonly string[], from: number): string[] =>
  texts.map((text, i) => text.replace(/^\{"index":\d+/, `{"index":${from + i}`));

/** The entries as they are now; one that is gone or changed hands is left out. */
async function reread(room: Room, ids: readonly string[]): Promise<HeldEntry[]> {
  const found: HeldEntry[] = [];
  for (const id of ids) {
    const doc = await room.store.doc(HELD, id);
    const entry = doc && parseEntry(doc.body);
    if (entry?.status === 'held') found.push(entry);
  }
  return found;
}

async function replay(room: Room, entries: readonly HeldEntry[], rights: Rights): Promise<string[]> {
  const texts: string[] = [];
  const scopes = Map.groupBy(entries, (entry) => JSON.stringify(entry.scopes ?? null));
  for (const group of scopes.values()) {
    const ids = group.map((entry) => entry.id);
    // An entry that somebody else cured in between is left out by the next attempt.
    const done = await persist(room, () => attemptReplay(room, ids, rights));
    count(room, done.settled);
    texts.push(...done.results.map((result, i) => resultText(i, result, `,"held":"${done.entries[i]?.id}"`)));
  }
  return renumbered(texts, 0);
}

const NO_SUCH = new VitalwireError(
  'resource.not-found',
  'No held message has this id. GET /ingest/held lists those that are there.',
);

export async function replayOne(room: Room, id: string, principal: Principal): Promise<PlainResponse> {
  const rights = mayIngest(principal, room.base);
  const [entry] = await reread(room, [id]);
  if (!entry || !(principal.admin || entry.gateway === principal.clientId)) throw NO_SUCH;
  const texts = await replay(room, [entry], rights);
  // Cured by somebody else in between.
  if (texts.length === 0) throw NO_SUCH;
  return ok(`{"results":[${texts.join(',')}]}`);
}

/** Oldest first, so that a correction follows what it corrects; as many as a request may have. */
export async function replayAll(room: Room, principal: Principal): Promise<PlainResponse> {
  const rights = mayIngest(principal, room.base);
  const { replaysPerCommitMax, readingsPerRequestMax } = room.limits;
  const tags = [statusTag('held'), ...visibleTags(principal)];
  const texts: string[] = [];
  let after: string | undefined;
  while (texts.length < readingsPerRequestMax) {
    const limit = Math.min(replaysPerCommitMax, readingsPerRequestMax - texts.length);
    const docs = await room.store.docs({ collection: HELD, tags, limit, ...(after === undefined ? {} : { after }) });
    const entries = docs.map((doc) => parseEntry(doc.body));
    texts.push(...renumbered(await replay(room, entries, rights), texts.length));
    after = docs.at(-1)?.key;
    if (docs.length < limit) break;
  }
  return ok(`{"results":[${texts.join(',')}]}`);
}
