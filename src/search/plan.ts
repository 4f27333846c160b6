/**
 * The typed search plan: an immutable tree that every engine lowers to its own query language, and that `predicate.ts` runs in
 * memory. It says what is asked, never how. Values are parsed and checked; nothing in it is text to be parsed again.
 */

import type { ParamType } from '../fhir/terms.ts';

export type Comparator = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

/** `system` undefined: any system; '' : no system. `code` undefined: any code of that system. FHIR R4 search.html#token */
export interface TokenFilter {
  readonly op: 'token';
  readonly param: string;
  readonly system?: string | undefined;
  readonly code?: string | undefined;
}
/** `value` is folded for `starts` and `contains`, as typed for `exact`. */
export interface StringFilter {
  readonly op: 'string';
  readonly param: string;
  readonly mode: 'starts' | 'contains' | 'exact';
  readonly value: string;
}
/** [low, high) is the interval that the precision of the search value spans, ms since 1970. FHIR R4 search.html#date */
export interface DateFilter {
  readonly op: 'date';
  readonly param: string;
  readonly comparator: Comparator;
  readonly low: number;
  readonly high: number;
}
/** `value` as typed, [low, high) its implicit precision (37 → [36.5, 37.5)). FHIR R4 search.html#number */
export interface NumberFilter {
  readonly op: 'number';
  readonly param: string;
  readonly comparator: Comparator;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}
/** `system` undefined: `code` is matched with code or unit. */
export interface QuantityFilter {
  readonly op: 'quantity';
  readonly param: string;
  readonly comparator: Comparator;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly system?: string | undefined;
  readonly code?: string | undefined;
}
/** `type` undefined: any type with that id. An absolute URL elsewhere has the URL as `id` and no type. */
export interface ReferenceFilter {
  readonly op: 'reference';
  readonly param: string;
  readonly type?: string | undefined;
  readonly id: string;
}
/** `:identifier` on a reference. */
export interface ReferenceIdentifierFilter {
  readonly op: 'reference-identifier';
  readonly param: string;
  readonly system?: string | undefined;
  readonly value?: string | undefined;
}
export interface UriFilter {
  readonly op: 'uri';
  readonly param: string;
  readonly mode: 'exact' | 'below' | 'above';
  readonly value: string;
}
/** `:missing=true|false`; `missing` false: there is at least one term. */
export interface MissingFilter {
  readonly op: 'missing';
  readonly param: string;
  readonly type: ParamType;
  readonly missing: boolean;
}
export interface IdFilter {
  readonly op: 'id';
  readonly ids: readonly string[];
}
export interface LastUpdatedFilter {
  readonly op: 'last-updated';
  readonly comparator: Comparator;
  readonly low: number;
  readonly high: number;
}
/** `param.filter`: some reference of `param` leads to a `type` that matches. */
export interface ChainFilter {
  readonly op: 'chain';
  readonly param: string;
  readonly type: string;
  readonly filter: Filter;
  /** The access filter of `type`, when this is part of a user's query. */
  readonly access?: AccessFilter | undefined;
}
/** `_has:type:param:…`: some `type` that matches points here by `param`. */
export interface HasFilter {
  readonly op: 'has';
  readonly type: string;
  readonly param: string;
  readonly filter: Filter;
  readonly access?: AccessFilter | undefined;
}
/** All parts hold in one occurrence of the composite. */
export interface CompositeFilter {
  readonly op: 'composite';
  readonly param: string;
  readonly parts: readonly Filter[];
}
export interface AndFilter {
  readonly op: 'and';
  readonly of: readonly Filter[];
}
export interface OrFilter {
  readonly op: 'or';
  readonly of: readonly Filter[];
}
export interface NotFilter {
  readonly op: 'not';
  readonly of: Filter;
}
export interface AllFilter {
  readonly op: 'all';
}
export interface NoneFilter {
  readonly op: 'none';
}

export type Filter =
  | TokenFilter
  | StringFilter
  | DateFilter
  | NumberFilter
  | QuantityFilter
  | ReferenceFilter
  | ReferenceIdentifierFilter
  | UriFilter
  | MissingFilter
  | IdFilter
  | LastUpdatedFilter
  | ChainFilter
  | HasFilter
  | CompositeFilter
  | AndFilter
  | OrFilter
  | NotFilter
  | AllFilter
  | NoneFilter;

export type { ParamType } from '../fhir/terms.ts';

export const ALL: AllFilter = Object.freeze({ op: 'all' });
export const NONE: NoneFilter = Object.freeze({ op: 'none' });

/** AND with the trivial cases folded away. */
export function and(...of: readonly Filter[]): Filter {
  const flat = of.flatMap((f) => (f.op === 'and' ? f.of : [f])).filter((f) => f.op !== 'all');
  if (flat.some((f) => f.op === 'none')) return NONE;
  if (flat.length === 0) return ALL;
  return flat.length === 1 ? (flat[0] as Filter) : Object.freeze({ op: 'and', of: flat });
}

/** OR with the trivial cases folded away. */
export function or(...of: readonly Filter[]): Filter {
  const flat = of.flatMap((f) => (f.op === 'or' ? f.of : [f])).filter((f) => f.op !== 'none');
  if (flat.some((f) => f.op === 'all')) return ALL;
  if (flat.length === 0) return NONE;
  return flat.length === 1 ? (flat[0] as Filter) : Object.freeze({ op: 'or', of: flat });
}

declare const accessBrand: unique symbol;
/**
 * What a token may see of one type. Only `access/` makes one. The stores AND it into the query as a separate argument: it is
 * never merged into a user's query, never relaxed, never dropped.
 */
export interface AccessFilter {
  readonly [accessBrand]: true;
  readonly type: string;
  readonly filter: Filter;
}

export interface SortKey {
  /** `_id`, `_lastUpdated` or the code of a search parameter of the type. */
  readonly param: string;
  readonly type: ParamType;
  readonly descending: boolean;
}

/** Where the page before ended: the sort values of its last entry, opaque to all but the engine that made it. */
export interface Cursor {
  readonly values: readonly (string | number | null)[];
  /** Nothing that was created after this is in any page of the walk. */
  readonly snapshot: number;
}

export interface Plan {
  readonly type: string;
  /** What the user asked for; never holds access rules. */
  readonly filter: Filter;
  /** Empty: the default order, newest first: the primary date of the type (see `primaryDate`) or creation, both descending. */
  readonly sort: readonly SortKey[];
  /** Entries of a page; the engine looks for one more to know whether there is a next page. 0: count only. */
  readonly count: number;
  readonly cursor?: Cursor | undefined;
  /** Compute the total (`_total=accurate`, `_summary=count`). */
  readonly total: boolean;
}

/** The date by which a type is read: engines cluster by it, and it is the default order, newest first. */
export const PRIMARY_DATE: Readonly<Record<string, string>> = Object.freeze({
  Observation: 'date',
  DiagnosticReport: 'date',
  Encounter: 'date',
  Condition: 'recorded-date',
  Procedure: 'date',
  AuditEvent: 'date',
});
