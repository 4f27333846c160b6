/** The grammar of SMART scopes, v1 and v2, and which scope covers which. SMART App Launch 2.2 scopes-and-launch-context. */
import { isResourceType } from '../fhir/definitions.ts';
import { searchParam } from '../fhir/search-params.ts';
import type { Letter, Level, Scope } from './principal.ts';

export const LETTERS: readonly Letter[] = ['c', 'r', 'u', 'd', 's'];

/** Letters in this order or not at all: `.dus` is nothing, never reinterpreted. */
const SHAPE = /^(patient|user|system)\/([A-Za-z]+|\*)\.(c?r?u?d?s?|read|write|\*)(?:\?(.+))?$/;
const V1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** Parameters that every resource type has; the only ones that may restrict a scope of all types. */
const COMMON = new Set(['_id', '_tag', '_profile', '_security', '_source']);
/** Plain names: no modifier (`:`), no chain (`.`). */
const PARAM_NAME = /^_?[a-z][a-z0-9-]*$/;

function mayRestrict(type: string, name: string): boolean {
  if (!PARAM_NAME.test(name)) return false;
  // `_filter`, `_has`, `_list` and whatever else begins with an underscore is no restriction that can be enforced.
  if (name.startsWith('_')) return COMMON.has(name);
  return type !== '*' && searchParam(type, name) !== undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function parseParams(type: string, text: string): [string, string][] | undefined {
  const params: [string, string][] = [];
  for (const part of text.split('&')) {
    const equals = part.indexOf('=');
    const name = decode(part.slice(0, equals));
    const value = decode(part.slice(equals + 1));
    if (equals < 1 || name === undefined || !value || !mayRestrict(type, name)) return undefined;
    params.push([name, value]);
  }
  return params;
}

/** One scope for resources; undefined for `openid`, launch scopes and all that is not understood to the last character. */
export function parseScope(text: string): Scope | undefined {
  const found = SHAPE.exec(text);
  if (!found) return undefined;
  const [, level, type, asked, query] = found as unknown as [string, Level, string, string, string | undefined];
  const letters = V1[asked] ?? asked;
  if (letters === '' || (type !== '*' && !isResourceType(type))) return undefined;
  const params = query === undefined ? [] : parseParams(type, query);
  if (!params) return undefined;
  return Object.freeze({ text, level, type, letters: new Set(letters) as ReadonlySet<Letter>, params });
}

/** The scopes for resources in a scope string; what is not one is left out. */
export function parseScopes(text: string): Scope[] {
  return text.split(' ').flatMap((word) => parseScope(word) ?? []);
}

const restrictsAsMuch = (registered: Scope, asked: Scope): boolean =>
  registered.params.every(([name, value]) => asked.params.some(([n, v]) => n === name && v === value));

/**
 * Whether `asked` is within what is registered: the same level, the same type or one of all, each letter covered, and every
 * restriction of the covering scope repeated (more of them only narrow it further).
 */
export function covers(registered: readonly Scope[], asked: Scope): boolean {
  const candidates = registered.filter(
    (r) => r.level === asked.level && (r.type === '*' || r.type === asked.type) && restrictsAsMuch(r, asked),
  );
  return [...asked.letters].every((letter) => candidates.some((r) => r.letters.has(letter)));
}

/** CONTRACT §2 administrator: a scope `system/*.cruds` without restriction, whichever way it is spelt. */
export function isAdministrator(scopes: readonly Scope[]): boolean {
  return scopes.some(
    (s) => s.level === 'system' && s.type === '*' && s.params.length === 0 && LETTERS.every((l) => s.letters.has(l)),
  );
}
