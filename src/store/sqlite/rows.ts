/** Terms → index rows, as the flat numbers and texts that the writer takes. */
import type { Terms } from '../../fhir/terms.ts';
import type { Classes } from './classes.ts';
import { dated, owned } from './classes.ts';
import { type Dictionary, PARAM, SYSTEM, UNIT } from './dictionary.ts';
import { memo } from './memo.ts';
import type { Refs } from './refs.ts';
import {
  identifierParam,
  invertedParam,
  isOwnerParam,
  primaryDate,
  quantityRoute,
  tokenRoute,
  uriRoute,
} from './routes.ts';
import { NO_DATE } from './schema.ts';

/** Kinds of log rows: `kind * 2`, plus 1 to take the row away again; then as many numbers as `WIDTH` says. */
export const BY_PATIENT = 0; // pat, cls, date, rid, high (NaN: not stored)
export const REFERENCE = 1; // param, target, date, rid
export const QUANTITY = 2; // param, unit, value, rid
export const DATE = 3; // param, low, high, rid
export const KEY = 4; // hash, rid
export const WIDTH: readonly number[] = [5, 4, 4, 4, 2];

/** Rows with text, written straight into their tables: client-written resources only, so there are few of them. */
export const TOKEN = 0; // param, system; code
export const STRING = 1; // param; folded, text
export const URI = 2; // param; value
export interface TextRow {
  readonly table: number;
  readonly param: number;
  readonly system: number;
  readonly first: string;
  readonly second: string;
}

export interface ClassRow {
  readonly cls: number;
  readonly date: number;
  /** NaN: not stored. */
  readonly high: number;
  /** 0: nobody. */
  readonly pat: number;
}

export interface IndexRows {
  readonly place: ClassRow;
  readonly log: readonly number[];
  readonly texts: readonly TextRow[];
}

export interface RowTools {
  readonly dict: Dictionary;
  readonly classes: Classes;
  readonly refs: Refs;
}

const emptyPlace = (tools: RowTools, type: string): ClassRow => {
  const shape = { span: primaryDate(type) === undefined ? 'creation' : 'none', owners: [], shared: false } as const;
  const cls = tools.classes.idFor(type, { ...NOTHING }, shape);
  return { cls, date: 0, high: Number.NaN, pat: 0 };
};
const NOTHING: Terms = {
  token: [],
  string: [],
  date: [],
  number: [],
  quantity: [],
  reference: [],
  uri: [],
  composite: [],
};

/** A deleted resource is in no index; its class only says its type. */
export const noRows = (tools: RowTools, type: string): IndexRows => ({
  place: emptyPlace(tools, type),
  log: [],
  texts: [],
});

export function indexRows(tools: RowTools, type: string, rid: number, terms: Terms): IndexRows {
  const when = dated(type, terms, NO_DATE);
  const who = owned(terms);
  const shape = { span: when.span, owners: who.owners, shared: who.refs.length > 1 };
  const cls = tools.classes.idFor(type, terms, shape);
  const log: number[] = [];
  let pat = 0;
  for (const ref of who.refs) {
    const code = tools.refs.code(ref.type, ref.id);
    if (pat === 0) pat = code;
    log.push(BY_PATIENT * 2, code, cls, when.date, rid, when.high);
  }
  numbers(tools, type, rid, terms, log, when.date, who.owners);
  return { place: { cls, date: when.date, high: when.high, pat }, log, texts: texts(tools, type, terms) };
}

/** The rows that are all numbers. */
function numbers(
  { dict, refs }: RowTools,
  type: string,
  rid: number,
  terms: Terms,
  log: number[],
  date: number,
  owners: readonly string[],
): void {
  const params = paramsOf(dict, type);
  const param = (code: string): number =>
    params.get(code) ?? memo(params, code, () => dict.id(PARAM, `${type}.${code}`));
  for (const term of terms.reference)
    if (!isOwnerParam(term.param) || !owners.includes(term.param))
      log.push(REFERENCE * 2, param(term.param), refs.code(term.type, term.id), date, rid);
  for (const term of terms.quantity)
    if (quantityRoute(type, term.param) === 'table') {
      const unit = dict.id(UNIT, `${term.system}\x1f${term.code}\x1f${term.unit}`);
      log.push(QUANTITY * 2, param(term.param), unit, term.value, rid);
    }
  for (const term of terms.number) log.push(QUANTITY * 2, param(term.param), 0, term.value, rid);
  const primary = primaryDate(type);
  for (const term of terms.date)
    if (term.param !== primary) {
      const inverted = term.high <= term.low;
      const id = inverted ? dict.id(PARAM, invertedParam(type, term.param)) : param(term.param);
      log.push(DATE * 2, id, term.low, term.high, rid);
    }
}

const paramIds = new WeakMap<Dictionary, Map<string, Map<string, number>>>();
/** `dict.id(PARAM, …)` of each parameter of a type, without building the text each time. */
function paramsOf(dict: Dictionary, type: string): Map<string, number> {
  const types = memo(paramIds, dict, () => {
    const made = new Map<string, Map<string, number>>();
    // Numbers that were never written are given out again.
    dict.onDefinition((definition) => definition === undefined && made.clear());
    return made;
  });
  return memo(types, type, () => new Map<string, number>());
}

