/** RFC 3339 date-times of devices, read strictly: a time that is guessed puts a reading on the wrong patient. */

export interface Moment {
  /** FHIR R4 dateTime, as sent but for the case of T and Z. */
  readonly text: string;
  /** Milliseconds since 1970, rounded down. */
  readonly ms: number;
  /** The same instant in full resolution, equal for equal instants whatever the offset. */
  readonly key: string;
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** No device measured before; a year that a clock shows after losing its battery. */
const YEAR_MIN = 1900;
const OFFSET_MINUTES_MAX = 14 * 60;

const leap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

let last: Moment | undefined;
let lastText = '';

/** Undefined for anything that is not a full date and time with Z or an offset, or that no calendar has (leap seconds too). */
export function parseMoment(text: string): Moment | undefined {
  if (text === lastText) return last;
  lastText = text;
  last = parse(text);
  return last;
}

function parse(text: string): Moment | undefined {
  const found = RFC3339.exec(text);
  if (!found) return undefined;
  const [, y, mo, d, h, mi, s, fraction = '', sign, oh = '0', om = '0'] = found;
  const year = Number(y);
  const month = Number(mo);
  const day = Number(d);
  if (year < YEAR_MIN || month < 1 || month > 12 || day < 1 || day > (DAYS[month - 1] as number)) return undefined;
  if (month === 2 && day === 29 && !leap(year)) return undefined;
  const offset = Number(oh) * 60 + Number(om);
  if (Number(h) > 23 || Number(mi) > 59 || Number(s) > 59 || Number(om) > 59 || offset > OFFSET_MINUTES_MAX)
    return undefined;
  const local = Date.UTC(year, month - 1, day, Number(h), Number(mi), Number(s));
  const seconds = local - (sign === '-' ? -offset : offset) * 60_000;
  const digits = fraction.replace(/0+$/, '');
  return {
    text: text.toUpperCase(),
    ms: seconds + Number(fraction.slice(0, 3).padEnd(3, '0')),
    key: digits === '' ? String(seconds / 1000) : `${seconds / 1000}.${digits}`,
  };
}

/** The moment of a clock reading in milliseconds since 1970. `text` is its FHIR instant. */
export const momentOf = (ms: number, text: string): Moment => ({ text, ms, key: `${ms / 1000}` });
