/** Between which starts the dates lie that a date filter can match: what of an index is to be read. */
import type { DateFilter } from '../../search/plan.ts';
import type { Span } from './classes.ts';
import { NO_DATE } from './schema.ts';

/** `low` of a date is within [from, to). */
export interface DateRange {
  readonly from: number;
  readonly to: number;
}

/** Every real date; not `NO_DATE`. */
export const EVERY_DATE: DateRange = { from: NO_DATE + 1, to: Number.MAX_SAFE_INTEGER };

/** `longest`: no date that is looked for is longer, ms. A superset: each date is compared afterwards. */
export function startsOf(filter: DateFilter, longest: number): DateRange {
  const { low, high } = filter;
  const { from, to } = EVERY_DATE;
  switch (filter.comparator) {
    case 'eq':
      return { from: low, to: high };
    case 'gt':
      return { from: high - longest, to };
    case 'ge':
      return { from: low - longest, to };
    case 'sa':
      return { from: high, to };
    case 'lt':
      return { from, to: low };
    case 'le':
      return { from, to: high };
    case 'eb':
      return { from, to: low + 1 };
    case 'ap':
      return { from: low - longest, to: high };
    default:
      return { from, to };
  }
}

/** The starts that all of these filters leave for the resources of one class. */
export function startsWithin(filters: readonly DateFilter[], span: Span): DateRange {
  // Several dates: each filter may be met by another one of them.
  if (span === 'many') return EVERY_DATE;
  let { from, to } = EVERY_DATE;
  for (const filter of filters) {
    const range = startsOf(filter, typeof span === 'number' ? span : Number.POSITIVE_INFINITY);
    from = Math.max(from, range.from);
    to = Math.min(to, range.to);
  }
  return { from, to };
}
