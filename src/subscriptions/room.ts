/** What the parts of this room share. */
import type { Clock } from '../base/clock.ts';
import type { Limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { Sealer } from '../base/secret.ts';
import type { Store } from '../store/store.ts';

export interface SubscriptionsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: Limits;
  /** `{BASE_URL}/fhir` */
  readonly base: string;
  readonly baseUrl: string;
  readonly sealer: Sealer;
  readonly allowPrivateEndpoints: boolean;
  readonly allowInsecureHttp: boolean;
  /** Whether the client is registered and not disabled. */
  readonly clientEnabled: (clientId: string) => Promise<boolean>;
}

/** Counted since the start of the process; names that end in `_total` only grow. */
export interface Tally {
  changes_total: number;
  events_total: number;
  delivered_total: number;
  attempts_total: number;
  failures_total: number;
  handshakes_total: number;
  heartbeats_total: number;
}

export const newTally = (): Tally => ({
  changes_total: 0,
  events_total: 0,
  delivered_total: 0,
  attempts_total: 0,
  failures_total: 0,
  handshakes_total: 0,
  heartbeats_total: 0,
});
