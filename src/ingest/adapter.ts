/** What an adapter is: a pure function from one message to measurements, with fixtures in `examples.yaml`. */
import type { Issue } from './issue.ts';
import type { Measurement } from './measurement.ts';
import type { Source } from './numbers.ts';

export interface Adapter {
  readonly name: string;
  /** Raised when the same message would be decoded to something else. */
  readonly version: string;
  /** Member of the body that lists the messages. */
  readonly list: 'readings' | 'messages';
  /**
   * One message. An empty list: it only informs.
   * @param source where it stands in its text, for the digits of its numbers.
   */
  decode(message: unknown, source: () => Source | undefined): readonly Measurement[] | Issue;
}
