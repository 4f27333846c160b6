/** The parameters that say how the result is to look, not what is to be found. FHIR R4 search.html#return */
import type { Limits } from '../base/limits.ts';
import { searchParam, searchParams } from '../fhir/search-params.ts';
import type { SortKey } from './plan.ts';
import { badValue, quoted, refusal, unsupported } from './refuse.ts';

export interface Include {
  /** The type that has the reference. */
  readonly source: string;
  /** Code of the reference parameter, or `*`: every reference. */
  readonly param: string;
  readonly target?: string;
  readonly iterate: boolean;
}

export type Summary = 'true' | 'text' | 'data' | 'count' | 'false';
export type TotalMode = 'none' | 'estimate' | 'accurate';

/** Names of the protocol that cannot be evaluated yet: to leave one out would answer another question. */
const UNSUPPORTED = new Set([
  '_text',
  '_content',
  '_filter',
  '_list',
  '_query',
  '_type',
  '_contained',
  '_containedType',
]);
const IGNORED_FORMAT = new Set(['_format', '_pretty']);

export const isFormatParam = (name: string): boolean => IGNORED_FORMAT.has(name);

export function refuseUnsupported(name: string): void {
  const head = /^[^:.]*/.exec(name)?.[0] ?? '';
  if (UNSUPPORTED.has(head))
    throw unsupported(
      name,
      'is not supported. Supported are the search parameters of the type, chains, _has, _id, _lastUpdated, _tag, _profile, _security, _source, _sort, _count, _total, _summary, _elements, _include and _revinclude.',
    );
}

/** Above the maximum it is lowered. */
export function parseCount(value: string, limits: Limits): number {
  if (!/^\d{1,9}$/.test(value)) throw badValue('_count', `is a whole number from 0 to ${limits.pageEntriesMax}.`);
  return Math.min(Number(value), limits.pageEntriesMax);
}

export function parseSort(type: string, value: string, limits: Limits): SortKey[] {
  const keys: SortKey[] = [];
  for (const part of value.split(',')) {
    const descending = part.startsWith('-');
    const code = descending ? part.slice(1) : part;
    const param = searchParam(type, code);
    if (!param) throw badValue('_sort', `${type} has no search parameter ${quoted(code)} to sort by.`);
    if (param.type === 'composite' || param.type === 'special')
      throw badValue('_sort', `${code} has several values at once, nothing can be sorted by it.`);
    // A key that stands there already decides nothing any more.
    if (!keys.some((k) => k.param === code)) keys.push({ param: code, type: param.type, descending });
  }
  if (keys.length > limits.sortKeysMax)
    throw refusal('request.too-many', '_sort', `takes at most ${limits.sortKeysMax} keys.`);
  return keys;
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((a) => a === value);
  if (found === undefined) throw badValue(name, `is one of ${allowed.join(', ')}, not ${quoted(value)}.`);
  return found;
}
export const parseSummary = (value: string): Summary =>
  oneOf('_summary', value, ['true', 'text', 'data', 'count', 'false']);
export const parseTotal = (value: string): TotalMode => oneOf('_total', value, ['none', 'estimate', 'accurate']);

export function parseElements(value: string): string[] {
  const names = value.split(',');
  for (const name of names)
    if (!/^[A-Za-z][A-Za-z0-9.]{0,127}$/.test(name))
      throw badValue('_elements', `${quoted(name)} is not the name of an element.`);
  return names;
}

/** `Type:param`, `Type:param:Target`, `Type:*` or `*`; the last two for `_include` only. FHIR R4 search.html#revinclude */
export function parseInclude(type: string, name: string, value: string): Include {
  const [kind = '', modifier, more] = name.split(':');
  if (more !== undefined || (modifier !== undefined && modifier !== 'iterate'))
    throw unsupported(name, 'the only modifier is :iterate.');
  const iterate = modifier === 'iterate';
  const parts = value.split(':');
  const [source = '', code = '*', target] = value === '*' ? [type] : parts;
  const all = code === '*';
  if (parts.length > 3 || (parts.length < 2 && value !== '*'))
    throw badValue(name, 'is written Type:parameter or Type:parameter:Target.');
  if (all && kind === '_revinclude') throw unsupported(name, '"*" is for _include only: name the parameters.');
  if (searchParams(source).length === 0) throw badValue(name, `${quoted(source)} is not a resource type.`);
  const param = all ? undefined : searchParam(source, code);
  if (!all && param?.type !== 'reference') throw badValue(name, `${source} has no reference ${quoted(code)}.`);
  const known = param ? param.targets.includes(target ?? '') : searchParams(target ?? '').length > 0;
  if (target !== undefined && !known) throw badValue(name, `${code} never leads to ${quoted(target)}.`);
  return { source, param: code, iterate, ...(target === undefined ? {} : { target }) };
}
