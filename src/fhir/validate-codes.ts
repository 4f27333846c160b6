/** Required bindings. FHIR R4 terminologies.html#required */
import { type ValueSetRow, valueSet } from './definitions.ts';
import { type Obj, shown, type Walk } from './validate-walk.ts';

export interface Binding {
  readonly valueSet: string;
  /** For elements of type code: the code systems do not matter. */
  readonly code: (code: string) => boolean;
  /** For Coding and CodeableConcept; undefined when the value set cannot be listed. */
  readonly systems: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  /** Ends the sentence "… must be". */
  readonly wants: string;
}

/** Value sets that are a rule instead of a list. */
const PATTERNS: Readonly<Record<string, { pattern: RegExp; wants: string }>> = {
  // BCP 13; CapabilityStatement.format also has the short forms json and xml
  mimetypes: {
    pattern: /^[\w!#$&^.+-]+(\/[\w!#$&^.+*-]+)?(\s*;.*)?$/,
    wants: 'a media type such as application/fhir+json',
  },
  'bcp13.txt': {
    pattern: /^[\w!#$&^.+-]+(\/[\w!#$&^.+*-]+)?(\s*;.*)?$/,
    wants: 'a media type such as text/fhirpath',
  },
  // BCP 47
  'all-languages': { pattern: /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/, wants: 'a language tag such as en or de-CH' },
  // ISO 4217
  currencies: { pattern: /^[A-Z]{3}$/, wants: 'a currency of three capital letters such as EUR' },
};

const CODES_LISTED_MAX = 16;

function listed(name: string, row: ValueSetRow): Binding {
  const systems = new Map(Object.entries(row).map(([system, codes]) => [system, new Set(codes)]));
  const all = new Set(Object.values(row).flat());
  const some = [...all].slice(0, CODES_LISTED_MAX).join(', ');
  const wants =
    all.size > CODES_LISTED_MAX
      ? `a code of the value set ${name}, such as ${some}`
      : `one of ${some} (value set ${name})`;
  return { valueSet: name, code: (code) => all.has(code), systems, wants };
}

const made = new Map<string, Binding | undefined>();

/** @returns undefined when nothing can be said about the value set. */
export function bindingOf(name: string): Binding | undefined {
  if (made.has(name)) return made.get(name);
  const row = valueSet(name);
  const rule = PATTERNS[name];
  const binding = row
    ? listed(name, row)
    : rule && {
        valueSet: name,
        code: (code: string) => rule.pattern.test(code),
        systems: undefined,
        wants: rule.wants,
      };
  made.set(name, binding);
  return binding;
}

function inSet(coding: Obj, systems: NonNullable<Binding['systems']>): boolean {
  const { system, code } = coding;
  return typeof system === 'string' && typeof code === 'string' && systems.get(system)?.has(code) === true;
}

/** A Coding must be of the value set; of a CodeableConcept at least one coding. `concept` is well-formed. */
export function checkConcept(concept: Obj, type: string, binding: Binding, walk: Walk): void {
  if (binding.systems === undefined) return;
  if (type === 'Coding') {
    if (concept['code'] !== undefined && !inSet(concept, binding.systems))
      walk.fail('code-invalid', `This coding must be ${binding.wants}; it is ${shown(concept['code'])}.`);
    return;
  }
  const codings = concept['coding'] as Obj[] | undefined;
  // Why there is no code may stand in an extension, e.g. data-absent-reason.
  if (codings === undefined && concept['extension'] !== undefined) return;
  for (let i = 0; codings !== undefined && i < codings.length; i++)
    if (inSet(codings[i] as Obj, binding.systems)) return;
  walk.fail('code-invalid', `One coding of this concept, with its system, must be ${binding.wants}.`);
}
