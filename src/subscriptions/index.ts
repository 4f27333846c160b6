/** Topic-based subscriptions: change log → match and number → deliver. Assembles the parts; knows no HTTP server. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../access/operation.ts';
import type { Principal } from '../access/principal.ts';
import type { WriteRule } from '../store/rules.ts';
import { Deliveries } from './deliver.ts';
import { eventsOperation } from './events-operation.ts';
import { Follower } from './follow.ts';
import { Matcher } from './matcher.ts';
import { Numbering } from './numbering.ts';
import { Registry } from './registry.ts';
import { newTally, type SubscriptionsOptions } from './room.ts';
import { subscriptionRule } from './rule.ts';
import { createSigner } from './signature.ts';
import { statusOperation } from './status-operation.ts';
import { topics } from './topics.ts';

export type { SubscriptionsOptions } from './room.ts';

export interface Subscriptions {
  readonly rules: WriteRule<Principal>[];
  readonly operations: Operation[];
  /** Canonical URLs, for the CapabilityStatement. */
  readonly topics: readonly string[];
  /** JSON for `/.well-known/webhook-keys`. */
  webhookKeys(): string;
  /** Goes on where the process before this one ended. */
  start(): void;
  /** Ends what is under way within `limits.shutdownMsMax` and stores what was acknowledged. Idempotent. */
  stop(): Promise<void>;
  metrics(): Record<string, number>;
}

/** Notifications get the smaller part of the time that there is for shutting down; what they lose is repeated. */
const STOP_SHARE = 0.4;
const START_PAUSE_MS = 500;

export async function createSubscriptions(options: SubscriptionsOptions): Promise<Subscriptions> {
  const { store, clock, limits, sealer, base, log } = options;
  const signer = await createSigner(store, sealer, clock);
  const tally = newTally();
  const matcher = new Matcher(base, limits);
  const deliveries = new Deliveries(options, signer, tally);
  const registry = new Registry(options, deliveries);
  const follower = new Follower(options, matcher, registry);
  const numbering = new Numbering(options, matcher, registry, follower, tally);
  // A restart counts on what is in the counters, so they are read before the first question about them.
  await follower.load();
  let stopped = false;
  let forget: (() => void) | undefined;
  let starting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    while (!stopped) {
      try {
        await numbering.start();
        break;
      } catch (err) {
        log.error({ err }, 'subscriptions could not be started; trying again');
        await sleep(START_PAUSE_MS);
      }
    }
    if (stopped) return;
    store.keepTerms((type) => matcher.watches(type));
    forget = store.onChange((_seq, types) => {
      if (types.has('Subscription') || types.values().some((type) => matcher.watches(type))) numbering.wake();
    });
    registry.start();
  };
  const stop = async (): Promise<void> => {
    stopped = true;
    forget?.();
    store.keepTerms(() => false);
    await starting;
    registry.stop();
    await numbering.stop();
    await deliveries.stop(registry.lanes.values(), limits.shutdownMsMax * STOP_SHARE);
  };

  return {
    rules: [subscriptionRule({ store, clock, limits, sealer, base, policy: options })],
    operations: [statusOperation({ options, registry, follower }), eventsOperation(options, follower)],
    topics: [...topics().keys()],
    webhookKeys: () => signer.published(),
    start() {
      starting ??= start();
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    metrics: () => measure(registry, numbering, tally, deliveries),
  };
}

function measure(
  registry: Registry,
  numbering: Numbering,
  tally: object,
  deliveries: Deliveries,
): Record<string, number> {
  const byStatus: Record<string, number> = { requested: 0, active: 0, error: 0, off: 0 };
  let backlog = 0;
  for (const lane of registry.lanes.values()) {
    byStatus[lane.status] = (byStatus[lane.status] ?? 0) + 1;
    if (lane.status !== 'off') backlog += lane.backlog;
  }
  const statuses = Object.entries(byStatus).map(([status, n]) => [`status_${status}`, n] as const);
  return { ...Object.fromEntries(statuses), ...tally, backlog, matched_seq: numbering.at, ...deliveries.metrics() };
}
