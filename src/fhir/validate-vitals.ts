/**
 * The vital-signs profiles of R4 for Observations. FHIR R4 observation-vitalsigns.html
 *
 * When they bind: a profile is enforced when `meta.profile` names it, and the profile of a magic LOINC code when the Observation
 * says that it is a vital sign (category `vital-signs`). A magic code without that category is only a warning: the R4 core
 * resource allows it, and EHRs do file a heart rate that was counted during an examination under `exam`; to refuse it would
 * lose a measurement that is valid R4. An Observation of the category without a magic code is bound by nothing but R4 itself.
 *
 * Quantity.unit, the text for humans, is 1..1 in the profiles; its absence is a warning here, because system and code say it all.
 */
import { readFileSync } from 'node:fs';
import { knowsDay } from './dates.ts';
import { has, hasChoice, hasCoding, items } from './validate-look.ts';
import { UCUM } from './validate-rules-datatypes.ts';
import { type Obj, shown, type Walk } from './validate-walk.ts';

interface ComponentRow {
  readonly code: string;
  readonly units: readonly string[];
}

interface ProfileRow {
  /** LOINC; absent in the general profile. */
  readonly code?: string;
  readonly units?: readonly string[];
  readonly value?: 'none' | 'required';
  readonly members?: true;
  readonly components?: readonly ComponentRow[];
}

export const LOINC = 'http://loinc.org';
export const OBSERVATION_CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const NO_URLS: readonly unknown[] = Object.freeze([]);
const PROFILE_BASE = 'http://hl7.org/fhir/StructureDefinition/';

interface Tables {
  /** Last segment of the profile's URL → profile. */
  readonly byName: ReadonlyMap<string, ProfileRow>;
  /** Magic LOINC code → profile. */
  readonly byCode: ReadonlyMap<string, ProfileRow>;
}

let tables: Tables | undefined;
function load(): Tables {
  const text = readFileSync(new URL('../../profiles/r4/vital-signs.json', import.meta.url), 'utf8');
  const { profiles } = JSON.parse(text) as { profiles: Record<string, ProfileRow> };
  const byName = new Map(Object.entries(profiles));
  const byCode = new Map<string, ProfileRow>();
  for (const profile of byName.values()) if (profile.code !== undefined) byCode.set(profile.code, profile);
  return { byName, byCode };
}

/** The profile of the first magic code among the codings. */
function magic(code: Obj, byCode: Tables['byCode']): ProfileRow | undefined {
  const codings = items(code, 'coding');
  for (let i = 0; i < codings.length; i++) {
    const coding = codings[i] as Obj;
    if (coding['system'] !== LOINC) continue;
    const profile = byCode.get(coding['code'] as string);
    if (profile !== undefined) return profile;
  }
  return undefined;
}

function isVitalSign(observation: Obj): boolean {
  const categories = items(observation, 'category');
  for (let i = 0; i < categories.length; i++) {
    const codings = items(categories[i] as Obj, 'coding');
    for (let k = 0; k < codings.length; k++) {
      const coding = codings[k] as Obj;
      if (coding['code'] === 'vital-signs' && coding['system'] === OBSERVATION_CATEGORY) return true;
    }
  }
  return false;
}

/** The value of a vital sign, of the Observation or of a component: a number with an allowed UCUM code. */
function checkQuantity(owner: Obj, units: readonly string[], walk: Walk, where: string): void {
  const at = `${where}value`;
  const quantity = owner['valueQuantity'] as Obj | undefined;
  if (quantity === undefined) {
    // A missing value must be explained (vs-2, vs-3), another type of value is not allowed.
    if (hasChoice(owner, 'value'))
      walk.fail('value', `A vital sign needs a valueQuantity in ${units.join(' or ')}.`, at);
    return;
  }
  if (typeof quantity['value'] !== 'number')
    walk.fail('required', 'A vital sign needs a number as value.', `${at}.value`);
  if (quantity['system'] !== UCUM)
    walk.fail('value', `The unit of a vital sign needs the system ${UCUM}.`, `${at}.system`);
  else if (!units.includes(quantity['code'] as string))
    walk.fail(
      'code-invalid',
      `The unit of this vital sign must be ${units.join(' or ')} (UCUM); it is ${shown(quantity['code'] ?? 'absent')}.`,
      `${at}.code`,
    );
  else if (!has(quantity, 'unit')) walk.warn('required', 'The profile wants the unit as text too.', `${at}.unit`);
}

