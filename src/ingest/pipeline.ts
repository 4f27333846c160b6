/**
 * One request through the stages that need the store, into one commit. Whatever it rests on is a precondition of that commit, so
 * a cached association, a repetition under way or a held message that somebody else cures can at most make it be judged again.
 */

import { instant } from '../base/clock.ts';
import { VitalwireError } from '../base/errors.ts';
import type { AccessFilter } from '../search/plan.ts';
import type { Batch, DocWrite, Refusal, Write } from '../store/store.ts';
import type { Candidate, DeviceGroup, Item } from './candidate.ts';
import type { Issue } from './issue.ts';
import { assignKeys, isLive, Judge } from './judge.ts';
import { type Located, locateDevices, locatePatient } from './locate.ts';
import type { Room } from './room.ts';
import type { Counters, Settled } from './settle.ts';

export interface Request {
  readonly items: readonly Item[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What the token may create, all of them; empty: not restricted. */
  readonly accesses: readonly AccessFilter[];
  readonly forbidden: () => Issue;
  readonly originOf: (item: Item) => string;
}

const refusedBefore = (c: Candidate): void => {
  c.outcome = c.refused ? { status: 'refused', issue: c.refused } : undefined;
  c.patient = undefined;
  c.key = undefined;
};

/** Judges every message anew by what the store has now. */
async function judgeAll(room: Room, request: Request): Promise<Located> {
  const { items } = request;
  const groups = new Set<DeviceGroup>();
  for (const item of items)
    for (const c of item.candidates) {
      refusedBefore(c);
      if (isLive(c)) groups.add(c.group);
    }
  const located = await locateDevices(groups, room);
  for (const item of items)
    for (const c of item.candidates) {
      if (!isLive(c)) continue;
      const found = locatePatient(c, room);
      const issue = found instanceof Promise ? await found : found;
      if (issue) c.outcome = { status: 'refused', issue };
    }
  const keys = assignKeys(items);
  const holders = keys.length > 0 ? await room.store.keyHolders(keys) : [];
  const { accesses, forbidden, originOf } = request;
  const { store, build, log, base } = room;
  const judge = new Judge(
    { store, build, log, base, issued: instant(request.now), accesses, forbidden, originOf },
    holders,
  );
  for (const item of items)
    for (const c of item.candidates) {
      if (!isLive(c)) continue;
      const done = judge.judge(c, item);
      if (done) await done;
    }
  return located;
}

function counted(counters: Counters): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, n] of Object.entries(counters)) if (n !== 0) found[`ingest.${name}`] = n;
  return found;
}

function batchOf(items: readonly Item[], located: Located, settled: Settled, raw: DocWrite | undefined): Batch {
  const writes: Write[] = located.created.map((made) => made.write);
  const docs: DocWrite[] = located.created.flatMap((made) => made.batch.docs ?? []);
  for (const item of items)
    for (const { outcome } of item.candidates) if (outcome?.status === 'stored') writes.push(outcome.write);
  if (raw && settled.keepsRaw) docs.push(raw);
  docs.push(...settled.docs);
  return {
    writes,
    docs,
    preconditions: [...located.preconditions, ...located.created.flatMap((made) => made.batch.preconditions ?? [])],
    touches: located.created.flatMap((made) => made.batch.touches ?? []),
    counters: counted(settled.counters),
  };
}

export interface Done {
  readonly settled: Settled;
  readonly located: Located;
}

export interface Plan {
  readonly request: Request;
  /** Called for each attempt, when every message has its outcome. */
  readonly settle: () => Promise<Settled>;
  /** Written when something refers to it. */
  readonly raw?: DocWrite | undefined;
  readonly dryRun?: boolean;
}

/** One attempt. A refusal says that what it was judged by is not so any more, and nothing was written. */
export async function attempt(room: Room, plan: Plan): Promise<Done | Refusal> {
  const { items } = plan.request;
  const located = await judgeAll(room, plan.request);
  const settled = await plan.settle();
  if (plan.dryRun) return { settled, located };
  const committed = await room.store.commit(batchOf(items, located, settled, plan.raw));
  if (committed.ok) return { settled, located };
  room.devices.forget();
  return committed.refusal;
}

/**
 * Attempts until one is not refused.
 * @throws VitalwireError `server.unavailable` when others kept changing what it rests on, `server.busy` when the store is full,
 * `auth.forbidden` when the token may not write what a message would become.
 */
export async function persist<D extends Done>(room: Room, once: () => Promise<D | Refusal>): Promise<D> {
  let last: Refusal | undefined;
  for (let i = 0; i <= room.limits.conflictRetriesMax; i++) {
    const done = await once();
    if (!('kind' in done)) return done;
    last = done;
  }
  room.log.warn({ refusal: last?.kind }, 'ingest: judged again and again, and still overtaken');
  throw new VitalwireError(
    'server.unavailable',
    'What the readings rest on kept changing while they were filed. Nothing was stored; send them again.',
    { headers: { 'retry-after': '1' } },
  );
}