/** Frozen lists of tokens, by type, none of which has a row of its own: those of readings, all of one kind. */
const withoutRows = new Map<string, WeakSet<readonly object[]>>();
const NO_TEXTS: readonly TextRow[] = [];

function tokensHaveRows(type: string, token: Terms['token']): boolean {
  const known = memo(withoutRows, type, () => new WeakSet<readonly object[]>());
  if (known.has(token)) return false;
  if (token.some((t) => tokenRoute(type, t.param) === 'table')) return true;
  if (Object.isFrozen(token)) known.add(token);
  return false;
}

function texts({ dict }: RowTools, type: string, terms: Terms): readonly TextRow[] {
  const others = terms.string.length + terms.uri.length > 0 || terms.reference.some((t) => t.identifier !== undefined);
  if (!others && !tokensHaveRows(type, terms.token)) return NO_TEXTS;
  const rows: TextRow[] = [];
  const add = (table: number, name: string, system: number, first: string, second: string): void => {
    rows.push({ table, param: dict.id(PARAM, name), system, first, second });
  };
  for (const t of terms.token)
    if (tokenRoute(type, t.param) === 'table') add(TOKEN, `${type}.${t.param}`, dict.id(SYSTEM, t.system), t.code, '');
  for (const t of terms.string) add(STRING, `${type}.${t.param}`, 0, t.folded, t.text);
  for (const t of terms.uri) if (uriRoute(t.param) === 'table') add(URI, `${type}.${t.param}`, 0, t.value, '');
  for (const t of terms.reference)
    if (t.identifier !== undefined)
      add(TOKEN, identifierParam(type, t.param), dict.id(SYSTEM, t.identifier.system), t.identifier.value, '');
  return rows;
}

/** What a resource that was in no index adds. */
export const additionsOf = (rows: IndexRows): RowChanges => ({
  log: rows.log,
  removed: [],
  added: distinctTexts(rows.texts),
});

const textKey = (t: TextRow): string => JSON.stringify(t);
const distinctTexts = (rows: readonly TextRow[]): readonly TextRow[] =>
  rows.length < 2 ? rows : [...new Map(rows.map((t) => [textKey(t), t])).values()];

export interface RowChanges {
  readonly log: readonly number[];
  readonly removed: readonly TextRow[];
  readonly added: readonly TextRow[];
}

function records(log: readonly number[]): Map<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  for (let i = 0; i < log.length; ) {
    const width = WIDTH[(log[i] as number) >> 1] as number;
    const record = log.slice(i, i + 1 + width);
    found.set(record.join(), record);
    i += 1 + width;
  }
  return found;
}

/** What to take away and what to add when a version with the rows `before` is followed by one with the rows `after`. */
export function changesOf(before: IndexRows, after: IndexRows): RowChanges {
  const old = records(before.log);
  const now = records(after.log);
  const log: number[] = [];
  for (const [key, [op = 0, ...rest]] of old) if (!now.has(key)) log.push(op + 1, ...rest);
  for (const [key, record] of now) if (!old.has(key)) log.push(...record);
  const oldTexts = new Map(before.texts.map((t) => [textKey(t), t]));
  const newTexts = new Map(after.texts.map((t) => [textKey(t), t]));
  return {
    log,
    removed: [...oldTexts].filter(([k]) => !newTexts.has(k)).map(([, t]) => t),
    added: [...newTexts].filter(([k]) => !oldTexts.has(k)).map(([, t]) => t),
  };
}

function hashNumber(h: number, n: number): number {
  const fraction = Math.floor((n % 1) * 2 ** 31);
  return Math.imul(Math.imul(h ^ Math.floor(n / 2 ** 32) ^ fraction, 0x01000193) ^ n, 0x85ebca6b);
}

function hashText(h: number, text: string): number {
  let hashed = h;
  for (let i = 0; i < text.length; i++) hashed = Math.imul(hashed ^ text.charCodeAt(i), 0x01000193);
  return hashed ^ (hashed >>> 15);
}

/** Of the rows as a set: neither their order nor a row that stands twice counts. 32 bits. */
export function checksumOf({ place, log, texts }: IndexRows): number {
  let sum = hashNumber(hashNumber(17, place.cls), place.date) >>> 0;
  const seen: number[] = [sum | 0];
  const add = (h: number): void => {
    if (seen.includes(h)) return;
    seen.push(h);
    sum = (sum + h) >>> 0;
  };
  for (let i = 0; i < log.length; ) {
    const end = i + 1 + (WIDTH[(log[i] as number) >> 1] as number);
    let h = 0x811c9dc5;
    for (; i < end; i++) h = hashNumber(h, log[i] as number);
    add(h);
  }
  for (const t of texts) add(hashText(hashText(hashNumber(hashNumber(t.table, t.param), t.system), t.first), t.second));
  return sum;
}
