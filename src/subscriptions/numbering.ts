/**
 * Stage 2: reads the change log in order, matches, and numbers what matched in one commit with how far it has read. Doing the
 * same change again numbers nothing twice: a change is numbered only after the last one of its subscription. subscriptions §4.1
 */
import type { Change, DocWrite } from '../store/store.ts';
import type { Follower } from './follow.ts';
import { fold, unfold } from './freezer.ts';
import type { Lane } from './lane.ts';
import type { Match, Matcher } from './matcher.ts';
import { COLLECTIONS } from './names.ts';
import type { Registry } from './registry.ts';
import type { SubscriptionsOptions, Tally } from './room.ts';
import { type CountRecord, checkpointDoc, countDoc, type EventRecord, eventDoc, parseDoc } from './state.ts';
import { subjectOf } from './subject.ts';

const SWEEP_MS = 1_000;
const PAUSE_MS = 250;
const DAY_MS = 24 * 3600_000;
/** Events that are gathered before they are written: a change that concerns thousands is written alone. */
const EVENTS_PER_WRITE = 2_000;
/** A commit holds up those behind it; the events of thousands of subscriptions go in several. */
const SUBSCRIPTIONS_PER_COMMIT = 2_000;

export class Numbering {
  readonly #options: SubscriptionsOptions;
  readonly #matcher: Matcher;
  readonly #registry: Registry;
  readonly #follower: Follower;
  readonly #tally: Tally;
  /** Read up to here. */
  #at = 0;
  /** The checkpoint document says so. */
  #stored = 0;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: SubscriptionsOptions, matcher: Matcher, registry: Registry, follower: Follower, tally: Tally) {
    this.#options = options;
    this.#matcher = matcher;
    this.#registry = registry;
    this.#follower = follower;
    this.#tally = tally;
  }

  get at(): number {
    return this.#at;
  }

  async start(): Promise<void> {
    const doc = await this.#options.store.doc(COLLECTIONS.checkpoint, 'matcher');
    this.#at = doc ? parseDoc<{ seq: number }>(doc).seq : 0;
    this.#stored = this.#at;
    this.wake();
    this.#timer = setInterval(() => {
      this.wake();
    }, SWEEP_MS);
    this.#timer.unref();
  }

  /** Something may be new in the log. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.wake();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#again = false;
    clearInterval(this.#timer);
    await this.#running;
    await this.#keepPlace();
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#readOn();
      } catch (error) {
        this.#options.log.error({ err: error, after: this.#at }, 'changes could not be matched; trying again');
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        this.#again = !this.#stopped;
      }
    }
    // Nothing is written per change when nobody is interested; the place is kept once a while.
    if (this.#at - this.#stored >= this.#options.limits.changesPerMatchMax) await this.#keepPlace();
  }

  async #keepPlace(): Promise<void> {
    if (this.#at <= this.#stored) return;
    const at = this.#at;
    await this.#options.store.commit({ docs: [checkpointDoc(at)] }).then(
      () => {
        this.#stored = at;
      },
      (error: unknown) => this.#options.log.warn({ err: error }, 'the checkpoint could not be written'),
    );
  }

  async #readOn(): Promise<void> {
    const { store, limits } = this.#options;
    for (;;) {
      const changes = await store.changesSince(this.#at, limits.changesPerMatchMax);
      for (let i = 0; i < changes.length && !this.#stopped; ) {
        // A Subscription holds from its own change on, so the log is cut there.
        const kind = changes[i]?.type === 'Subscription';
        let end = i + 1;
        while (end < changes.length && (changes[end]?.type === 'Subscription') === kind) end++;
        const run = changes.slice(i, end);
        if (kind) await this.#follow(run);
        else await this.#number(run);
        i = end;
      }
      this.#tally.changes_total += changes.length;
      if (changes.length < limits.changesPerMatchMax || this.#stopped) return;
    }
  }

  async #follow(changes: readonly Change[]): Promise<void> {
    const seq = changes.at(-1)?.seq ?? this.#at;
    const news = await this.#follower.news(changes);
    if (news.docs.length > 0) await this.#commit(news.docs, seq);
    this.#at = seq;
    news.apply();
  }

  /** Numbers changes of resources, in as few commits as their events allow. */
  async #number(changes: readonly Change[]): Promise<void> {
    let events = new Map<string, EventRecord[]>();
    let n = 0;
    for (const change of changes) {
      if (!this.#matcher.watches(change.type)) continue;
      for (const id of await this.#matching(change)) {
        const known = events.get(id);
        const count = this.#follower.counts.get(id);
        if (!count || change.seq <= (known?.at(-1)?.seq ?? count.seq)) continue;
        const event: EventRecord = {
          n: count.n + (known?.length ?? 0) + 1,
          seq: change.seq,
          type: change.type,
          id: change.id,
          version: change.version,
          method: change.method,
          at: change.at,
        };
        if (known) known.push(event);
        else events.set(id, [event]);
        n++;
      }
      if (n >= EVENTS_PER_WRITE) {
        await this.#write(events, change.seq);
        events = new Map();
        n = 0;
      }
    }
    await this.#write(events, changes.at(-1)?.seq ?? this.#at);
  }

  async #matching(change: Change): Promise<Iterable<string>> {
    const { store, base } = this.#options;
    const subject = await subjectOf(store, base, change, this.#matcher.needsResource(change.type));
    if (!subject) return [];
    const found = this.#matcher.match(change, subject);
    // Two triggers or two types of filters of one subscription are still one event.
    const ids = new Set<string>();
    for (const match of found) if (await this.#mayBeTold(match, change)) ids.add(match.subscription);
    return ids;
  }

  async #mayBeTold(match: Match, change: Change): Promise<boolean> {
    return match.ask === undefined || (await this.#options.store.visible(change.type, change.id, match.ask));
  }

  /** The last commit of several moves the checkpoint; what was numbered before a crash is then known by its count. */
  async #write(events: ReadonlyMap<string, readonly EventRecord[]>, seq: number): Promise<void> {
    const all = [...events];
    for (let i = 0; i < all.length; i += SUBSCRIPTIONS_PER_COMMIT) {
      const last = i + SUBSCRIPTIONS_PER_COMMIT >= all.length;
      await this.#writeSome(all.slice(i, i + SUBSCRIPTIONS_PER_COMMIT), last ? seq : undefined);
    }
    this.#at = seq;
  }

  async #writeSome(events: readonly [string, readonly EventRecord[]][], seq: number | undefined): Promise<void> {
    const { clock, limits } = this.#options;
    const now = clock.now();
    const expires = now + limits.subscriptionEventDaysKept * DAY_MS;
    const docs: DocWrite[] = [];
    const counts: [string, CountRecord][] = [];
    const folded: Lane[] = [];
    for (const [id, list] of events) {
      for (const event of list) docs.push(eventDoc(id, event, expires));
      const last = list.at(-1) as EventRecord;
      const count = { ...(this.#follower.counts.get(id) as CountRecord), n: last.n, seq: last.seq };
      counts.push([id, count]);
      docs.push(countDoc(id, count));
      const lane = this.#registry.lanes.get(id);
      const frozen = lane && fold(lane, list, now);
      if (!lane || !frozen) continue;
      docs.push(frozen);
      folded.push(lane);
    }
    let done = false;
    try {
      await this.#commit(docs, seq);
      done = true;
    } finally {
      for (const lane of folded) unfold(lane, done);
    }
    for (const [id, count] of counts) {
      this.#tally.events_total += count.n - (this.#follower.counts.get(id)?.n ?? 0);
      this.#follower.counts.set(id, count);
      const lane = this.#registry.lanes.get(id);
      if (lane) lane.total = count.n;
      this.#registry.wake(id);
    }
  }

  async #commit(docs: readonly DocWrite[], seq: number | undefined): Promise<void> {
    const all = seq === undefined ? docs : [...docs, checkpointDoc(seq)];
    const committed = await this.#options.store.commit({ docs: all });
    if (!committed.ok) throw new Error(`events could not be stored: ${committed.refusal.kind}`);
    this.#stored = seq ?? this.#stored;
  }
}
