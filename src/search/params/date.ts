import { parseDateTime } from '../../fhir/dates.ts';
import type { Comparator } from '../plan.ts';
import { badValue, quoted } from '../refuse.ts';
import { splitPrefix } from './prefix.ts';

export interface DateRange {
  readonly comparator: Comparator;
  readonly low: number;
  readonly high: number;
}

/**
 * FHIR R4 search.html#date: the precision of the text makes an interval; without a zone it is UTC. `ap` widens the interval by
 * its own length on either side (the specification leaves the width to the server), so that for engines it is an overlap.
 */
export function parseDateRange(name: string, text: string): DateRange {
  const { comparator, rest } = splitPrefix(text);
  // A "+" that was not percent-encoded arrives as a space.
  const at = parseDateTime(rest.replace(/ (?=\d\d:\d\d$)/, '+'));
  if (!at)
    throw badValue(
      name,
      `${quoted(text)} is not a date. Write 2026-11-22 or 2026-11-22T08:05:09Z, with eq ne gt lt ge le sa eb or ap before it.`,
    );
  const width = comparator === 'ap' ? at.high - at.low : 0;
  return { comparator, low: at.low - width, high: at.high + width };
}
