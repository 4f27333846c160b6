import type { SearchParam } from '../../fhir/search-params.ts';
import { splitAt, unescaped } from '../escape.ts';
import { type Filter, NONE, type TokenFilter } from '../plan.ts';
import { badValue } from '../refuse.ts';

/** `code`, `system|code`, `|code`, `system|`: undefined is any, an empty system is none. */
export function systemAndCode(name: string, text: string): { system?: string; code?: string } {
  const [first = '', second, more] = splitAt(text, '|');
  if (more !== undefined)
    throw badValue(name, 'has more than one "|". Escape a "|" that belongs to the code as "\\|".');
  const system = second === undefined ? undefined : unescaped(first);
  const code = unescaped(second ?? first);
  if (code === '' && (system === undefined || system === ''))
    throw badValue(name, 'needs a code, or a system with "|" behind it.');
  return { ...(system === undefined ? {} : { system }), ...(code === '' ? {} : { code }) };
}

/**
 * FHIR R4 search.html#token. The system of elements of type code is implicit in their binding and stands in no resource: naming
 * it, or none, is the same; naming another one finds nothing.
 */
export function parseToken(param: SearchParam, name: string, text: string): Filter {
  const { system, code } = systemAndCode(name, text);
  const made: TokenFilter = { op: 'token', param: param.code, system, code };
  if (system === undefined || system === '' || param.systems.length === 0) return made;
  return param.systems.includes(system) ? { op: 'token', param: param.code, system: '', code } : NONE;
}
