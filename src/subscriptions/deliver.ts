/** Stage 3: one notification at a time per subscription, repeated as it was until the receiver takes it. subscriptions §4.1 */
import { randomUUID } from 'node:crypto';
import { retryDelay } from './backoff.ts';
import { Breaker } from './breaker.ts';
import { type NotificationType, notificationBundle, type ToldEvent } from './bundle.ts';
import { type Outcome, RestHook } from './channels/rest-hook.ts';
import { freezeNext, frozenEvents, thaw } from './freezer.ts';
import { openHeader } from './headers.ts';
import type { Lane, Work } from './lane.ts';
import { LaneWriter } from './lane-writer.ts';
import type { SubscriptionStatus } from './names.ts';
import { errorOf, isGone, isOriginDown, sentence } from './outcome.ts';
import { isEnabled } from './owner.ts';
import type { SubscriptionsOptions, Tally } from './room.ts';
import { readSecrets } from './rule.ts';
import type { Signer } from './signature.ts';
import { Slots } from './slots.ts';
import { type LaneRecord, laneDoc } from './state.ts';
import { commitStatus } from './status-commit.ts';
import { tell } from './tell.ts';

const PAUSE_MS = 200;
const DAY_MS = 24 * 3600_000;

export class Deliveries {
  readonly #options: SubscriptionsOptions;
  readonly #signer: Signer;
  readonly #tally: Tally;
  readonly #slots: Slots;
  readonly #breaker: Breaker;
  readonly #hook: RestHook;
  readonly #acks: LaneWriter;
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: SubscriptionsOptions, signer: Signer, tally: Tally) {
    this.#options = options;
    this.#signer = signer;
    this.#tally = tally;
    this.#slots = new Slots(options.limits);
    this.#breaker = new Breaker(options.limits);
    this.#hook = new RestHook(options, options.limits, options.clock);
    this.#acks = new LaneWriter(options.store);
  }

  /** Does what the lane has to do next, now or when its time has come; nothing when it is busy or idle. */
  run(lane: Lane): void {
    if (this.#stopped || lane.busy) return;
    clearTimeout(lane.timer);
    const now = this.#options.clock.now();
    const work = lane.next(now);
    if (!work) return;
    const { origin } = lane;
    // An end comes whatever the receiver does.
    let wait = Math.max(0, lane.pausedUntil - now, work === 'end' ? 0 : lane.notBefore - now);
    // A handshake is answered within seconds whatever is known of the origin: the client waits for it.
    if (wait === 0 && (work === 'batch' || work === 'heartbeat')) wait = this.#breaker.delay(origin, now);
    if (wait > 0) {
      lane.timer = setTimeout(() => this.run(lane), wait);
      lane.timer.unref();
      return;
    }
    lane.busy = true;
    const running = this.#perform(lane, work, origin)
      .catch((error: unknown) => {
        lane.pausedUntil = this.#options.clock.now() + PAUSE_MS;
        this.#options.log.error({ subscription: lane.id, err: error }, 'a notification could not be prepared');
      })
      .finally(() => {
        lane.busy = false;
        this.#running.delete(running);
        this.run(lane);
      });
    this.#running.add(running);
  }

  async #perform(lane: Lane, work: Work, origin: string): Promise<void> {
    // Past its end it is off, and stays readable. R5 Subscription.end
    if (work === 'end') return void (await this.#setStatus(lane, 'off', {}));
    await this.#slots.acquire(origin);
    try {
      // Much may have happened while it waited for its turn.
      if (this.#stopped || lane.next(this.#options.clock.now()) !== work) return;
      lane.abort = new AbortController();
      if (!(await isEnabled(lane.definition.owner, this.#options.clientEnabled)))
        await this.#setStatus(lane, 'off', {}, 'The client that owns this subscription is disabled.');
      else if (work === 'handshake') await this.#handshake(lane);
      else if (work === 'batch') await this.#batch(lane);
      else await this.#heartbeat(lane);
    } finally {
      lane.abort = undefined;
      this.#breaker.undecided(origin);
      this.#slots.release(origin);
    }
  }

  async #handshake(lane: Lane): Promise<void> {
    this.#tally.handshakes_total++;
    const outcome = await this.#post(lane, randomUUID(), 'handshake', this.#options.clock.now(), []);
    if (outcome.kind === 'aborted' || lane.status !== 'requested') return;
    if (isGone(outcome)) return void (await this.#gone(lane));
    const error = errorOf(outcome);
    if (error) {
      await this.#setStatus(lane, 'error', { shaken: false, error }, `The handshake failed: ${sentence(outcome)}.`);
      return;
    }
    lane.failures = 0;
    await this.#setStatus(lane, 'active', { shaken: true, gap: false, error: undefined, failingSince: undefined });
  }

  async #batch(lane: Lane): Promise<void> {
    const { store, clock, base } = this.#options;
    if (!lane.record.batch) {
      const frozen = await freezeNext(store, lane, clock.now());
      if (frozen === 'gap') return this.#lost(lane);
      if (frozen === 'nothing') return;
    }
    // A client's write throws the batch away when it asks for another content.
    const { batch } = lane.record;
    if (!batch) return;
    const events = await frozenEvents(store, lane, batch);
    if (lane.record.batch !== batch) return;
    if (!events) return this.#lost(lane);
    const { content } = lane.definition.channel;
    const told = await tell(store, base, lane.definition, events, content);
    const outcome = await this.#post(lane, batch.id, 'event-notification', batch.at, told);
    if (outcome.kind === 'aborted' || lane.record.batch !== batch) return;
    if (errorOf(outcome)) return this.#failed(lane, outcome);
    this.#tally.delivered_total += events.length;
    lane.events = undefined;
    lane.change({ acked: batch.to, batch: undefined });
    await this.#succeeded(lane);
  }

  async #heartbeat(lane: Lane): Promise<void> {
    this.#tally.heartbeats_total++;
    const outcome = await this.#post(lane, randomUUID(), 'heartbeat', this.#options.clock.now(), []);
    if (outcome.kind === 'aborted') return;
    await (errorOf(outcome) ? this.#failed(lane, outcome) : this.#succeeded(lane));
  }

  async #post(
    lane: Lane,
    id: string,
    type: NotificationType,
    at: number,
    events: readonly ToldEvent[],
  ): Promise<Outcome> {
    const { store, sealer, clock, base } = this.#options;
    const { channel, topic } = lane.definition;
    // Events are told as `active`: a notification that is repeated while the status is `error` stays what it was.
    const status = type === 'event-notification' ? 'active' : lane.status;
    const body = notificationBundle(id, at, {
      base,
      subscription: lane.id,
      topic: topic.url,
      content: channel.content,
      status,
      type,
      total: events.at(-1)?.n ?? lane.total,
      events,
      trigger: topic.trigger,
    });
    const headers: Record<string, string> = {};
    const secrets = channel.headers.length > 0 ? await readSecrets(store, sealer, lane.id) : undefined;
    for (const line of channel.headers) {
      const header = openHeader(line, secrets);
      if (header)
        headers[header.name] = header.name in headers ? `${headers[header.name]}, ${header.value}` : header.value;
    }
    const abort = lane.abort ?? new AbortController();
    if (abort.signal.aborted) return { kind: 'aborted' };
    this.#tally.attempts_total++;
    const outcome = await this.#hook.post({
      endpoint: channel.endpoint,
      headers: { ...headers, 'content-type': channel.payload, ...this.#signer.headers(id, clock.now(), body) },
      body,
      timeoutMs: channel.timeoutMs,
      abort,
    });
    this.#observe(lane, outcome);
    return outcome;
  }

  #observe(lane: Lane, outcome: Outcome): void {
    if (outcome.kind === 'aborted') return;
    const now = this.#options.clock.now();
    if (isOriginDown(outcome)) this.#breaker.failed(lane.origin, now);
    else this.#breaker.answered(lane.origin);
    if (errorOf(outcome)) {
      this.#tally.failures_total++;
      const how = outcome.kind === 'none' ? outcome.code : outcome.status;
      this.#options.log.warn({ subscription: lane.id, failures: lane.failures + 1, how }, 'a notification failed');
    } else lane.lastSent = now;
  }

  async #succeeded(lane: Lane): Promise<void> {
    lane.failures = 0;
    lane.notBefore = 0;
    if (lane.record.failingSince !== undefined) lane.change({ failingSince: undefined, error: undefined });
    this.touch(lane);
    // Nothing was left out, so the status may heal by itself; R5 "Subscription status".
    if (lane.status === 'error') await this.#setStatus(lane, 'active', { error: undefined });
  }

  async #failed(lane: Lane, outcome: Outcome): Promise<void> {
    if (isGone(outcome)) return this.#gone(lane);
    const { clock, limits } = this.#options;
    const now = clock.now();
    lane.failures++;
    const failingSince = lane.record.failingSince ?? now;
    lane.change({ failingSince, error: errorOf(outcome) });
    this.touch(lane);
    const asked = outcome.kind === 'answer' ? outcome.retryAfterMs : undefined;
    lane.notBefore = now + retryDelay(limits.deliveryRetryMsMin, lane.failures, asked);
    if (now - failingSince > limits.deliveryDaysMax * DAY_MS)
      await this.#setStatus(lane, 'off', {}, `No notification got through for ${limits.deliveryDaysMax} days.`);
    else if (lane.failures >= limits.deliveryFailuresBeforeError && lane.status === 'active')
      await this.#setStatus(lane, 'error', {}, `Notifications fail and are tried again: ${sentence(outcome)}.`);
  }

  /** 410: the receiver does not want to be asked again. */
  async #gone(lane: Lane): Promise<void> {
    await this.#setStatus(lane, 'off', { error: 'error-response' }, 'The endpoint answered 410 Gone.');
  }

  async #lost(lane: Lane): Promise<void> {
    thaw(lane);
    await this.#setStatus(
      lane,
      'error',
      { gap: true },
      'Events were dropped after the time they are kept. Set the status to requested to go on with the next ones.',
    );
  }

  /** Writes the status into the Subscription; nothing when a client wrote meanwhile, whose version will be here shortly. */
  async #setStatus(
    lane: Lane,
    status: SubscriptionStatus,
    change: Partial<LaneRecord>,
    error?: string,
  ): Promise<boolean> {
    const { store, base, clock } = this.#options;
    const version = lane.version;
    const own = version + 1;
    lane.change(change);
    const write = async (): Promise<boolean> => {
      const docs = [laneDoc(lane.id, { ...lane.record, own })];
      const ok = await commitStatus(store, base, { id: lane.id, version, status, error, docs });
      if (ok) {
        lane.change({ own });
        lane.status = status;
        this.#options.log.info({ subscription: lane.id, status }, 'subscription status');
      } else lane.pausedUntil = clock.now() + PAUSE_MS;
      return ok;
    };
    const done = write();
    lane.writing = { version: own, done: done.catch(() => false) };
    try {
      return await done;
    } finally {
      lane.writing = undefined;
      this.touch(lane);
    }
  }

  /** The lane's record will be stored soon; losing it costs a repetition at most. */
  touch(lane: Lane): void {
    this.#acks.touch(lane);
  }

  metrics(): Record<string, number> {
    return {
      in_flight: this.#slots.inFlight,
      waiting: this.#slots.waiting,
      origins: this.#hook.origins,
      breakers_open: this.#breaker.open,
    };
  }

  /** Lets what is under way end within `msMax`, then ends it, and stores what was acknowledged. */
  async stop(lanes: Iterable<Lane>, msMax: number): Promise<void> {
    this.#stopped = true;
    const all = [...lanes];
    for (const lane of all) clearTimeout(lane.timer);
    const ended = Promise.all(this.#running);
    const cut = setTimeout(() => {
      for (const lane of all) lane.abort?.abort();
    }, msMax);
    await ended;
    clearTimeout(cut);
    await this.#acks.flush();
    await this.#hook.close();
  }
}
