/**
 * Classes: all resources that share their low-cardinality terms (status, category, code, tags, profiles …) and the shape of
 * their date and owner are of one class. A store has a few hundred of them, whatever the number of resources, so any AND, OR
 * and NOT of such terms is decided here, in memory, once for each class.
 */
import type { Limits } from '../../base/limits.ts';
import type { ReferenceTerm, Terms, TokenTerm } from '../../fhir/terms.ts';
import { NO_TERMS } from '../../fhir/terms.ts';
import { CLASS, type Definition, type Dictionary, TYPE } from './dictionary.ts';
import { memo } from './memo.ts';
import { OWNER_PARAMS, primaryDate, tokenRoute, uriRoute } from './routes.ts';

/**
 * What by_class.date and .high hold.
 * - creation: the type has no primary date; date is 0
 * - none: this resource has none
 * - a number: one date, `high` is `date` + this many ms and is not stored
 * - own: one date, `high` is stored
 * - many: several dates, or one that ends before it begins; what they match is decided from the text
 */
export type Span = 'creation' | 'none' | 'own' | 'many' | number;

export interface ClassRecord {
  readonly id: number;
  readonly type: string;
  readonly typeId: number;
  readonly span: Span;
  /** Parameters whose references are exactly those of by_patient. */
  readonly owners: readonly string[];
  /** More than one owner: by_class.pat names only the first. */
  readonly shared: boolean;
  /** There are too many classes of this type: the terms are not kept here, the text decides. */
  readonly open: boolean;
  /** Tokens and URIs. */
  readonly terms: Terms;
}

/** `id` of a record that decides nothing: a former version has no class any more. */
export const NO_CLASS = 0;

/** Lists of tokens, as they came, whose class is kept. */
const TOKEN_LISTS_MAX = 5_000;

/** The precisions of dateTime and instant: to the millisecond, second, minute, day. */
const COMMON_SPANS: ReadonlySet<number> = new Set([1, 1000, 60_000, 86_400_000]);

export interface Shape {
  readonly span: Span;
  readonly owners: readonly string[];
  readonly shared: boolean;
}

/** Tokens are flat triples (param, system, code), URIs flat pairs (param, value), in order, each once. */
type Compact = [
  type: string,
  span: Span,
  owners: string,
  shared: 0 | 1,
  open: 0 | 1,
  tokens: readonly string[],
  uris: readonly string[],
];

export class Classes {
  readonly #dict: Dictionary;
  readonly #limits: Limits;
  readonly #byId = new Map<number, ClassRecord>();
  readonly #byType = new Map<string, ClassRecord[]>();
  #known = new WeakMap<readonly TokenTerm[], Map<string, number>>();
  readonly #byTokens = new Map<string, number>();
  /** Counts up when the set of classes changes: what was computed from it is stale. */
  generation = 0;

