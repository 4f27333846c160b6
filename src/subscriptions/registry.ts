/** The subscriptions that are followed: their lanes, and what a client's write means for them. */
import type { Definition } from './definition.ts';
import type { Deliveries } from './deliver.ts';
import { thaw } from './freezer.ts';
import { Lane } from './lane.ts';
import type { SubscriptionsOptions } from './room.ts';
import { type LaneRecord, NEW_LANE } from './state.ts';

const SWEEP_MS = 1_000;

export class Registry {
  readonly #options: SubscriptionsOptions;
  readonly #deliveries: Deliveries;
  readonly lanes = new Map<string, Lane>();
  /** Those that the clock concerns: heartbeats and ends. */
  readonly #timed = new Set<Lane>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SubscriptionsOptions, deliveries: Deliveries) {
    this.#options = options;
    this.#deliveries = deliveries;
  }

  /** As it was before the process ended. */
  restore(definition: Definition, record: LaneRecord, total: number): void {
    const lane = new Lane(definition, record, total, this.#options.clock.now());
    // A batch is frozen in the commit that numbers its events; a later snapshot of a commit that failed may name it too.
    if (record.batch && record.batch.to > total) thaw(lane);
    this.#adopt(lane);
  }

  /** A client wrote the Subscription. Nothing is sent before `wake`. */
  apply(definition: Definition, total: number): void {
    const lane = this.lanes.get(definition.id);
    if (!lane) {
      const record = { ...NEW_LANE, acked: total };
      this.#adopt(new Lane(definition, record, total, this.#options.clock.now()));
      return;
    }
    const before = lane.definition;
    lane.definition = definition;
    lane.status = definition.status;
    const { content, payload, maxCount } = definition.channel;
    const same = before.channel.content === content && before.channel.payload === payload;
    if (!same || before.channel.maxCount !== maxCount) thaw(lane);
    if (lane.status === 'requested' || lane.status === 'off') {
      lane.stop();
      lane.failures = 0;
      lane.notBefore = 0;
      lane.pausedUntil = 0;
      lane.change({ shaken: false, gap: false, failingSince: undefined, error: undefined });
      lane.forgive = lane.status === 'requested';
    }
    this.#adopt(lane);
    this.#deliveries.touch(lane);
  }

  remove(id: string): void {
    const lane = this.lanes.get(id);
    if (!lane) return;
    lane.gone = true;
    lane.stop();
    this.lanes.delete(id);
    this.#timed.delete(lane);
  }

  wake(id: string): void {
    const lane = this.lanes.get(id);
    if (lane) this.#deliveries.run(lane);
  }

  /** Begins to deliver, and to look at the clock each second. */
  start(): void {
    for (const lane of this.lanes.values()) this.#deliveries.run(lane);
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #adopt(lane: Lane): void {
    this.lanes.set(lane.id, lane);
    lane.forgive ||= lane.status === 'requested';
    const { end, channel } = lane.definition;
    if (end !== undefined || channel.heartbeatMs !== undefined) this.#timed.add(lane);
    else this.#timed.delete(lane);
  }

  #sweep(): void {
    const now = this.#options.clock.now();
    for (const lane of this.#timed) {
      const work = lane.next(now);
      if (work === 'end' || work === 'heartbeat') this.#deliveries.run(lane);
    }
  }
}
