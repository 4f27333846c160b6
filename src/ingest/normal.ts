/** A measurement in the form it is filed in. */
import type { Coding, Component, Kind, KindUnit } from '../devices/kinds.ts';
import type { Samples } from './measurement.ts';

/** Codes of data-absent-reason that are used here. */
export type AbsentReason =
  | 'not-a-number'
  | 'positive-infinity'
  | 'negative-infinity'
  | 'error'
  | 'not-performed'
  | 'temp-unknown'
  | 'unknown';

/** One value in its final form, or why there is none. */
export interface NormalValue {
  readonly unit?: KindUnit;
  /** Decimal text. */
  readonly value?: string;
  readonly samples?: Samples;
  readonly coded?: Coding;
  readonly flag?: boolean;
  readonly absent?: AbsentReason;
}
export interface NormalPart extends NormalValue {
  readonly component: Component;
}

export type ObservationStatus = 'final' | 'preliminary' | 'corrected' | 'entered-in-error';

export interface Normal extends NormalValue {
  readonly kind: Kind;
  readonly parts: readonly NormalPart[];
  readonly status: ObservationStatus;
  /** Codes of measurement-status. */
  readonly interpretation: readonly string[];
  readonly notes: readonly string[];
  /** `meta.security` HTEST. */
  readonly test: boolean;
  /** Says something about the device, not about who wears it. */
  readonly aboutDevice: boolean;
}
