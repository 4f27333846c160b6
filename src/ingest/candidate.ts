/** A message on its way through the stages, and what became of each of its measurements. */
import type { DeviceView } from '../devices/index.ts';
import type { Terms } from '../fhir/terms.ts';
import type { Draft, Write } from '../store/store.ts';
import type { Message } from './body.ts';
import type { Issue } from './issue.ts';
import type { Identifier, Measurement } from './measurement.ts';
import type { Normal } from './normal.ts';
import type { Moment } from './time.ts';

/** The device that several measurements of a request name alike. */
export interface DeviceGroup {
  readonly identifiers: readonly Identifier[];
  /** Canonical identities. */
  readonly identities: readonly string[];
  found?: DeviceView | 'unknown' | 'several';
  /** Messages of this device may be held: a message that is filed may be one of them. */
  mayHold?: boolean;
}

export type Outcome =
  | { readonly status: 'stored'; readonly id: string; readonly write: Write }
  /** `stored`: it is there as this Observation. */
  | { readonly status: 'duplicate'; readonly id: string }
  | { readonly status: 'refused'; readonly issue: Issue };

export interface Candidate {
  readonly measurement: Measurement;
  readonly moment: Moment;
  readonly group: DeviceGroup;
  /** Set by the stages that need no store. */
  normal?: Normal;
  refused?: Issue;
  /** Set by the stages that do; begun anew when the commit was refused. */
  patient?: string;
  key?: string;
  content?: string;
  outcome?: Outcome;
}

export interface Item {
  readonly message: Message;
  readonly receivedAt: number;
  /** The message could not be decoded at all. */
  readonly refused?: Issue;
  readonly candidates: readonly Candidate[];
}

/** What a request will have written under a key, for those of its readings that come after. */
export interface Pending {
  readonly id: string;
  readonly version: number;
  readonly note: string;
  readonly draft: Draft;
  readonly terms: Terms;
}
