/** The primitive types of R4 as they stand in JSON. FHIR R4 datatypes.html#primitive */
import { isDate, isDateTime, isInstant, isTime } from './dates.ts';
import { isNarrative } from './validate-xhtml.ts';

export interface Primitive {
  readonly test: (value: unknown) => boolean;
  /** Ends the sentence "… must be". */
  readonly wants: string;
}

/** FHIR R4 datatypes.html#string: at most 1 MB. */
const STRING_CHARACTERS_MAX = 1024 * 1024;

/** Not empty, no control characters but tab, line feed and carriage return. */
export function isText(value: unknown): boolean {
  if (typeof value !== 'string' || value.length === 0) return false;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c < 32 && c !== 9 && c !== 10 && c !== 13) return false;
  }
  return true;
}

/** Not empty, no white space. */
function isUri(value: unknown): boolean {
  if (typeof value !== 'string' || value.length === 0) return false;
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) <= 32) return false;
  return true;
}

/** No white space around it, none doubled in it. A no-break space is a character like others, as in HL7's own code systems. */
function isCode(value: unknown): boolean {
  if (!isText(value)) return false;
  const text = value as string;
  let space = true;
  for (let i = 0; i < text.length; i++) {
    const here = text.charCodeAt(i) <= 32;
    if (here && space) return false;
    space = here;
  }
  return !space;
}

const EQUALS = 61;
const base64 = new Uint8Array(128);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') base64[c.charCodeAt(0)] = 1;
for (const c of ' \t\r\n') base64[c.charCodeAt(0)] = 2;

/** White space may stand anywhere; `=` only at the end. The published expression backtracks, so it is read by hand. */
function isBase64(value: unknown): boolean {
  if (typeof value !== 'string' || value.length === 0) return false;
  let count = 0;
  let padding = 0;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    const kind = base64[c];
    if (kind === 2) continue;
    if (c === EQUALS) padding++;
    else if (kind !== 1 || padding > 0) return false;
    count++;
  }
  return count > 0 && count % 4 === 0 && padding <= 2;
}

const integer =
  (low: number): Primitive['test'] =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= low && value <= 2_147_483_647;
const matching =
  (pattern: RegExp): Primitive['test'] =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const reading =
  (check: (text: string) => boolean): Primitive['test'] =>
  (value) =>
    typeof value === 'string' && check(value);

const isString: Primitive['test'] = (value) => isText(value) && (value as string).length <= STRING_CHARACTERS_MAX;
const string: Primitive = {
  test: isString,
  wants: 'a string that is not empty, without control characters, at most 1 MB',
};
const uri: Primitive = { test: isUri, wants: 'a URI without white space' };

export const PRIMITIVES: Readonly<Record<string, Primitive>> = {
  boolean: { test: (value) => typeof value === 'boolean', wants: 'true or false, without quotes' },
  integer: { test: integer(-2_147_483_648), wants: 'a whole number of 32 bits, without quotes' },
  unsignedInt: { test: integer(0), wants: 'a whole number from 0, without quotes' },
  positiveInt: { test: integer(1), wants: 'a whole number from 1, without quotes' },
  decimal: { test: (value) => typeof value === 'number' && Number.isFinite(value), wants: 'a number, without quotes' },
  string,
  markdown: string,
  id: { test: matching(/^[A-Za-z0-9\-.]{1,64}$/), wants: 'an id: 1 to 64 letters, digits, hyphens or dots' },
  uri,
  url: uri,
  canonical: uri,
  oid: { test: matching(/^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$/), wants: 'an OID as urn:oid:1.2.3' },
  uuid: {
    test: matching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
    wants: 'a UUID as urn:uuid: and lower-case hexadecimal',
  },
  code: { test: isCode, wants: 'a code: text without white space around it or doubled in it' },
  date: { test: reading(isDate), wants: 'a date that exists: YYYY, YYYY-MM or YYYY-MM-DD' },
  dateTime: {
    test: reading(isDateTime),
    wants: 'a date that exists, YYYY to YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with a time zone',
  },
  instant: { test: reading(isInstant), wants: 'YYYY-MM-DDThh:mm:ss with a time zone, on a day that exists' },
  time: { test: reading(isTime), wants: 'a time of day as hh:mm:ss' },
  base64Binary: { test: isBase64, wants: 'base64' },
  xhtml: { test: isNarrative, wants: 'one XHTML <div> without scripts, forms, frames, objects or event attributes' },
};
