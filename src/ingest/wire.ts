/**
 * The canonical reading and its form. Judges only what the reading itself shows (CONTRACT §5 a canonical reading); whether its
 * kind, unit, device and patient exist is for the later stages. The edge gateway uses the same check.
 */
import { limits } from '../base/limits.ts';
import { isDecimal } from '../devices/decimal.ts';
import { type Issue, malformed } from './issue.ts';
import type { Identifier, MeasuredPart, Measurement } from './measurement.ts';
import { itemSource, memberSource, numberText, type Source } from './numbers.ts';
import { isSamples, samplesOf } from './samples.ts';
import { RETRACTED, statusEffect } from './status.ts';
import { type Moment, parseMoment } from './time.ts';

type Json = Readonly<Record<string, unknown>>;
const SPECIAL = new Set(['NaN', 'INF', '-INF']);

export const isSpecial = (value: string): boolean => SPECIAL.has(value);
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const absent = (value: unknown): value is undefined | null => value === undefined || value === null;
const short = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= limits.readingTextCharsMax;

export const isIssue = (value: object): value is Issue => 'code' in value && 'details' in value;

/** Decimal text as sent, `NaN`, `INF` or `-INF`; undefined when it is none of these. */
function valueText(holder: Json, source: () => Source | undefined): string | undefined {
  const value = holder['value'];
  if (typeof value === 'string') return isDecimal(value) || SPECIAL.has(value) ? value : undefined;
  if (typeof value !== 'number') return undefined;
  const text = numberText(source(), 'value', value);
  return isDecimal(text) ? text : undefined;
}

const VALUE = '"value" must be decimal text or a number, or one of "NaN", "INF", "-INF".';

function identifierOf(value: unknown): Identifier | undefined {
  if (!isObject(value) || !short(value['value'])) return undefined;
  const system = value['system'];
  if (absent(system)) return { value: value['value'] };
  return typeof system === 'string' && system.length <= limits.readingTextCharsMax
    ? { system, value: value['value'] }
    : undefined;
}

/** The identifiers of an envelope's or a reading's `device`. */
export function deviceOf(value: unknown): readonly Identifier[] | Issue {
  const found = isObject(value) ? value['identifier'] : undefined;
  if (!Array.isArray(found) || found.length === 0 || found.length > limits.identifiersPerReadingMax)
    return malformed(
      `"device" must have an "identifier" list of 1 to ${limits.identifiersPerReadingMax} {"system","value"}.`,
    );
  const identifiers: Identifier[] = [];
  for (const item of found as unknown[]) {
    const identifier = identifierOf(item);
    if (!identifier) return malformed('Each identifier of "device" needs a "value", a text that is not empty.');
    identifiers.push(identifier);
  }
  return identifiers;
}

/** `Patient/<id>` → the id; `{"identifier":{…}}` → the identifier. */
export function patientOf(value: unknown): string | Identifier | Issue {
  if (typeof value === 'string') {
    const id = /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(value)?.[1];
    if (id !== undefined) return id;
  } else if (isObject(value)) {
    const identifier = identifierOf(value['identifier']);
    if (identifier) return identifier;
  }
  return malformed('"patient" must be "Patient/<id>" or {"identifier":{"system","value"}}.');
}

interface Standing {
  readonly status: readonly string[];
  readonly retracted: boolean;
}
const NO_STATUS: Standing = { status: [], retracted: false };
const TAKEN_BACK: Standing = { status: [], retracted: true };

function standingOf(value: unknown): Standing | Issue {
  if (absent(value)) return NO_STATUS;
  if (value === RETRACTED) return TAKEN_BACK;
  if (!Array.isArray(value)) return malformed(`"status" must be a list of words, or "${RETRACTED}".`);
  const words = new Set<string>();
  let retracted = false;
  for (const word of value as unknown[]) {
    if (word === RETRACTED) retracted = true;
    else if (typeof word === 'string' && statusEffect(word)) words.add(word);
    else return malformed(`"status" has a word that is not known: ${JSON.stringify(word).slice(0, 40)}.`);
  }
  return { status: [...words].sort(), retracted };
}

