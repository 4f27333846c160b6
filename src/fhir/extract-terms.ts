/** How a value of a FHIR data type becomes search terms: one function a (parameter type, data type). FHIR R4 search.html#ptypes */
import { parseDateTime } from './dates.ts';
import { canonicalReference, inlineResource, referenceLeaf } from './extract-references.ts';
import { type Leaf, type TermsSink, text } from './extract-sink.ts';
import { normalizeString, TIME_OPEN } from './terms.ts';

type Obj = Record<string, unknown>;

const each = (value: unknown, use: (item: unknown) => void): void => {
  if (Array.isArray(value)) for (const item of value) use(item);
  else if (value !== undefined && value !== null) use(value);
};

// The same date stands behind several parameters of one resource: the last answer is kept.
let lastDate = '';
let lastInterval: ReturnType<typeof parseDateTime>;
function intervalOf(value: unknown): ReturnType<typeof parseDateTime> {
  if (typeof value !== 'string') return undefined;
  if (value !== lastDate) {
    lastInterval = parseDateTime(value);
    lastDate = value;
  }
  return lastInterval;
}

const tokenOfText =
  (param: string): Leaf =>
  (sink, value) => {
    if (typeof value === 'string' && value !== '') sink.token.push({ param, system: '', code: value });
  };

function pushCoded(sink: TermsSink, param: string, system: unknown, code: unknown): void {
  const of = text(system);
  const is = text(code);
  // A system alone is still found by `system|`.
  if (of !== '' || is !== '') sink.token.push({ param, system: of, code: is });
}

/** `Patient.deceased`: false when there is nothing or `false`, else true. */
export const presentNotFalse =
  (param: string, names: readonly string[]): Leaf =>
  (sink, value) => {
    const present = names.some((n) => (value as Obj)[n] !== undefined && (value as Obj)[n] !== false);
    sink.token.push({ param, system: '', code: String(present) });
  };

const TOKEN: Readonly<Record<string, (param: string) => Leaf>> = {
  // FHIR R4 search.html#token: all codings count, the text does not.
  CodeableConcept: (param) => (sink, value) => {
    const codings = (value as Obj)['coding'];
    if (!Array.isArray(codings)) return;
    for (const coding of codings as (Obj | null)[])
      if (coding) pushCoded(sink, param, coding['system'], coding['code']);
  },
  Coding: (param) => (sink, value) => pushCoded(sink, param, (value as Obj)['system'], (value as Obj)['code']),
  Identifier: (param) => (sink, value) => pushCoded(sink, param, (value as Obj)['system'], (value as Obj)['value']),
  // The namespace of a ContactPoint is its use.
  ContactPoint: (param) => (sink, value) => {
    const of = value as Obj;
    if (typeof of['value'] === 'string') sink.token.push({ param, system: text(of['use']), code: of['value'] });
  },
  boolean: (param) => (sink, value) => {
    if (typeof value === 'boolean') sink.token.push({ param, system: '', code: value ? 'true' : 'false' });
  },
};

function pushString(sink: TermsSink, param: string, value: unknown): void {
  if (typeof value === 'string' && value !== '')
    sink.string.push({ param, text: value, folded: normalizeString(value) });
}
const stringOfParts =
  (names: readonly string[]) =>
  (param: string): Leaf =>
  (sink, value) => {
    for (const name of names) each((value as Obj)[name], (part) => pushString(sink, param, part));
  };
const stringOfText =
  (param: string): Leaf =>
  (sink, value) =>
    pushString(sink, param, value);
const STRING: Readonly<Record<string, (param: string) => Leaf>> = {
  HumanName: stringOfParts(['family', 'given', 'prefix', 'suffix', 'text']),
  Address: stringOfParts(['text', 'line', 'city', 'district', 'state', 'postalCode', 'country']),
};

function pushPeriod(sink: TermsSink, param: string, start: unknown, end: unknown): void {
  const from = intervalOf(start)?.low;
  const to = intervalOf(end)?.high;
  // An end that is not there is open. FHIR R4 search.html#date
  if (from !== undefined || to !== undefined) sink.date.push({ param, low: from ?? -TIME_OPEN, high: to ?? TIME_OPEN });
}

