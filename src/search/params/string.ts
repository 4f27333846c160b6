import { normalizeString } from '../../fhir/terms.ts';
import { unescaped } from '../escape.ts';
import type { StringFilter } from '../plan.ts';
import { badValue } from '../refuse.ts';

/** FHIR R4 search.html#string: starts with, whatever the case and the accents; `:contains` anywhere; `:exact` to the letter. */
export function parseString(code: string, name: string, text: string, mode: StringFilter['mode']): StringFilter {
  const typed = unescaped(text);
  const value = mode === 'exact' ? typed : normalizeString(typed);
  if (value === '') throw badValue(name, 'has no letter to search for.');
  return { op: 'string', param: code, mode, value };
}
