/**
 * JSON as text. Resources are kept and served as the text that came in, so that `37.00` stays `37.00`; these functions find
 * their way in that text without reviving it.
 */
import { VitalwireError } from './errors.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const COLON = 58;
const COMMA = 44;

export interface JsonShape {
  /** Deepest nesting of objects and arrays; `{}` is 1. */
  depth: number;
  /** Members of all objects: a parsed value with fewer had a name twice in one object. */
  members: number;
}

/** Index just after the string that opens at `at`. */
function endOfString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (end !== -1) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/**
 * One pass over JSON text that counts depth and members.
 * @throws VitalwireError `request.too-deep` as soon as `depthMax` is passed, before anything recursive sees the text.
 */
export function shapeOf(text: string, depthMax: number): JsonShape {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  for (let i = 0; i < text.length; ) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      i = endOfString(text, i);
      continue;
    }
    if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      if (++depth > deepest) deepest = depth;
      if (depth > depthMax)
        throw new VitalwireError(
          'request.too-deep',
          `The JSON is nested deeper than ${depthMax} levels. Send a flatter body.`,
        );
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) depth--;
    else if (c === COLON) members++;
    i++;
  }
  return { depth: deepest, members };
}

/** Number of members of all objects in a parsed value; compare with `shapeOf(text).members`. */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let n = 0;
  if (Array.isArray(value)) {
    for (const item of value) n += countMembers(item);
    return n;
  }
  for (const key in value) n += 1 + countMembers((value as Record<string, unknown>)[key]);
  return n;
}

export interface Member {
  name: string;
  /** Index of the opening quote of the name. */
  start: number;
  valueStart: number;
  /** Index just after the value. */
  valueEnd: number;
}

const isSpace = (c: number): boolean => c === 32 || c === 10 || c === 13 || c === 9;
function skipSpace(text: string, at: number): number {
  let i = at;
  while (isSpace(text.charCodeAt(i))) i++;
  return i;
}

/** Index just after the value that begins at `at` (no white space before it). The text must be valid JSON. */
export function endOfValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return endOfString(text, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let i = at;
    for (; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === COMMA || c === CLOSE_BRACE || c === CLOSE_BRACKET || isSpace(c)) break;
    }
    return i;
  }
  let depth = 0;
  for (let i = at; i < text.length; ) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      i = endOfString(text, i);
      continue;
    }
    i++;
    if (c === OPEN_BRACE || c === OPEN_BRACKET) depth++;
    else if ((c === CLOSE_BRACE || c === CLOSE_BRACKET) && --depth === 0) return i;
  }
  return text.length;
}

/** The members of the object that begins at `at`, with where they stand in the text. The text must be valid JSON. */
export function membersAt(text: string, at = 0): Member[] {
  const found: Member[] = [];
  let i = skipSpace(text, at);
  if (text.charCodeAt(i) !== OPEN_BRACE) return found;
  i = skipSpace(text, i + 1);
  while (i < text.length && text.charCodeAt(i) !== CLOSE_BRACE) {
    const start = i;
    const nameEnd = endOfString(text, i);
    const raw = text.slice(start + 1, nameEnd - 1);
    const name = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    found.push({ name, start, valueStart, valueEnd });
    i = skipSpace(text, valueEnd);
    if (text.charCodeAt(i) === COMMA) i = skipSpace(text, i + 1);
  }
  return found;
}

/** [start, end) of each item of the array that begins at `at`. The text must be valid JSON. */
export function itemsAt(text: string, at = 0): [number, number][] {
  const found: [number, number][] = [];
  let i = skipSpace(text, at);
  if (text.charCodeAt(i) !== OPEN_BRACKET) return found;
  i = skipSpace(text, i + 1);
  while (i < text.length && text.charCodeAt(i) !== CLOSE_BRACKET) {
    const end = endOfValue(text, i);
    found.push([i, end]);
    i = skipSpace(text, end);
    if (text.charCodeAt(i) === COMMA) i = skipSpace(text, i + 1);
  }
  return found;
}

/**
 * Parses with every number's own text kept: a number whose text is not what JavaScript would print becomes a raw number, so
 * that `JSON.stringify` gives the same text back. Some 40 µs a kilobyte: for patch and `_elements`, not for the hot paths.
 */
export function parseKeepingNumbers(text: string): unknown {
  const keep = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
      ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(context.source)
      : value;
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown);
}

const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
/** FHIR R4 decimal: JSON number syntax, at most 18 significant digits is a SHOULD that is not enforced. */
export const isDecimalText = (text: string): boolean => DECIMAL.test(text);