/** Only the outer limits of a Timing count. FHIR R4 search.html#date */
function pushTiming(sink: TermsSink, param: string, timing: Obj): void {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  each(timing['event'], (event) => {
    const at = intervalOf(event);
    if (!at) return;
    low = Math.min(low, at.low);
    high = Math.max(high, at.high);
  });
  const bounds = (timing['repeat'] as Obj | undefined)?.['boundsPeriod'] as Obj | undefined;
  if (bounds) {
    low = Math.min(low, intervalOf(bounds['start'])?.low ?? -TIME_OPEN);
    high = Math.max(high, intervalOf(bounds['end'])?.high ?? TIME_OPEN);
  }
  if (low < high) sink.date.push({ param, low, high });
}

const DATE: Readonly<Record<string, (param: string) => Leaf>> = {
  Period: (param) => (sink, value) => pushPeriod(sink, param, (value as Obj)['start'], (value as Obj)['end']),
  Timing: (param) => (sink, value) => pushTiming(sink, param, value as Obj),
};
const dateOfText =
  (param: string): Leaf =>
  (sink, value) => {
    const at = intervalOf(value);
    if (at) sink.date.push({ param, low: at.low, high: at.high });
  };

function pushQuantity(sink: TermsSink, param: string, of: Obj | undefined): void {
  if (typeof of?.['value'] !== 'number') return;
  sink.quantity.push({
    param,
    value: of['value'],
    system: text(of['system']),
    code: text(of['code']),
    unit: text(of['unit']),
  });
}
const CURRENCY = 'urn:iso:std:iso:4217';
const QUANTITY: Readonly<Record<string, (param: string) => Leaf>> = {
  Money: (param) => (sink, value) => {
    const { value: amount, currency } = value as Obj;
    if (typeof amount !== 'number') return;
    const code = text(currency);
    sink.quantity.push({ param, value: amount, system: code === '' ? '' : CURRENCY, code, unit: code });
  },
  Range: (param) => (sink, value) => {
    pushQuantity(sink, param, (value as Obj)['low'] as Obj | undefined);
    pushQuantity(sink, param, (value as Obj)['high'] as Obj | undefined);
  },
};

const numberOf =
  (param: string): Leaf =>
  (sink, value) => {
    if (typeof value === 'number') sink.number.push({ param, value });
  };
const NUMBER: Readonly<Record<string, (param: string) => Leaf>> = {
  Range: (param) => (sink, value) => {
    const { low, high } = value as { low?: Obj; high?: Obj };
    for (const end of [low, high])
      if (typeof end?.['value'] === 'number') sink.number.push({ param, value: end['value'] });
  },
};

const uriLeaf =
  (param: string): Leaf =>
  (sink, value) => {
    if (typeof value === 'string' && value !== '') sink.uri.push({ param, value });
  };
const canonicalUri =
  (param: string): Leaf =>
  (sink, value) => {
    if (typeof value !== 'string' || value === '') return;
    const bar = value.indexOf('|');
    sink.uri.push({ param, value });
    if (bar > 0) sink.uri.push({ param, value: value.slice(0, bar) });
  };

/** `dataType` may carry what it must refer to: `Reference>Patient`. */
export function leafOf(paramType: string, dataType: string, param: string, targets: readonly string[]): Leaf {
  const [type = '', only = ''] = dataType.split('>');
  switch (paramType) {
    case 'token':
      return (TOKEN[type] ?? tokenOfText)(param);
    case 'string':
      return (STRING[type] ?? stringOfText)(param);
    case 'date':
      return (DATE[type] ?? dateOfText)(param);
    case 'number':
      return (NUMBER[type] ?? numberOf)(param);
    case 'quantity':
      return (
        QUANTITY[type] ??
        ((p): Leaf =>
          (sink, value) =>
            pushQuantity(sink, p, value as Obj))
      )(param);
    case 'uri':
      return (type === 'canonical' ? canonicalUri : uriLeaf)(param);
    case 'reference':
      if (type === 'Reference') return referenceLeaf(only)(param);
      return (type === 'Resource' ? inlineResource(targets) : canonicalReference)(param);
    default:
      throw new Error(`no terms for a parameter of type ${paramType}`);
  }
}
