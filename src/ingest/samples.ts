/** Series of samples: their form, and the extremes of their true values. FHIR R4 datatypes.html#SampledData */
import { isDecimal } from '../devices/decimal.ts';
import { type Issue, malformed } from './issue.ts';
import type { Samples } from './measurement.ts';
import { numberText, type Source } from './numbers.ts';

export const isSamples = (value: Samples | Issue): value is Samples => 'data' in value;

const SAMPLE = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?$/;
const MARKS = new Set(['E', 'L', 'U']);
const FIELDS = ['period', 'factor', 'origin', 'lowerLimit', 'upperLimit'] as const;

/** Decimals, `E` (error), `L` (below), `U` (above) with single blanks between. */
function isData(data: string): boolean {
  for (const word of data.split(' ')) if (!MARKS.has(word) && !SAMPLE.test(word)) return false;
  return true;
}

export function samplesOf(value: unknown, source: () => Source | undefined): Samples | Issue {
  if (typeof value !== 'object' || value === null)
    return malformed('"samples" must be {"period","factor"?,"origin"?,"data"}.');
  const raw = value as Readonly<Record<string, unknown>>;
  const found: { -readonly [K in keyof Samples]?: Samples[K] } = {};
  for (const name of FIELDS) {
    const field = raw[name];
    if (field === undefined || field === null) continue;
    const text = typeof field === 'number' ? numberText(source(), name, field) : field;
    if (typeof text !== 'string' || !isDecimal(text)) return malformed(`"samples.${name}" must be a number.`);
    found[name] = text;
  }
  const { data } = raw as { data?: unknown };
  if (typeof data !== 'string' || !isData(data))
    return malformed('"samples.data" must be numbers, E, L or U with one blank between.');
  const { period } = found;
  if (period === undefined || !(Number(period) > 0))
    return malformed('"samples.period" must be the milliseconds between samples, more than 0.');
  if (found.factor !== undefined && Number(found.factor) === 0) return malformed('"samples.factor" must not be 0.');
  return { ...found, period, data };
}

/** Smallest and largest true value, `data × factor + origin`; undefined when no sample is a number. */
export function extremes(samples: Samples): { low: number; high: number } | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const word of samples.data.split(' ')) {
    const n = Number(word);
    if (Number.isNaN(n)) continue;
    if (n < low) low = n;
    if (n > high) high = n;
  }
  if (low > high) return undefined;
  const factor = samples.factor === undefined ? 1 : Number(samples.factor);
  const origin = samples.origin === undefined ? 0 : Number(samples.origin);
  const a = low * factor + origin;
  const b = high * factor + origin;
  return a <= b ? { low: a, high: b } : { low: b, high: a };
}
