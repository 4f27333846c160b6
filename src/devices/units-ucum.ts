/**
 * UCUM itself, for units that no table here names. The library is some 25 ms to load and its tables some MB, so it is loaded
 * when the first such unit comes, and each answer is kept by `units.ts`.
 */
import { createRequire } from 'node:module';
import { type Linear, linearOf } from './decimal.ts';

interface Conversion {
  status: 'succeeded' | 'failed' | 'error';
  toVal: number | null;
}
interface Ucum {
  convertUnitTo(from: string, value: number, to: string): Conversion;
  validateUnitString(text: string): { status: 'valid' | 'invalid' | 'error' };
}

let ucum: Ucum | undefined;
function load(): Ucum {
  if (!ucum) {
    const require = createRequire(import.meta.url);
    const library = require('@lhncbc/ucum-lhc') as { UcumLhcUtils: { getInstance(): Ucum } };
    ucum = library.UcumLhcUtils.getInstance();
  }
  return ucum;
}

export type UcumAnswer = Linear | 'unknown' | 'incommensurable';

/** How to get from one UCUM unit to another. */
export function ucumConversion(from: string, to: string): UcumAnswer {
  const library = load();
  if (library.validateUnitString(from).status !== 'valid') return 'unknown';
  const zero = library.convertUnitTo(from, 0, to);
  const one = library.convertUnitTo(from, 1, to);
  const two = library.convertUnitTo(from, 2, to);
  if (zero.toVal === null || one.toVal === null || two.toVal === null) return 'incommensurable';
  const factor = one.toVal - zero.toVal;
  // A logarithmic unit (dB, pH) is not a straight line: nothing that is measured here comes in one.
  const straight = Math.abs(two.toVal - one.toVal - factor) <= Math.abs(factor) * 1e-9;
  if (!straight || !Number.isFinite(factor) || factor === 0) return 'incommensurable';
  return linearOf(factor, zero.toVal);
}
