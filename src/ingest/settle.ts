/**
 * The last stage before the commit: what is answered for each message, what is held or cured, and what the balance counts.
 * received = stored + duplicate + held + rejected at every commit.
 */
import { timeKey } from '../base/hash.ts';
import type { MaybePromise } from '../base/types.ts';
import type { DocWrite } from '../store/store.ts';
import { messageText } from './body.ts';
import type { Item } from './candidate.ts';
import { changeEntry, HELD, type HeldEntry, PRINTS, parseEntry, printOf, putEntry, removeEntry } from './held.ts';
import { type Issue, type Status, statusOf } from './issue.ts';
import { identitiesAndDevice } from './named.ts';
import { type Result, resultOf } from './result.ts';
import type { Room } from './room.ts';

export type Counters = Record<'received' | Status, number>;
export const noCounters = (): Counters => ({ received: 0, stored: 0, duplicate: 0, held: 0, rejected: 0 });

export interface Settled {
  readonly results: readonly Result[];
  readonly docs: readonly DocWrite[];
  readonly counters: Counters;
  /** Something refers to the raw message. */
  readonly keepsRaw: boolean;
}

/** Who sent what is settled, and by which adapter. */
export interface Sender {
  readonly adapter: string;
  readonly gateway: string;
  readonly scopes?: readonly string[] | undefined;
  readonly originOf: (item: Item) => string;
}

const DAY_MS = 86_400_000;

export class Settlement {
  readonly docs: DocWrite[] = [];
  readonly counters = noCounters();
  readonly results: Result[] = [];
  keepsRaw = false;
  private readonly room: Room;
  private readonly sender: Sender;
  /** Held ones that this request has put or changed, by print; null: taken away. */
  private readonly touched = new Map<string, HeldEntry | null>();

  constructor(room: Room, sender: Sender) {
    this.room = room;
    this.sender = sender;
  }

  /** A message that has just come. */
  receive(item: Item): MaybePromise<void> {
    const result = resultOf(item);
    this.counters.received++;
    if (result.status === 'rejected') return this.reject(item, result);
    if (result.issue && statusOf(result.issue) === 'held') return this.hold(item, result);
    if (item.candidates.some((c) => c.group.mayHold)) return this.cure(item, result);
    return this.answer(result);
  }

  /** A held message that is tried again; the answer is not counted, what changes is moved. */
  retry(item: Item, entry: HeldEntry): void {
    const result = resultOf(item);
    this.results.push(result);
    if (result.status === 'stored' || result.observations.length > 0) this.keepsRaw = true;
    const waits = result.issue && statusOf(result.issue) === 'held';
    if (result.status === 'stored' && waits) {
      // Another part of the message is filed while this one waits on: the balance has it as stored from now on.
      this.change(entry, result.issue as Issue, false);
      this.move(entry, 'stored');
    } else if (result.status === 'held' || result.status === 'rejected') this.change(entry, result.issue as Issue);
    else this.remove(entry, result.status);
  }

  private answer(result: Result): void {
    this.counters[result.status]++;
    this.results.push(result);
    if (result.status === 'stored') this.keepsRaw = true;
  }

  private expires(): number {
    return this.room.clock.now() + this.room.limits.rejectedDaysKept * DAY_MS;
  }

  private entryOf(item: Item, found: Issue, counted: boolean): HeldEntry {
    const message = messageText(item.message);
    const { adapter, gateway, scopes, originOf } = this.sender;
    return {
      id: timeKey(this.room.clock.now()),
      status: statusOf(found),
      reason: found.code,
      details: found.details,
      ...identitiesAndDevice(item),
      gateway,
      adapter,
      receivedAt: item.receivedAt,
      message,
      origin: originOf(item),
      print: printOf(adapter, message),
      counted,
      ...(scopes === undefined ? {} : { scopes }),
    };
  }

  private reject(item: Item, result: Result): void {
    this.docs.push(...putEntry(this.entryOf(item, result.issue as Issue, true), this.expires()));
    this.keepsRaw = true;
    this.answer(result);
  }

  private async heldBefore(print: string): Promise<HeldEntry | undefined> {
    const here = this.touched.get(print);
    if (here !== undefined) return here ?? undefined;
    const { store } = this.room;
    const known = await store.doc(PRINTS, print);
    const doc = known && (await store.doc(HELD, known.body));
    return doc && parseEntry(doc.body);
  }

  private async hold(item: Item, result: Result): Promise<void> {
    const found = result.issue as Issue;
    const entry = this.entryOf(item, found, result.status !== 'stored');
    const before = await this.heldBefore(entry.print);
    if (result.status === 'stored') this.keepsRaw = true;
    if (before) {
      this.change(before, found);
      this.answer({ ...result, status: result.status === 'stored' ? 'stored' : 'duplicate' });
      return;
    }
    this.room.held.note(entry.identities);
    this.docs.push(...putEntry(entry));
    this.touched.set(entry.print, entry);
    this.keepsRaw = true;
    this.answer(result);
  }

  /** What is filed now may be what was held: then it is a duplicate of that, and that is cured. */
  private async cure(item: Item, result: Result): Promise<void> {
    const before = await this.heldBefore(printOf(this.sender.adapter, messageText(item.message)));
    if (!before) return this.answer(result);
    this.remove(before, result.status);
    if (result.status === 'stored') this.keepsRaw = true;
    this.answer({ ...result, status: 'duplicate' });
  }

  private change(entry: HeldEntry, found: Issue, counted = entry.counted): void {
    const same = entry.reason === found.code && entry.details === found.details && entry.counted === counted;
    if (same) return;
    const now: HeldEntry = { ...entry, status: statusOf(found), reason: found.code, details: found.details, counted };
    const put = this.touched.has(entry.print);
    // What this very request puts is not in the store yet, so there is nothing to compare with.
    if (!put) this.docs.push(...changeEntry(entry, now, now.status === 'rejected' ? this.expires() : undefined));
    if (!put && now.status === 'rejected') this.move(entry, 'rejected');
    this.touched.set(entry.print, now.status === 'rejected' ? null : now);
  }

  private remove(entry: HeldEntry, to: Status): void {
    this.docs.push(...removeEntry(entry));
    this.touched.set(entry.print, null);
    this.move(entry, to);
  }

  private move(entry: HeldEntry, to: Status): void {
    if (!entry.counted) return;
    this.counters.held--;
    this.counters[to]++;
  }
}
