/**
 * What a resource is indexed under. The extractor makes these from a resource; the stores, the in-memory predicate and the
 * subscription matcher read them. `param` is always the SearchParameter code as used in a URL, e.g. `value-quantity`.
 *
 * Parameters that are the union of others (`combo-code`, `combo-value-quantity`, `combo-value-concept`, `clinical-code` …) are
 * extracted like any other.
 */
/** FHIR R4 search.html#ptypes */
export type ParamType =
  | 'number'
  | 'date'
  | 'string'
  | 'token'
  | 'reference'
  | 'composite'
  | 'quantity'
  | 'uri'
  | 'special';

export interface TokenTerm {
  readonly param: string;
  /** Empty when the token has no system. */
  readonly system: string;
  readonly code: string;
}

export interface StringTerm {
  readonly param: string;
  /** As it stands in the resource (`:exact`). */
  readonly text: string;
  /** `normalizeString(text)`: no case, no accents, white space collapsed. */
  readonly folded: string;
}

/** Half-open interval [low, high) in milliseconds since 1970, the precision of the text made explicit. Open ends are ±`TIME_OPEN`. */
export interface DateTerm {
  readonly param: string;
  readonly low: number;
  readonly high: number;
}

export interface NumberTerm {
  readonly param: string;
  readonly value: number;
}

export interface QuantityTerm {
  readonly param: string;
  /** As a double. A Range has two terms; a missing value has none. */
  readonly value: number;
  readonly system: string;
  readonly code: string;
  readonly unit: string;
}

export interface ReferenceTerm {
  readonly param: string;
  /** Resource type, empty when it cannot be known (an absolute URL elsewhere, a logical reference). */
  readonly type: string;
  /** Logical id for a relative or own-server reference; else the whole URL. */
  readonly id: string;
  /** From `Reference.identifier`, for `:identifier`. */
  readonly identifier?: { readonly system: string; readonly value: string };
}

export interface UriTerm {
  readonly param: string;
  readonly value: string;
}

/** The parts of one composite occurrence, e.g. code and value of the same component. */
export interface CompositeTerm {
  readonly param: string;
  readonly parts: Terms;
}

export interface Terms {
  readonly token: readonly TokenTerm[];
  readonly string: readonly StringTerm[];
  readonly date: readonly DateTerm[];
  readonly number: readonly NumberTerm[];
  readonly quantity: readonly QuantityTerm[];
  readonly reference: readonly ReferenceTerm[];
  readonly uri: readonly UriTerm[];
  readonly composite: readonly CompositeTerm[];
}

/** Beyond every FHIR date; stands for an open end of a Period. */
export const TIME_OPEN = 8.64e15;

export const NO_TERMS: Terms = Object.freeze({
  token: [],
  string: [],
  date: [],
  number: [],
  quantity: [],
  reference: [],
  uri: [],
  composite: [],
});

/** FHIR R4 search.html#string: case and accents do not count, white space is collapsed. */
export function normalizeString(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim();
}