  constructor(dict: Dictionary, limits: Limits) {
    this.#dict = dict;
    this.#limits = limits;
    dict.onDefinition((definition) => (definition ? this.#add(definition) : this.#rebuild()));
    this.#rebuild();
  }

  #rebuild(): void {
    this.#byId.clear();
    this.#byType.clear();
    this.#known = new WeakMap();
    this.#byTokens.clear();
    this.generation++;
    for (const [text, id] of this.#dict.all(CLASS)) this.#add({ kind: CLASS, id, text });
  }

  #add(definition: Definition): void {
    if (definition.kind !== CLASS || this.#byId.has(definition.id)) return;
    const record = parse(definition, this.#dict);
    this.#byId.set(record.id, record);
    const ofType = this.#byType.get(record.type);
    if (ofType) ofType.push(record);
    else this.#byType.set(record.type, [record]);
    this.generation++;
  }

  of(type: string): readonly ClassRecord[] {
    return this.#byType.get(type) ?? [];
  }

  get(id: number): ClassRecord {
    const known = this.#byId.get(id);
    if (known) return known;
    this.#add({ kind: CLASS, id, text: this.#dict.text(CLASS, id) });
    return this.#byId.get(id) as ClassRecord;
  }

  /** The class of a resource; a new one is made when there is none like it. */
  idFor(type: string, terms: Terms, shape: Shape): number {
    const uris =
      terms.uri.length === 0
        ? NO_URIS
        : distinct(terms.uri.filter((u) => uriRoute(u.param) === 'class').map((u) => [u.param, u.value]));
    // The tokens of one kind of reading are one frozen array, used again for each reading of that kind.
    const key = `${shape.span} ${shape.owners} ${shape.shared} ${uris.length === 0 ? '' : JSON.stringify(uris)}`;
    if (!Object.isFrozen(terms.token)) return this.#idForTokens(`${type} ${key}`, type, terms.token, uris, shape);
    const known = memo(this.#known, terms.token, () => new Map());
    return memo(known, key, () => this.#idFor(type, terms.token, uris, shape));
  }

  /** Resources of one sender say the same codes in the same order: they are put in order once. */
  #idForTokens(key: string, type: string, tokens: readonly TokenTerm[], uris: readonly string[], shape: Shape): number {
    let text = key;
    // With the lengths: whatever a system or code holds, no two lists make one text.
    for (const { param, system, code } of tokens)
      if (tokenRoute(type, param) === 'class') text += `\n${param} ${system.length} ${system}${code.length} ${code}`;
    if (this.#byTokens.size >= TOKEN_LISTS_MAX) this.#byTokens.clear();
    return memo(this.#byTokens, text, () => this.#idFor(type, tokens, uris, shape));
  }

  #idFor(type: string, tokens: readonly TokenTerm[], uris: readonly string[], shape: Shape): number {
    const few = tokens.filter((t) => tokenRoute(type, t.param) === 'class');
    const flat = distinct(few.map((t) => [t.param, t.system, t.code]));
    const text = (open: 0 | 1): string => {
      const shared = shape.shared ? 1 : 0;
      const compact: Compact = [
        type,
        shape.span,
        shape.owners.join(),
        shared,
        open,
        open ? [] : flat,
        open ? [] : uris,
      ];
      return JSON.stringify(compact);
    };
    const closed = text(0);
    if (this.#dict.find(CLASS, closed) !== undefined || this.of(type).length < this.#limits.classesPerTypeMax)
      return this.#dict.id(CLASS, closed);
    return this.#dict.id(CLASS, text(1));
  }
}

const NO_URIS: readonly string[] = [];

/** In order, each once, flat. */
function distinct(tuples: readonly string[][]): string[] {
  if (tuples.length < 2) return tuples[0] ?? [];
  const byKey = new Map(tuples.map((tuple) => [JSON.stringify(tuple), tuple]));
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) as string[]);
}

function parse(definition: Definition, dict: Dictionary): ClassRecord {
  const [type, span, owners, shared, open, tokens, uris] = JSON.parse(definition.text) as Compact;
  return {
    id: definition.id,
    type,
    typeId: dict.id(TYPE, type),
    span,
    owners: owners === '' ? [] : owners.split(','),
    shared: shared === 1,
    open: open === 1,
    terms: {
      ...NO_TERMS,
      token: chunks(tokens, 3).map(([param = '', system = '', code = '']) => ({ param, system, code })),
      uri: chunks(uris, 2).map(([param = '', value = '']) => ({ param, value })),
    },
  };
}

const chunks = (flat: readonly string[], size: number): string[][] =>
  Array.from({ length: flat.length / size }, (_, i) => flat.slice(i * size, i * size + size));

export interface Dated {
  readonly span: Span;
  readonly date: number;
  /** NaN when it is not stored. */
  readonly high: number;
}

export function dated(type: string, terms: Terms, noDate: number): Dated {
  const param = primaryDate(type);
  if (param === undefined) return { span: 'creation', date: 0, high: Number.NaN };
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const term of terms.date) {
    if (term.param !== param || (count > 0 && term.low === low && term.high === high)) continue;
    count++;
    low = Math.min(low, term.low);
    high = Math.max(high, term.high);
  }
  if (count === 0) return { span: 'none', date: noDate, high: Number.NaN };
  // An end before the start breaks what the index takes for granted of its rows.
  if (count > 1 || high <= low) return { span: 'many', date: low, high };
  return COMMON_SPANS.has(high - low)
    ? { span: high - low, date: low, high: Number.NaN }
    : { span: 'own', date: low, high };
}

export interface Owned {
  readonly owners: readonly string[];
  readonly refs: readonly ReferenceTerm[];
}

const NOBODY: Owned = { owners: [], refs: [] };
const BOTH: readonly string[] = [...OWNER_PARAMS];
const sameTarget = (a: ReferenceTerm, b: ReferenceTerm): boolean => a.type === b.type && a.id === b.id;

/** Nearly every resource about a patient: one reference of each owner parameter, to the same one. */
function ownedByOne(references: readonly ReferenceTerm[]): Owned | undefined {
  let patient: ReferenceTerm | undefined;
  let subject: ReferenceTerm | undefined;
  for (const term of references) {
    if (term.param === 'patient') {
      if (patient) return undefined;
      patient = term;
    } else if (term.param === 'subject') {
      if (subject) return undefined;
      subject = term;
    }
  }
  return patient && subject && sameTarget(patient, subject) ? { owners: BOTH, refs: [patient] } : undefined;
}

/** The references that cluster a resource, and the parameters that have exactly these. */
export function owned(terms: Terms): Owned {
  const one = ownedByOne(terms.reference);
  if (one) return one;
  const byParam = OWNER_PARAMS.map((param) => {
    const all = terms.reference.filter((r) => r.param === param);
    return all.length < 2 ? all : all.filter((r, i) => all.findIndex((other) => sameTarget(r, other)) === i);
  });
  const refs = byParam.find((all) => all.length > 0);
  if (!refs) return NOBODY;
  const owners = OWNER_PARAMS.filter((_, i) => {
    const other = byParam[i] ?? [];
    return other.length === refs.length && refs.every((r) => other.some((o) => sameTarget(r, o)));
  });
  return { owners, refs };
}
