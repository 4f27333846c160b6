/** What lies in each collection, and how a resource's terms become values that indexes can hold. */
import type { Binary } from 'mongodb';
import type { CompositeTerm, QuantityTerm, Terms } from '../../fhir/terms.ts';
import { PRIMARY_DATE } from '../../search/plan.ts';
import type { Method } from '../store.ts';

/** Joins the parts of an index value, see `safe`. */
export const SEPARATOR = '\u0001';
/** In the place of a part: any value of it. */
export const ANY = '\u0002';
/** Before the system of `Reference.identifier`. */
export const BY_IDENTIFIER = '\u0003';

interface Indexed {
  readonly p: string;
}
export interface IndexedString extends Indexed {
  readonly folded: string;
  readonly text: string;
}
export interface IndexedDate extends Indexed {
  readonly low: number;
  readonly high: number;
}
export interface IndexedNumber extends Indexed {
  readonly value: number;
}
export interface IndexedQuantity extends IndexedNumber {
  readonly system: string;
  readonly code: string;
  readonly unit: string;
}
export interface IndexedUri extends Indexed {
  readonly value: string;
}

/** The terms of one resource, or of one occurrence of a composite. */
export interface IndexedTerms {
  /** Two of each: `param␁system␁code` and `param␁ANY␁code`. */
  readonly token: readonly string[];
  /** Two of each: `param␁Type␁id` and `param␁ANY␁id`; and two of each identifier. */
  readonly reference: readonly string[];
  readonly string: readonly IndexedString[];
  /** `param␁folded` of each, which begins as a search text does. */
  readonly stringStart: readonly string[];
  readonly date: readonly IndexedDate[];
  readonly number: readonly IndexedNumber[];
  readonly quantity: readonly IndexedQuantity[];
  readonly uri: readonly IndexedUri[];
}

export interface IndexedComposite extends IndexedTerms, Indexed {}

export interface VersionDocument {
  /** `Type/id/version` */
  readonly _id: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly updated: number;
  readonly method: Method;
  readonly deleted: boolean;
  readonly text: string;
  readonly origin?: string | undefined;
}

/** The newest version of a resource, with what it is found under. `_id` is `Type/id`. */
export interface ResourceDocument extends VersionDocument, IndexedTerms {
  /** Change number of the first version: the order of creation. */
  readonly created: number;
  /** Low end of the primary date of the type (the newest, when there are several), null when there is none. */
  readonly primary: number | null;
  /**
   * Patient and code in one value, `Patient/1␁system␁code` and `Patient/1␁ANY␁code`: two arrays cannot share a compound index,
   * and "this code of this patient, newest first" is what an EHR asks all day.
   */
  readonly patientCode: readonly string[];
  /** Parameters that have a term, for `:missing`. */
  readonly has: readonly string[];
  readonly composite: readonly IndexedComposite[];
}

export interface ChangeDocument {
  /** The change number. */
  readonly _id: number;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly method: Method;
  readonly at: number;
}

export interface KeyDocument {
  /** The idempotency key. */
  readonly _id: string;
  readonly type: string;
  readonly id: string;
  readonly note: string;
}

export interface StoredDoc {
  /** `collection␁key` */
  readonly _id: string;
  readonly c: string;
  readonly k: string;
  readonly body: string;
  readonly tags: readonly string[];
  /** MongoDB removes it some time after this moment; reads do not see it from that moment on. */
  readonly expires: Date | null;
}

/** A number by name: `seq`, `schema`, `guard/…`, `counter/…`, `span/…`, `writer/…`. */
export interface NumberDocument {
  readonly _id: string;
  readonly n: number;
  /** Of `seq`: the newest lastUpdated, so that it never goes back. */
  readonly at?: number | undefined;
  /** Of `session/…`: the id of the session that a process writes under. */
  readonly lsid?: Binary | undefined;
  /** Of `seq`: raised by every transaction that rests on the order of commits, so that they come one after the other. */
  readonly groups?: number | undefined;
}