function partsOf(value: unknown, source: () => Source | undefined): readonly MeasuredPart[] | Issue {
  if (!Array.isArray(value) || value.length === 0) return malformed('"components" must be a list that is not empty.');
  const parts: MeasuredPart[] = [];
  const names = new Set<string>();
  for (const [i, item] of (value as unknown[]).entries()) {
    if (!isObject(item) || !short(item['kind'])) return malformed('Each component needs a "kind".');
    const name = item['kind'];
    if (names.has(name)) return malformed(`The component ${name} is there twice.`);
    names.add(name);
    const here = (): Source | undefined => itemSource(source(), i);
    const part: { name: string; value?: string; unit?: string; samples?: MeasuredPart['samples'] } = { name };
    if (!absent(item['samples'])) {
      const samples = samplesOf(item['samples'], () => memberSource(here(), 'samples'));
      if (!isSamples(samples)) return samples;
      part.samples = samples;
    } else {
      const text = valueText(item, here);
      if (text === undefined) return malformed(`${VALUE} The component is ${name}.`);
      part.value = text;
    }
    if (!absent(item['unit'])) {
      if (typeof item['unit'] !== 'string') return malformed('"unit" must be a text.');
      part.unit = item['unit'];
    }
    parts.push(part);
  }
  return parts;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

type Draft = { -readonly [K in keyof Measurement]: Measurement[K] };

/** The members that say which record this is and whose. */
function recordOf(item: Json, into: Draft): Issue | undefined {
  for (const name of ['sequence', 'version', 'slot'] as const) {
    const value = item[name];
    if (absent(value)) continue;
    if (!isCount(value)) return malformed(`"${name}" must be a whole number, 0 or more.`);
    into[name] = value;
  }
  if (!absent(item['id'])) {
    if (!short(item['id'])) return malformed(`"id" must be a text of 1 to ${limits.readingTextCharsMax} characters.`);
    into.id = item['id'];
  }
  if (absent(item['patient'])) return undefined;
  const patient = patientOf(item['patient']);
  if (typeof patient === 'object' && isIssue(patient)) return patient;
  into.patient = patient;
  return undefined;
}

const TIME = 'must be a date and time by RFC 3339 with Z or an offset, e.g. "2026-11-22T08:05:09+01:00".';

function timesOf(item: Json, into: Draft): Issue | undefined {
  for (const name of ['time', 'end'] as const) {
    const value = item[name];
    if (value === undefined) continue;
    const moment: Moment | undefined = typeof value === 'string' ? parseMoment(value) : undefined;
    if (!moment) return malformed(`"${name}" ${TIME}`);
    into[name] = moment;
  }
  if (into.end && !(into.time && into.end.ms >= into.time.ms))
    return malformed('"end" needs a "time" that is not after it.');
  return undefined;
}

function measuredOf(item: Json, source: () => Source | undefined, into: Draft): Issue | undefined {
  if (item['value'] !== undefined) {
    const text = valueText(item, source);
    if (text === undefined) return malformed(VALUE);
    into.value = text;
  }
  if (!absent(item['unit'])) {
    if (typeof item['unit'] !== 'string') return malformed('"unit" must be a text.');
    into.unit = item['unit'];
  }
  if (!absent(item['components'])) {
    const parts = partsOf(item['components'], () => memberSource(source(), 'components'));
    if ('code' in parts) return parts;
    into.components = parts;
  }
  if (!absent(item['samples'])) {
    const samples = samplesOf(item['samples'], () => memberSource(source(), 'samples'));
    if (!isSamples(samples)) return samples;
    into.samples = samples;
  }
  return undefined;
}

/**
 * @param item the parsed reading.
 * @param source where it stands in its text; asked for only when it has a JSON number, whose digits the parser lost.
 */
export function checkReading(item: unknown, source: () => Source | undefined): Measurement | Issue {
  if (!isObject(item)) return malformed('A reading must be a JSON object.');
  const device = deviceOf(item['device']);
  if ('code' in device) return device;
  const kind = item['kind'];
  if (!short(kind)) return malformed('"kind" must name what was measured; GET /ingest/kinds lists the names.');
  const standing = standingOf(item['status']);
  if (isIssue(standing)) return standing;
  const reading: Draft = { kind, device, status: standing.status, retracted: standing.retracted };
  return timesOf(item, reading) ?? measuredOf(item, source, reading) ?? recordOf(item, reading) ?? reading;
}
