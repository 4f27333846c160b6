/** A query string to a frozen plan and what is to be done with its result. */
import type { Limits } from '../base/limits.ts';
import { decodeCursor } from './cursor.ts';
import { type FilterOptions, isKnown, parseFilter } from './filter.ts';
import { type AccessFilter, and, type Cursor, type Filter, type Plan, type SortKey } from './plan.ts';
import { badValue, quoted, refusal, unsupported } from './refuse.ts';
import {
  type Include,
  isFormatParam,
  parseCount,
  parseElements,
  parseInclude,
  parseSort,
  parseSummary,
  parseTotal,
  refuseUnsupported,
  type Summary,
  type TotalMode,
} from './result-params.ts';

export { parseFilter } from './filter.ts';
export type { Include, Summary } from './result-params.ts';

export interface QueryOptions extends FilterOptions {
  /** FHIR base URL: absolute references below it are those of this server. */
  readonly base: string;
  readonly limits: Limits;
  /** `Prefer: handling=strict`: an unknown parameter is 400. */
  readonly strict: boolean;
  /** The query is a condition: an unknown or empty parameter is 400, and so is anything that only shapes a result. */
  readonly conditional?: boolean;
  /** Signs cursors. */
  readonly secret: Uint8Array;
  /** Client and filter hash that a cursor is bound to, besides the search. */
  readonly binding: string;
  /** For chains and `_has`; undefined: not allowed. */
  accessFor(type: string): AccessFilter | undefined;
}

export interface ParsedQuery {
  readonly plan: Plan;
  readonly includes: readonly Include[];
  readonly revincludes: readonly Include[];
  /** The search as understood, a query string without `_cursor`. */
  readonly self: string;
  readonly summary?: Summary;
  readonly elements?: readonly string[];
  /** Names of unknown parameters that were left out. */
  readonly ignored: readonly string[];
  /** What cursors of this search are bound to: `binding` and the search itself. Make them with it. */
  readonly cursorBinding: string;
}

interface Draft {
  readonly filters: Filter[];
  readonly includes: Include[];
  readonly revincludes: Include[];
  readonly elements: string[];
  readonly self: string[];
  readonly ignored: string[];
  readonly once: Set<string>;
  sort: SortKey[];
  count: number;
  summary?: Summary;
  totalMode?: TotalMode;
  cursor?: string;
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw badValue('query', `${quoted(text)} is not percent-encoded UTF-8.`);
  }
}

/** What a query may hold as it is stays readable. RFC 3986 section 3.4 */
const encode = (text: string): string =>
  /^[\w.~*:/,@!()-]*$/.test(text)
    ? text
    : encodeURIComponent(text).replace(/%(2C|3A|2F|24|40)/g, (code) => decodeURIComponent(code));

/** Decoded (name, value) in order; what has no `=` has an empty value. */
export function splitQuery(query: string, limits: Limits): [string, string][] {
  const pairs: [string, string][] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    pairs.push(at === -1 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]);
    if (pairs.length > limits.searchParametersMax)
      throw refusal(
        'request.too-many',
        'query',
        `has more than ${limits.searchParametersMax} parameters. Ask in parts.`,
      );
  }
  return pairs;
}

const ONCE = new Set(['_sort', '_count', '_total', '_summary', '_cursor']);

/** True when the name is one that shapes the result. */
function shape(draft: Draft, type: string, name: string, value: string, limits: Limits): boolean {
  if (ONCE.has(name)) {
    if (draft.once.has(name)) throw badValue(name, 'stands twice. Give it once.');
    draft.once.add(name);
  }
  const keep = (as = value): true => {
    draft.self.push(`${encode(name)}=${encode(as)}`);
    return true;
  };
  switch (name) {
    case '_sort':
      draft.sort = parseSort(type, value, limits);
      return keep();
    case '_count':
      draft.count = parseCount(value, limits);
      return keep(String(draft.count));
    case '_total':
      draft.totalMode = parseTotal(value);
      return keep();
    case '_summary':
      draft.summary = parseSummary(value);
      return keep();
    case '_elements':
      draft.elements.push(...parseElements(value));
      return keep();
    case '_cursor':
      draft.cursor = value;
      return true;
    default:
  }
  const kind = name.split(':', 1)[0];
  if (kind !== '_include' && kind !== '_revinclude') return false;
  draft[kind === '_include' ? 'includes' : 'revincludes'].push(parseInclude(type, name, value));
  return keep();
}

function take(draft: Draft, type: string, name: string, value: string, options: QueryOptions): void {
  if (isFormatParam(name)) return;
  if (value === '') {
    // FHIR R4 search.html#standard: a parameter without value is as good as not there; a condition must not be.
    if (options.conditional) throw badValue(name, 'has no value. A condition needs one.');
    if (isKnown(type, name) || name.startsWith('_')) return;
  }
  if (name.includes('\0') || value.includes('\0')) throw badValue(name, 'has a NUL character.');
  refuseUnsupported(name);
  if (isKnown(type, name)) {
    draft.filters.push(parseFilter(type, name, value, options));
    draft.self.push(`${encode(name)}=${encode(value)}`);
    return;
  }
  if (options.conditional) throw unsupported(name, `is no search parameter of ${type} and cannot be a condition.`);
  if (shape(draft, type, name, value, options.limits)) return;
  if (options.strict)
    throw unsupported(name, `${type} has no such search parameter. Leave it out, or send Prefer: handling=lenient.`);
  draft.ignored.push(name);
}

function cursorOf(draft: Draft, options: QueryOptions, cursorBinding: string): Cursor | undefined {
  if (draft.cursor === undefined) return undefined;
  return decodeCursor(draft.cursor, options.secret, cursorBinding);
}

/**
 * `query` is what stands behind the `?`, or a form body. Parameters are ANDed, their comma lists ORed. FHIR R4 search.html
 * @throws VitalwireError `request.value`, `request.unsupported`, `request.too-many`, `auth.forbidden`, `resource.not-found`
 *   (the cursor of someone else).
 */
export function parseQuery(type: string, query: string, options: QueryOptions): ParsedQuery {
  const { limits } = options;
  const draft: Draft = {
    filters: [],
    includes: [],
    revincludes: [],
    elements: [],
    self: [],
    ignored: [],
    once: new Set(),
    sort: [],
    count: limits.pageEntriesDefault,
  };
  for (const [name, value] of splitQuery(query, limits)) take(draft, type, name, value, options);
  if (options.conditional && draft.filters.length === 0)
    throw badValue('query', 'a condition needs a search parameter.');
  const self = draft.self.join('&');
  const cursorBinding = `${options.binding}\n${type}?${self}`;
  // FHIR R4 search.html#count: a page of none is a count.
  const counted = draft.summary === 'count' || draft.count === 0;
  const plan: Plan = {
    type,
    filter: and(...draft.filters),
    sort: draft.sort,
    count: counted ? 0 : draft.count,
    cursor: cursorOf(draft, options, cursorBinding),
    total: counted || draft.totalMode === 'accurate' || draft.totalMode === 'estimate',
  };
  return {
    plan: Object.freeze(plan),
    includes: draft.includes,
    revincludes: draft.revincludes,
    self,
    ...(draft.summary === undefined ? {} : { summary: draft.summary }),
    ...(draft.elements.length === 0 ? {} : { elements: draft.elements }),
    ignored: draft.ignored,
    cursorBinding,
  };
}