/** That a group of batches was committed: how a commit whose answer was lost is told from one that never happened. */
export interface CommitDocument {
  readonly _id: string;
  /** Which of the attempts it was. */
  readonly attempt: number;
  readonly at: Date;
}

export const docId = (collection: string, key: string): string => collection + SEPARATOR + key;
export const resourceId = (type: string, id: string): string => `${type}/${id}`;
export const versionId = (type: string, id: string, version: number): string => `${type}/${id}/${version}`;
export const joined = (...parts: readonly string[]): string => parts.join(SEPARATOR);

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const MARKS = /[\u0000-\u0004]/g;
/** A part as it came from outside: JSON can hold control characters, and none of them may pass for a mark of ours. */
export const safe = (part: string): string =>
  part.replace(MARKS, (mark) => `\u0004${String.fromCharCode(mark.charCodeAt(0) + 64)}`);

const tokens = (terms: Terms): string[] =>
  terms.token.flatMap((t) => [joined(t.param, safe(t.system), safe(t.code)), joined(t.param, ANY, safe(t.code))]);

function references(terms: Terms): string[] {
  return terms.reference.flatMap(({ param, type, id, identifier }) => {
    const values = id === '' ? [] : [joined(param, type, safe(id)), joined(param, ANY, safe(id))];
    if (identifier)
      values.push(
        joined(param, BY_IDENTIFIER + safe(identifier.system), safe(identifier.value)),
        joined(param, BY_IDENTIFIER + ANY, safe(identifier.value)),
      );
    return values;
  });
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

function indexedTerms(terms: Terms): IndexedTerms {
  return {
    token: unique(tokens(terms)),
    reference: unique(references(terms)),
    stringStart: unique(terms.string.map((t) => joined(t.param, safe(t.folded)))),
    string: terms.string.map((t) => ({ p: t.param, folded: t.folded, text: t.text })),
    date: terms.date.map((t) => ({ p: t.param, low: t.low, high: t.high })),
    number: terms.number.map((t) => ({ p: t.param, value: t.value })),
    quantity: terms.quantity.map((t: QuantityTerm) => ({
      p: t.param,
      value: t.value,
      system: t.system,
      code: t.code,
      unit: t.unit,
    })),
    uri: terms.uri.map((t) => ({ p: t.param, value: t.value })),
  };
}

function paramsOf(terms: Terms): string[] {
  const lists: readonly (readonly { readonly param: string }[])[] = Object.values(terms);
  return unique(lists.flatMap((list) => list.map((t) => t.param)));
}

function patientCodes(terms: Terms): string[] {
  const patients = unique(
    terms.reference.filter((t) => t.param === 'patient' && t.type === 'Patient').map((t) => t.id),
  );
  const codes = terms.token.filter((t) => t.param === 'code');
  return unique(
    patients.flatMap((id) =>
      codes.flatMap((t) => [joined(safe(id), safe(t.system), safe(t.code)), joined(safe(id), ANY, safe(t.code))]),
    ),
  );
}

const dates = (type: string, terms: Terms): readonly { readonly low: number; readonly high: number }[] =>
  terms.date.filter((t) => t.param === PRIMARY_DATE[type]);

/**
 * Width of the primary date, ms; infinite when there are several, or it ends before it begins. Lets a search by date begin near
 * its lower bound.
 */
export function spanOf(type: string, terms: Terms): number {
  const [date, another] = dates(type, terms);
  if (another || (date && date.high < date.low)) return Number.POSITIVE_INFINITY;
  return date === undefined ? 0 : date.high - date.low;
}

/** Everything of a resource document that follows from its terms. */
export function indexed(type: string, terms: Terms): Omit<ResourceDocument, keyof VersionDocument | 'created'> {
  const lows = dates(type, terms).map((t) => t.low);
  return {
    ...indexedTerms(terms),
    primary: lows.length === 0 ? null : Math.max(...lows),
    patientCode: patientCodes(terms),
    has: paramsOf(terms),
    composite: terms.composite.map((t: CompositeTerm) => ({ p: t.param, ...indexedTerms(t.parts) })),
  };
}
