/** Batches: which events go into a notification, fixed in the store before the first attempt. */
import { randomUUID } from 'node:crypto';
import type { DocWrite, Store } from '../store/store.ts';
import type { Lane } from './lane.ts';
import { COLLECTIONS } from './names.ts';
import { type EventRecord, eventKey, type Frozen, laneDoc, parseDoc } from './state.ts';

/** Events after `after`, without a gap among them. */
export async function readEvents(store: Store, id: string, after: number, limit: number): Promise<EventRecord[]> {
  const docs = await store.docs({
    collection: COLLECTIONS.event,
    prefix: `${id}/`,
    after: eventKey(id, after),
    limit,
  });
  const events = docs.map((doc) => parseDoc<EventRecord>(doc));
  const broken = events.findIndex((event, i) => event.n !== (events[0]?.n ?? 0) + i);
  return broken === -1 ? events : events.slice(0, broken);
}

function freeze(lane: Lane, events: readonly EventRecord[], now: number): DocWrite {
  const batch: Frozen = { from: events[0]!.n, to: events.at(-1)!.n, id: randomUUID(), at: now };
  lane.events = events;
  lane.change({ batch });
  return laneDoc(lane.id, lane.record);
}

export function thaw(lane: Lane): void {
  lane.events = undefined;
  lane.change({ batch: undefined });
}

/**
 * Freezes events that are being numbered, when the lane is idle and they are its next ones: then the document goes into the
 * commit that numbers them and no second one stands between a change and its notification. The caller ends it with `unfold`.
 */
export function fold(lane: Lane, events: readonly EventRecord[], now: number): DocWrite | undefined {
  const idle = !lane.busy && !lane.writing && !lane.gone && lane.status === 'active' && !lane.record.batch;
  if (!idle || lane.record.acked + 1 !== events[0]?.n) return undefined;
  lane.busy = true;
  lane.forgive = false;
  return freeze(lane, events.slice(0, lane.definition.channel.maxCount), now);
}

export function unfold(lane: Lane, committed: boolean): void {
  lane.busy = false;
  if (committed) lane.dirty = false;
  else thaw(lane);
}

/**
 * Freezes the next events of a lane that is behind.
 * @returns `gap` when events were dropped by the retention before they were acknowledged.
 */
export async function freezeNext(store: Store, lane: Lane, now: number): Promise<'frozen' | 'nothing' | 'gap'> {
  const { acked } = lane.record;
  const found = await readEvents(store, lane.id, acked, lane.definition.channel.maxCount);
  const events = found.filter((event) => event.n <= lane.total);
  const [first] = events;
  if (lane.backlog > 0 && first?.n !== acked + 1) {
    if (!lane.forgive) return 'gap';
    // The client asked anew and sees the gap in the numbers.
    lane.change({ acked: first ? first.n - 1 : lane.total });
  }
  lane.forgive = false;
  if (!first) return 'nothing';
  const doc = freeze(lane, events, now);
  try {
    const committed = await store.commit({ docs: [doc] });
    if (!committed.ok) throw new Error(`a batch could not be stored: ${committed.refusal.kind}`);
    lane.dirty = false;
  } catch (error) {
    thaw(lane);
    throw error;
  }
  return 'frozen';
}

/** The events of a frozen batch; undefined when some are no longer kept. */
export async function frozenEvents(
  store: Store,
  lane: Lane,
  batch: Frozen,
): Promise<readonly EventRecord[] | undefined> {
  if (lane.events?.[0]?.n === batch.from && lane.events.at(-1)?.n === batch.to) return lane.events;
  const size = batch.to - batch.from + 1;
  const events = await readEvents(store, lane.id, batch.from - 1, size);
  if (events.length !== size || events[0]?.n !== batch.from) return undefined;
  lane.events = events;
  return events;
}
