/** Tests of triggers that no search parameter can express. They see the resource of the change. */
import { list, type Obj, obj, str } from './names.ts';

const INTERPRETATION = /^(?:A|AA|L|LL|LU|H|HH|HU|<|>)$/;
/** Codes that say normal or nothing about the range; with one of these and none of the above, the ranges are not asked. */
const NORMAL = 'N';
const RANGE_SYSTEM = 'http://terminology.hl7.org/CodeSystem/referencerange-meaning';

const codesOf = (concepts: unknown): readonly string[] =>
  list(concepts).flatMap((concept) => list(concept['coding']).map((coding) => str(coding['code']) ?? ''));

const unitOf = (quantity: Obj): string => str(quantity['code']) ?? str(quantity['unit']) ?? '';

/** A range for everybody: of type normal, or of no type, and not limited to an age or a population. */
function isGeneral(range: Obj): boolean {
  if (range['appliesTo'] !== undefined || range['age'] !== undefined) return false;
  const codings = list(obj(range['type'])['coding']);
  return codings.length === 0 || codings.some((c) => c['system'] === RANGE_SYSTEM && c['code'] === 'normal');
}

function beyond(value: Obj, bound: unknown, side: 'low' | 'high'): boolean {
  const limit = obj(bound);
  const [a, b] = [value['value'], limit['value']];
  if (typeof a !== 'number' || typeof b !== 'number' || unitOf(value) !== unitOf(limit)) return false;
  return side === 'low' ? a < b : a > b;
}

/** One measurement: an Observation, or a component of it. FHIR R4 observation.html#interpretation */
function partOutOfRange(part: Obj): boolean {
  const codes = codesOf(part['interpretation']);
  if (codes.some((code) => INTERPRETATION.test(code))) return true;
  if (codes.includes(NORMAL)) return false;
  const value = obj(part['valueQuantity']);
  return list(part['referenceRange'])
    .filter(isGeneral)
    .some((range) => beyond(value, range['low'], 'low') || beyond(value, range['high'], 'high'));
}

export function outOfRange(observation: Obj): boolean {
  return partOutOfRange(observation) || list(observation['component']).some(partOutOfRange);
}

const PREDICATES: Readonly<Record<string, (resource: Obj) => boolean>> = { 'out-of-range': outOfRange };

/** @throws Error when a topic names a test that is not there: a mistake in profiles/topics. */
export function predicate(name: string): (resource: Obj) => boolean {
  const found = PREDICATES[name];
  if (!found) throw new Error(`profiles/topics names the unknown predicate ${name}`);
  return found;
}
