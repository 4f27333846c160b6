/** The vital-signs profiles of R4 → `vital-signs.json`: magic LOINC code, allowed UCUM codes and required components of each. */
import { join } from 'node:path';
import type { Terminology } from './bindings.ts';
import { type ElementDefinition, readAll, type StructureDefinition, shortName, writeTable } from './package.ts';

export interface ComponentEntry {
  code: string;
  units: string[];
}

export interface ProfileEntry {
  name: string;
  /** LOINC; absent for the general profile. */
  code?: string;
  /** UCUM codes of Observation.valueQuantity. */
  units?: string[];
  /** The profile forbids or demands a value of its own. */
  value?: 'none' | 'required';
  members?: true;
  components?: ComponentEntry[];
}

const ROOT = 'http://hl7.org/fhir/StructureDefinition/vitalsigns';

function unitsOf(element: ElementDefinition | undefined, terminology: Terminology): string[] | undefined {
  if (element?.fixedCode !== undefined) return [element.fixedCode];
  const url = element?.binding?.strength === 'required' ? element.binding.valueSet : undefined;
  const codes = url === undefined ? undefined : terminology.expand(url)?.get('http://unitsofmeasure.org');
  return codes && [...codes];
}

function entryOf(definition: StructureDefinition, terminology: Terminology): ProfileEntry {
  const all = definition.differential?.element ?? [];
  const ids = new Map(all.map((e) => [e.id ?? e.path, e]));
  const codeOf = (prefix: string): string | undefined =>
    all.find((e) => e.id?.startsWith(`${prefix}code.coding:`) && e.id.endsWith('.code'))?.fixedCode;
  const code = codeOf('Observation.');
  const units = unitsOf(ids.get('Observation.valueQuantity.code'), terminology);
  const value = ids.get('Observation.valueQuantity') ?? ids.get('Observation.value[x]');
  const components = all
    .filter((e) => /^Observation\.component:\w+$/.test(e.id ?? '') && (e.min ?? 0) > 0)
    .map((e) => ({
      code: codeOf(`${e.id}.`) ?? '',
      units: unitsOf(ids.get(`${e.id}.valueQuantity.code`), terminology) ?? [],
    }));
  return {
    name: definition.name,
    ...(code && { code }),
    ...(units && { units }),
    ...(value?.max === '0' && { value: 'none' as const }),
    ...((value?.min ?? 0) > 0 && { value: 'required' as const }),
    ...((ids.get('Observation.hasMember')?.min ?? 0) > 0 && { members: true as const }),
    ...(components.length > 0 && { components }),
  };
}

export function buildVitalSigns(packageDir: string, terminology: Terminology, outDir: string, source: string): void {
  const profiles: Record<string, ProfileEntry> = {};
  for (const definition of readAll<StructureDefinition>(packageDir, 'StructureDefinition'))
    if (definition.url === ROOT || definition.baseDefinition === ROOT)
      profiles[shortName(definition.url)] = entryOf(definition, terminology);
  writeTable(join(outDir, 'vital-signs.json'), { source, profiles });
}
