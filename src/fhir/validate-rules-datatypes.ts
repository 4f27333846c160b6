/** Invariants of data types. FHIR R4 datatypes.html */
import { endOf, startOf } from './dates.ts';
import { localReferenceResolves } from './validate-contained.ts';
import { count, has, hasChoice, text } from './validate-look.ts';
import type { RuleTable } from './validate-rules.ts';
import type { Obj } from './validate-walk.ts';

export const UCUM = 'http://unitsofmeasure.org';
const ZONE_MS_MAX = 14 * 3_600_000;

/**
 * Is `a` certainly not after `b`, or not known to be? Precision counts: 2026-05 is not after 2026-05-01. Where only one of
 * them has a zone, the other may be in any.
 */
export function inOrder(a: unknown, b: unknown): boolean {
  if (typeof a !== 'string' || typeof b !== 'string') return true;
  const slack = a.length > 10 === b.length > 10 ? 0 : ZONE_MS_MAX;
  return startOf(a) - slack < endOf(b);
}

/** Quantities can be compared when they have the same unit. */
function quantitiesInOrder(low: Obj, high: Obj): boolean {
  const same = low['code'] === high['code'] && low['system'] === high['system'] && low['unit'] === high['unit'];
  const [a, b] = [low['value'], high['value']];
  return !same || typeof a !== 'number' || typeof b !== 'number' || a <= b;
}

const ucumOrNone = (o: Obj): boolean => !has(o, 'system') || o['system'] === UCUM;
const codedValue = (o: Obj): boolean => has(o, 'code') || !has(o, 'value');
const nonNegative = (value: unknown): boolean => typeof value !== 'number' || value >= 0;
const WITHOUT_OFFSET = new Set(['C', 'CM', 'CD', 'CV']);
const ONE_TYPE_OF_CODE = new Set(['code', 'Coding', 'CodeableConcept', 'Quantity', 'string', 'uri']);

export const DATATYPE_RULES: RuleTable = {
  Quantity: { 'qty-3': (o) => !has(o, 'code') || has(o, 'system') },
  SimpleQuantity: { 'sqty-1': (o) => !has(o, 'comparator') },
  Age: { 'age-1': (o) => codedValue(o) && ucumOrNone(o) && (typeof o['value'] !== 'number' || o['value'] > 0) },
  Count: {
    'cnt-3': (o) => codedValue(o) && ucumOrNone(o) && (o['code'] ?? '1') === '1' && Number.isInteger(o['value'] ?? 0),
  },
  Distance: { 'dis-1': (o) => codedValue(o) && ucumOrNone(o) },
  Duration: { 'drt-1': (o) => !has(o, 'code') || (o['system'] === UCUM && has(o, 'value')) },
  Attachment: { 'att-1': (o) => !has(o, 'data') || has(o, 'contentType') },
  ContactPoint: { 'cpt-2': (o) => !has(o, 'value') || has(o, 'system') },
  Expression: { 'exp-1': (o) => has(o, 'expression') || has(o, 'reference') },
  // ext-1 has this key for every type; here it is that of the type itself
  Extension: { 'ext-1': (o) => has(o, 'extension') !== hasChoice(o, 'value') },
  Period: { 'per-1': (o) => inOrder(o['start'], o['end']) },
  Range: { 'rng-2': (o) => !o['low'] || !o['high'] || quantitiesInOrder(o['low'] as Obj, o['high'] as Obj) },
  Ratio: {
    'rat-1': (o) => has(o, 'numerator') === has(o, 'denominator') && (has(o, 'numerator') || has(o, 'extension')),
  },
  Reference: { 'ref-1': localReferenceResolves },
  'Timing.repeat': {
    'tim-1': (o) => !has(o, 'duration') || has(o, 'durationUnit'),
    'tim-2': (o) => !has(o, 'period') || has(o, 'periodUnit'),
    'tim-4': (o) => nonNegative(o['duration']),
    'tim-5': (o) => nonNegative(o['period']),
    'tim-6': (o) => !has(o, 'periodMax') || has(o, 'period'),
    'tim-7': (o) => !has(o, 'durationMax') || has(o, 'duration'),
    'tim-8': (o) => !has(o, 'countMax') || has(o, 'count'),
    'tim-9': (o) =>
      !has(o, 'offset') || (has(o, 'when') && !((o['when'] as string[]) ?? []).some((w) => WITHOUT_OFFSET.has(w))),
    'tim-10': (o) => !has(o, 'timeOfDay') || !has(o, 'when'),
  },
  TriggerDefinition: {
    'trd-1': (o) => !has(o, 'data') || !hasChoice(o, 'timing'),
    'trd-2': (o) => !has(o, 'condition') || has(o, 'data'),
    'trd-3': (o) => {
      const type = text(o, 'type');
      if (type === 'named-event') return has(o, 'name');
      if (type === 'periodic') return hasChoice(o, 'timing');
      return !type.startsWith('data-') || has(o, 'data');
    },
  },
  'DataRequirement.codeFilter': { 'drq-1': (o) => has(o, 'path') !== has(o, 'searchParam') },
  'DataRequirement.dateFilter': { 'drq-2': (o) => has(o, 'path') !== has(o, 'searchParam') },
  ElementDefinition: {
    'eld-2': (o) => typeof o['min'] !== 'number' || !/^\d+$/.test(text(o, 'max')) || o['min'] <= Number(o['max']),
    'eld-3': (o) => typeof o['max'] !== 'string' || /^(\*|\d+)$/.test(o['max']),
    'eld-6': (o) => !hasChoice(o, 'fixed') || ((o['type'] as Obj[]) ?? []).length <= 1,
    'eld-7': (o) => !hasChoice(o, 'pattern') || ((o['type'] as Obj[]) ?? []).length <= 1,
    'eld-8': (o) => !hasChoice(o, 'pattern') || !hasChoice(o, 'fixed'),
    'eld-11': (o) => {
      const types = (o['type'] as Obj[]) ?? [];
      return !has(o, 'binding') || types.length === 0 || types.some((t) => ONE_TYPE_OF_CODE.has(text(t, 'code')));
    },
    'eld-15': (o) => !hasChoice(o, 'defaultValue') || !has(o, 'meaningWhenMissing'),
    'eld-18': (o) => o['isModifier'] !== true || has(o, 'isModifierReason'),
    'eld-22': (o) => !has(o, 'sliceIsConstraining') || has(o, 'sliceName'),
  },
  'ElementDefinition.slicing': { 'eld-1': (o) => count(o, 'discriminator', 'description') > 0 },
};
