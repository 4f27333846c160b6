import type { Comparator } from '../plan.ts';
import { badValue, quoted } from '../refuse.ts';
import { splitPrefix } from './prefix.ts';

export interface NumberRange {
  readonly comparator: Comparator;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const NUMBER = /^([+-]?)(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/;
const EXPONENT_MAX = 300;
/** `ap` is within a tenth of the value. FHIR R4 search.html#prefix */
const APPROXIMATION = 0.1;

/**
 * FHIR R4 search.html#number: 100 is [99.5, 100.5), 100.00 is [99.995, 100.005), and 1e2 is [95, 105): an exponent after a whole
 * number counts as one more digit. The ends are made from the digits, so that 38.0 begins at the double that 37.95 reads as.
 */
export function parseNumberRange(name: string, text: string): NumberRange {
  const { comparator, rest } = splitPrefix(text);
  const match = NUMBER.exec(rest);
  const exponent = Number(match?.[4] ?? 0);
  if (!match || Math.abs(exponent) > EXPONENT_MAX)
    throw badValue(name, `${quoted(text)} is not a number. Write 37.5, with eq ne gt lt ge le sa eb or ap before it.`);
  const [, sign = '', whole = '', given = '', power] = match;
  const fraction = power !== undefined && given === '' ? '0' : given;
  const scaled = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`) * 10n;
  const end = (half: bigint): number => Number(`${scaled + half}e${exponent - fraction.length - 1}`);
  const value = Number(rest);
  const [low, high] = [end(-5n), end(5n)];
  if (comparator !== 'ap') return { comparator, value, low, high };
  const around = Math.abs(value) * APPROXIMATION;
  return { comparator, value, low: Math.min(low, value - around), high: Math.max(high, value + around) };
}
