/**
 * FHIR dates as text: the strict forms of resources and the lenient ones of searches, checked against the calendar.
 * FHIR R4 datatypes.html#date, #dateTime, #instant, #time; search.html#date. Nothing here allocates but `parseDateTime`'s answer.
 */
export type Precision = 'year' | 'month' | 'day' | 'minute' | 'second' | 'fraction';

export interface DateRange {
  /** Milliseconds since 1970, UTC. */
  low: number;
  /** Exclusive. */
  high: number;
  precision: Precision;
}

const LEVELS: readonly (Precision | undefined)[] = [undefined, 'year', 'month', 'day', 'minute', 'second', 'fraction'];
const YEAR = 1;
const MONTH = 2;
const DAY = 3;
const MINUTE = 4;
const SECOND = 5;
const FRACTION = 6;

const DASH = 45;
const COLON = 58;
const DOT = 46;
const PLUS = 43;
const T = 84;
const Z = 90;

/** What the last `scan` read; one scan at a time, nothing is kept between calls. */
const read = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, ms: 0, digits: 0, zone: 0, zoned: false };

const digit = (c: number): boolean => c >= 48 && c <= 57;
/** The number made of two digits at `at`, or 99. */
function two(text: string, at: number): number {
  const a = text.charCodeAt(at);
  const b = text.charCodeAt(at + 1);
  return digit(a) && digit(b) ? (a - 48) * 10 + b - 48 : 99;
}

const leap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
function daysIn(year: number, month: number): number {
  if (month === 2) return leap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Reads `Z` or `±hh:mm` up to the end of the text. */
function scanZone(text: string, at: number): boolean {
  const sign = text.charCodeAt(at);
  if (sign === Z) {
    read.zoned = true;
    return text.length === at + 1;
  }
  if ((sign !== PLUS && sign !== DASH) || text.length !== at + 6 || text.charCodeAt(at + 3) !== COLON) return false;
  const hours = two(text, at + 1);
  const minutes = two(text, at + 4);
  if (hours > 14 || minutes > 59 || (hours === 14 && minutes > 0)) return false;
  read.zone = (sign === PLUS ? 1 : -1) * (hours * 60 + minutes);
  read.zoned = true;
  return true;
}

/** Reads hours and minutes at `at`, and seconds and a fraction if they are there. @returns the index after them, or 0. */
function scanTime(text: string, at: number): number {
  read.second = read.ms = read.digits = 0;
  read.hour = two(text, at);
  read.minute = two(text, at + 3);
  if (read.hour > 23 || text.charCodeAt(at + 2) !== COLON || read.minute > 59) return 0;
  if (text.charCodeAt(at + 5) !== COLON) return at + 5;
  read.second = two(text, at + 6);
  // 60 is a leap second
  if (read.second > 60) return 0;
  if (text.charCodeAt(at + 8) !== DOT) return at + 8;
  let i = at + 9;
  for (let unit = 100; digit(text.charCodeAt(i)); i++, unit /= 10)
    if (unit >= 1) read.ms += (text.charCodeAt(i) - 48) * unit;
  read.digits = i - at - 9;
  return read.digits === 0 ? 0 : i;
}

/** @returns the precision of the text as a level, 0 when it is no date. */
function scan(text: string): number {
  read.month = read.day = 1;
  read.hour = read.minute = read.second = read.ms = read.digits = read.zone = 0;
  read.zoned = false;
  const century = two(text, 0);
  const years = two(text, 2);
  if (century === 99 && !text.startsWith('99')) return 0;
  if (years === 99 && !text.startsWith('99', 2)) return 0;
  read.year = century * 100 + years;
  if (read.year === 0) return 0;
  if (text.length === 4) return YEAR;
  read.month = two(text, 5);
  if (text.charCodeAt(4) !== DASH || read.month < 1 || read.month > 12) return 0;
  if (text.length === 7) return MONTH;
  read.day = two(text, 8);
  if (text.charCodeAt(7) !== DASH || read.day < 1 || read.day > daysIn(read.year, read.month)) return 0;
  if (text.length === 10) return DAY;
  if (text.charCodeAt(10) !== T) return 0;
  const end = scanTime(text, 11);
  if (end === 0) return 0;
  if (end < text.length && !scanZone(text, end)) return 0;
  if (end === 16) return MINUTE;
  return read.digits > 0 ? FRACTION : SECOND;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar. `Date.UTC` cannot say the years before 100. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

const DAY_MS = 86_400_000;

/** Start of the interval that the last scan read. */
function lowOf(): number {
  const days = daysSince1970(read.year, read.month, read.day);
  return days * DAY_MS + (read.hour * 60 + read.minute - read.zone) * 60_000 + read.second * 1000 + read.ms;
}

function highOf(level: number, low: number): number {
  if (level === YEAR) return daysSince1970(read.year + 1, 1, 1) * DAY_MS;
  if (level === MONTH) return low + daysIn(read.year, read.month) * DAY_MS;
  if (level === DAY) return low + DAY_MS;
  if (level === MINUTE) return low + 60_000;
  if (level === SECOND) return low + 1000;
  // Finer than a millisecond counts as that millisecond.
  return low + (read.digits === 1 ? 100 : read.digits === 2 ? 10 : 1);
}

/**
 * A date, dateTime or instant as the interval that its precision means: `2026-02` is the whole month. Without a zone it is UTC;
 * minutes without seconds are taken, as in searches. 24:00, 30 February and every other day that does not exist are refused.
 * @returns undefined when the text is no date.
 */
export function parseDateTime(text: string): DateRange | undefined {
  const level = scan(text);
  const precision = LEVELS[level];
  if (precision === undefined) return undefined;
  const low = lowOf();
  return { low, high: highOf(level, low), precision };
}

/** Start of the interval in milliseconds, or NaN. */
export const startOf = (text: string): number => (scan(text) === 0 ? Number.NaN : lowOf());

/** End (exclusive) of the interval in milliseconds, or NaN. */
export function endOf(text: string): number {
  const level = scan(text);
  return level === 0 ? Number.NaN : highOf(level, lowOf());
}

/** FHIR R4 datatypes.html#date: year, month or day. */
export function isDate(text: string): boolean {
  const level = scan(text);
  return level >= YEAR && level <= DAY;
}

/** FHIR R4 datatypes.html#dateTime: a date, or seconds with a zone. */
export function isDateTime(text: string): boolean {
  const level = scan(text);
  return level >= SECOND ? read.zoned : level >= YEAR && level <= DAY;
}

/** FHIR R4 datatypes.html#instant: at least seconds, with a zone. */
export const isInstant = (text: string): boolean => scan(text) >= SECOND && read.zoned;

/** FHIR R4 datatypes.html#time: `hh:mm:ss`, no zone. */
export function isTime(text: string): boolean {
  const end = scanTime(text, 0);
  return end >= 8 && end === text.length;
}

/** vs-1 and searches: is it known at least to the day? */
export const knowsDay = (text: string): boolean => scan(text) >= DAY;
