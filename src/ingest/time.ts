/** RFC 3339 date-times of devices, read strictly: a time that is guessed puts a reading on the wrong patient. */
import { parseDateTime } from '../fhir/dates.ts';

export interface Moment {
  /** FHIR R4 dateTime, as sent but for the case of T and Z. */
  readonly text: string;
  /** Milliseconds since 1970, rounded down. */
  readonly ms: number;
  /** End of the interval that its precision spans, exclusive. */
  readonly high: number;
  /** The same instant in full resolution, equal for equal instants whatever the offset. */
  readonly key: string;
}

/** `2026-11-22T07:05:09Z` */
const SHORTEST = 20;
const FRACTION_AT = 19;
const FRACTION_DIGITS_MAX = 18;
/** No device measured before; such years are what a clock shows that lost its battery. */
const YEAR_MIN = '1900';

let last: Moment | undefined;
let lastText = '';

/** Undefined for anything that is not a full date and time with Z or an offset, or that no calendar has (leap seconds too). */
export function parseMoment(text: string): Moment | undefined {
  if (text === lastText) return last;
  lastText = text;
  last = parse(text);
  return last;
}

/** Index of the zone, 0 when there is none: a time without one is no moment. */
function zoneAt(text: string): number {
  if (text.endsWith('Z')) return text.length - 1;
  const sign = text[text.length - 6];
  return sign === '+' || sign === '-' ? text.length - 6 : 0;
}

function parse(sent: string): Moment | undefined {
  const text = sent[10] === 't' || sent.endsWith('z') ? sent.toUpperCase() : sent;
  const zone = zoneAt(text);
  if (text.length < SHORTEST || zone < FRACTION_AT || text < YEAR_MIN || text.startsWith('60', 17)) return undefined;
  const found = parseDateTime(text);
  if (found?.precision !== 'second' && found?.precision !== 'fraction') return undefined;
  const digits = text.slice(FRACTION_AT + 1, zone);
  if (digits.length > FRACTION_DIGITS_MAX) return undefined;
  const beyond = digits.slice(3).replace(/0+$/, '');
  return { text, ms: found.low, high: found.high, key: beyond === '' ? String(found.low) : `${found.low}.${beyond}` };
}

/** The moment of a clock reading in milliseconds since 1970. `text` is its FHIR instant. */
export const momentOf = (ms: number, text: string): Moment => ({ text, ms, high: ms + 1, key: String(ms) });
