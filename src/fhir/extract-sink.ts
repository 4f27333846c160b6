/** Where extracted terms are collected, and the functions that put them there. */
import type {
  CompositeTerm,
  DateTerm,
  NumberTerm,
  QuantityTerm,
  ReferenceTerm,
  StringTerm,
  Terms,
  TokenTerm,
  UriTerm,
} from './terms.ts';

export interface TermsSink extends Terms {
  readonly token: TokenTerm[];
  readonly string: StringTerm[];
  readonly date: DateTerm[];
  readonly number: NumberTerm[];
  readonly quantity: QuantityTerm[];
  readonly reference: ReferenceTerm[];
  readonly uri: UriTerm[];
  readonly composite: CompositeTerm[];
}

export const newSink = (): TermsSink => ({
  token: [],
  string: [],
  date: [],
  number: [],
  quantity: [],
  reference: [],
  uri: [],
  composite: [],
});

/** Where the extraction is: the whole resource and the base URL of this server. */
export interface At {
  readonly root: Record<string, unknown>;
  readonly base: string;
}

/** `value` is never null, undefined or an array. */
export type Leaf = (sink: TermsSink, value: unknown, at: At) => void;

/** What is no string is as good as none. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
