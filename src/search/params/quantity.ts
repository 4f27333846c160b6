import { splitAt, unescaped } from '../escape.ts';
import type { QuantityFilter } from '../plan.ts';
import { badValue } from '../refuse.ts';
import { parseNumberRange } from './number.ts';

/** FHIR R4 search.html#quantity: `number`, `number|system|code`, `number||code` where code may be the unit as printed. */
export function parseQuantity(param: string, name: string, text: string): QuantityFilter {
  const [number = '', system, code, more] = splitAt(text, '|');
  if (more !== undefined || (system !== undefined && code === undefined))
    throw badValue(name, 'is written number, number|system|code or number||code.');
  const range = parseNumberRange(name, number);
  if (system !== undefined && system !== '' && code === '')
    throw badValue(name, 'names a system of units without a unit. Write number|system|code.');
  return {
    op: 'quantity',
    param,
    ...range,
    system: system === undefined || system === '' ? undefined : unescaped(system),
    code: code === undefined || code === '' ? undefined : unescaped(code),
  };
}
