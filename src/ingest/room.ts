/** What every stage is given: the rooms it works with and what the process keeps for it. */
import type { Clock } from '../base/clock.ts';
import type { Limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { Devices } from '../devices/index.ts';
import type { Store } from '../store/store.ts';
import type { ObservationBuilder } from './build/observation.ts';
import type { HeldIndex } from './held-index.ts';
import type { IssueCode, Status } from './issue.ts';

export interface Counts {
  readonly status: Record<Status, number>;
  readonly issues: Map<IssueCode, number>;
}

export interface Room {
  readonly store: Store;
  readonly devices: Devices;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Logger;
  /** `{BASE_URL}/fhir`. */
  readonly base: string;
  readonly baseUrl: string;
  readonly unknownDevice: 'hold' | 'create';
  readonly build: ObservationBuilder;
  readonly held: HeldIndex;
  /** Answers of this process since it started. */
  readonly counts: Counts;
}
