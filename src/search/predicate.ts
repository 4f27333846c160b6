/** The plan in memory: what every engine's own query language must say too. FHIR R4 search.html#prefix */
import type { DateTerm, QuantityTerm, Terms } from '../fhir/terms.ts';
import { belowStem } from './params/uri.ts';
import type {
  Comparator,
  Filter,
  MissingFilter,
  NumberFilter,
  QuantityFilter,
  ReferenceFilter,
  ReferenceIdentifierFilter,
  StringFilter,
  TokenFilter,
  UriFilter,
} from './plan.ts';

export interface Meta {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly lastUpdated: number;
}

interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * `has` is the interval of the resource, `asked` the one of the search; both half-open. The range above the search value is
 * [asked.high, ∞), the one below it (-∞, asked.low).
 */
export function compareInterval(comparator: Comparator, has: Interval, asked: Interval): boolean {
  // eq: the range of the search value fully contains the range of the resource.
  const within = has.low >= asked.low && has.high <= asked.high;
  switch (comparator) {
    case 'eq':
      return within;
    case 'ne':
      return !within;
    // gt: the range above the search value intersects the range of the resource.
    case 'gt':
      return has.high > asked.high;
    // lt: the range below the search value intersects the range of the resource.
    case 'lt':
      return has.low < asked.low;
    // ge, le: either of the two.
    case 'ge':
      return has.high > asked.high || within;
    case 'le':
      return has.low < asked.low || within;
    // sa: the range of the resource begins after that of the search value has ended.
    case 'sa':
      return has.low >= asked.high;
    // eb: it ended before.
    case 'eb':
      return has.high <= asked.low;
    // ap: the ranges overlap; the parser has widened the one asked for.
    default:
      return has.low < asked.high && has.high > asked.low;
  }
}

/** The value of the resource is a point. With gt, lt, ge, le, sa, eb the precision of the search value does not count. */
export function compareNumber(has: number, asked: Omit<NumberFilter, 'op' | 'param'>): boolean {
  switch (asked.comparator) {
    case 'gt':
    case 'sa':
      return has > asked.value;
    case 'lt':
    case 'eb':
      return has < asked.value;
    case 'ge':
      return has >= asked.value;
    case 'le':
      return has <= asked.value;
    case 'ne':
      return has < asked.low || has >= asked.high;
    // eq, and ap, whose range the parser has widened.
    default:
      return has >= asked.low && has < asked.high;
  }
}

const ofToken = (f: TokenFilter, terms: Terms): boolean =>
  terms.token.some(
    (t) =>
      t.param === f.param &&
      (f.system === undefined || t.system === f.system) &&
      (f.code === undefined || t.code === f.code),
  );

const ofString = (f: StringFilter, terms: Terms): boolean =>
  terms.string.some((t) => {
    if (t.param !== f.param) return false;
    if (f.mode === 'exact') return t.text === f.value;
    return f.mode === 'starts' ? t.folded.startsWith(f.value) : t.folded.includes(f.value);
  });

/** A unit is compared with its code when a system is named, else with code or printed unit. FHIR R4 search.html#quantity */
function sameUnit(f: QuantityFilter, t: QuantityTerm): boolean {
  if (f.system !== undefined) return t.system === f.system && (f.code === undefined || t.code === f.code);
  return f.code === undefined || t.code === f.code || t.unit === f.code;
}

const ofQuantity = (f: QuantityFilter, terms: Terms): boolean =>
  terms.quantity.some((t) => t.param === f.param && sameUnit(f, t) && compareNumber(t.value, f));

const ofReference = (f: ReferenceFilter, terms: Terms): boolean =>
  terms.reference.some((t) => t.param === f.param && t.id === f.id && (f.type === undefined || t.type === f.type));

const ofIdentifier = (f: ReferenceIdentifierFilter, terms: Terms): boolean =>
  terms.reference.some(
    ({ param, identifier }) =>
      param === f.param &&
      identifier !== undefined &&
      (f.system === undefined || identifier.system === f.system) &&
      (f.value === undefined || identifier.value === f.value),
  );

const ofUri = (f: UriFilter, terms: Terms): boolean =>
  terms.uri.some((t) => {
    if (t.param !== f.param) return false;
    if (t.value === f.value) return true;
    if (f.mode === 'below') return t.value.startsWith(belowStem(f.value));
    return f.mode === 'above' && f.value.startsWith(belowStem(t.value));
  });

const KIND = { special: 'token' } as const;
function ofMissing(f: MissingFilter, terms: Terms): boolean {
  const list: readonly { readonly param: string }[] = terms[f.type === 'special' ? KIND.special : f.type];
  return list.some((t) => t.param === f.param) !== f.missing;
}

/**
 * Whether a resource with these terms is found. `ne` holds when some value is not within the range.
 * @throws Error on `chain` and `has`, which need other resources: ask `isLocal` first.
 */
export function matches(filter: Filter, terms: Terms, meta: Meta): boolean {
  switch (filter.op) {
    case 'all':
      return true;
    case 'none':
      return false;
    case 'and':
      return filter.of.every((f) => matches(f, terms, meta));
    case 'or':
      return filter.of.some((f) => matches(f, terms, meta));
    case 'not':
      return !matches(filter.of, terms, meta);
    case 'token':
      return ofToken(filter, terms);
    case 'string':
      return ofString(filter, terms);
    case 'date':
      return terms.date.some(
        (t: DateTerm) => t.param === filter.param && compareInterval(filter.comparator, t, filter),
      );
    case 'number':
      return terms.number.some((t) => t.param === filter.param && compareNumber(t.value, filter));
    case 'quantity':
      return ofQuantity(filter, terms);
    case 'reference':
      return ofReference(filter, terms);
    case 'reference-identifier':
      return ofIdentifier(filter, terms);
    case 'uri':
      return ofUri(filter, terms);
    case 'missing':
      return ofMissing(filter, terms);
    case 'composite':
      return terms.composite.some(
        (t) => t.param === filter.param && filter.parts.every((p) => matches(p, t.parts, meta)),
      );
    case 'id':
      return filter.ids.includes(meta.id);
    case 'last-updated':
      return compareInterval(filter.comparator, { low: meta.lastUpdated, high: meta.lastUpdated + 1 }, filter);
    default:
      throw new Error(`a ${filter.op} filter cannot be decided from one resource`);
  }
}

/** No chain and no `_has` inside: `matches` decides it. */
export function isLocal(filter: Filter): boolean {
  switch (filter.op) {
    case 'chain':
    case 'has':
      return false;
    case 'and':
    case 'or':
      return filter.of.every(isLocal);
    case 'not':
      return isLocal(filter.of);
    default:
      return true;
  }
}