function checkComponents(observation: Obj, profile: ProfileRow, walk: Walk): void {
  const all = items(observation, 'component');
  // vs-3
  for (let i = 0; i < all.length; i++)
    if (all[i]!['dataAbsentReason'] === undefined && !hasChoice(all[i]!, 'value'))
      walk.fail('invariant', 'vs-3: a component needs a value or a dataAbsentReason.', `component[${i}]`);
  for (const { code, units } of profile.components ?? []) {
    let found = 0;
    for (let i = 0; i < all.length; i++) {
      if (!hasCoding(all[i]!['code'], LOINC, code)) continue;
      found++;
      checkQuantity(all[i]!, units, walk, `component[${i}].`);
    }
    if (found !== 1)
      walk.fail(
        'required',
        `This panel needs exactly one component with the LOINC code ${code}; it has ${found}.`,
        'component',
      );
  }
}

/** vs-2 and what single profiles say about Observation.value[x]. */
function checkOwnValue(observation: Obj, profile: ProfileRow, walk: Walk): void {
  const valued = hasChoice(observation, 'value');
  const absent = observation['dataAbsentReason'] !== undefined;
  const below = observation['component'] !== undefined || observation['hasMember'] !== undefined;
  if (profile.units !== undefined) checkQuantity(observation, profile.units, walk, '');
  if (profile.value === 'none' && (profile.members ? valued : observation['valueQuantity'] !== undefined))
    walk.fail('structure', 'This panel has no value of its own; put the values into its parts.', 'value');
  else if (!valued && !absent && !below)
    walk.fail('invariant', 'vs-2: a vital sign needs a value, components, members or a dataAbsentReason.', 'value');
}

function enforce(observation: Obj, profile: ProfileRow, vital: boolean, walk: Walk): void {
  if (!vital)
    walk.fail('required', `A vital sign needs the category vital-signs of ${OBSERVATION_CATEGORY}.`, 'category');
  if (profile.code !== undefined && !hasCoding(observation['code'], LOINC, profile.code))
    walk.fail('code-invalid', `This profile needs the LOINC code ${profile.code}.`, 'code');
  if (!has(observation, 'subject')) walk.fail('required', 'A vital sign needs a subject.', 'subject');
  const at = observation['effectiveDateTime'];
  if (at === undefined && !has(observation, 'effectivePeriod') && !has(observation, '_effectiveDateTime'))
    walk.fail('required', 'A vital sign needs effectiveDateTime or effectivePeriod.', 'effective');
  else if (typeof at === 'string' && !knowsDay(at))
    walk.fail('invariant', 'vs-1: when a vital sign was taken must be known to the day at least.', 'effective');
  checkOwnValue(observation, profile, walk);
  checkComponents(observation, profile, walk);
  if (profile.members && !has(observation, 'hasMember'))
    walk.fail('required', 'A vital signs panel needs hasMember.', 'hasMember');
}

/** The profile of R4 core that a URL of meta.profile names, with or without a version. */
function claimed(url: unknown, byName: Tables['byName']): ProfileRow | undefined {
  if (typeof url !== 'string' || !url.startsWith(PROFILE_BASE)) return undefined;
  return byName.get(url.slice(PROFILE_BASE.length).replace(/\|.*$/, ''));
}

/** `observation` is a well-formed Observation. */
export function checkVitalSigns(observation: Obj, walk: Walk): void {
  tables ??= load();
  const profile = magic(observation['code'] as Obj, tables.byCode);
  const vital = isVitalSign(observation);
  let bound = profile !== undefined && vital;
  if (profile !== undefined && vital) enforce(observation, profile, true, walk);
  const urls = ((observation['meta'] as Obj | undefined)?.['profile'] ?? NO_URLS) as readonly unknown[];
  for (let i = 0; i < urls.length; i++) {
    const other = claimed(urls[i], tables.byName);
    if (other === undefined || (other === profile && vital)) continue;
    enforce(observation, other, vital, walk);
    bound = true;
  }
  if (profile !== undefined && !bound)
    walk.warn(
      'business-rule',
      `The LOINC code ${profile.code} is that of a vital sign; without the category vital-signs it is not checked as one.`,
      'category',
    );
}
