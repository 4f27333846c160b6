/** What an adapter makes of a message: the only thing that the later stages know of a device's words. */
import type { Identifier } from '../devices/identity.ts';
import type { Moment } from './time.ts';

export type { Identifier } from '../devices/identity.ts';

/** Numbers are decimal text: their precision is part of them. */
export interface Samples {
  /** Milliseconds between samples. */
  readonly period: string;
  readonly factor?: string;
  readonly origin?: string;
  readonly lowerLimit?: string;
  readonly upperLimit?: string;
  /** Decimals, `E`, `L` or `U`, one blank between. FHIR R4 datatypes.html#SampledData */
  readonly data: string;
}

export interface MeasuredPart {
  readonly name: string;
  readonly value?: string;
  readonly unit?: string;
  readonly samples?: Samples;
}

export interface Measurement {
  readonly kind: string;
  /** Decimal text, or `NaN`, `INF`, `-INF`. */
  readonly value?: string;
  /** As the device says it. */
  readonly unit?: string;
  readonly components?: readonly MeasuredPart[];
  readonly samples?: Samples;
  /** Words of `status.ts`. */
  readonly status: readonly string[];
  /** The source takes it back. */
  readonly retracted: boolean;
  /** When it was measured; absent: when it was received. */
  readonly time?: Moment;
  /** End of the period that it covers. */
  readonly end?: Moment;
  readonly device: readonly Identifier[];
  /** User slot of the device; 255 is an unknown user. */
  readonly slot?: number;
  /** Id of the record at its source. */
  readonly id?: string;
  readonly sequence?: number;
  readonly version?: number;
  /** Whom the message claims: a Patient id, or an identifier. */
  readonly patient?: string | Identifier;
}
