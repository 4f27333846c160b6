/**
 * StructureDefinitions → `structures.json`. Every resource type, data type and nested (backbone) element is one entry:
 * its base, its own elements as short strings, and the sentences of its invariants.
 *
 * An element is `name min..max types[ =value-set][ +]`: types are separated by commas, `Reference(A|B)` names its targets, `@`
 * is the nested type of the element's own path, `#X` is the nested type X (contentReference), `+` marks an element of the summary.
 */
import { join } from 'node:path';
import {
  type ElementDefinition,
  type ElementType,
  readAll,
  type StructureDefinition,
  shortName,
  writeTable,
} from './package.ts';

interface TypeEntry {
  kind: string;
  base?: string;
  abstract?: boolean;
  elements?: string[];
  rules?: Record<string, string>;
}

const CORE = 'http://hl7.org/fhir/StructureDefinition/';
const SYSTEM = 'http://hl7.org/fhirpath/System.';
/** Profiles of data types that elements name as their type. FHIR R4 datatypes.html#SimpleQuantity, #MoneyQuantity */
const TYPE_PROFILES = new Set(['SimpleQuantity', 'MoneyQuantity']);
/** Invariants that the validator implements for every element or resource at once. */
const EVERYWHERE = /^(ele-1|ext-1|dom-\d)$/;

function typeToken(element: ElementDefinition, type: ElementType): string {
  if (type.code.startsWith(SYSTEM)) {
    // Resource.id is published as a string, though its rule is that of the id type: FHIR R4 resource.html#id
    if (element.base?.path === 'Resource.id') return 'id';
    return type.extension?.find((e) => e.url.endsWith('structuredefinition-fhir-type'))?.valueUrl ?? 'string';
  }
  if (type.code === 'BackboneElement' || type.code === 'Element') return '@';
  const profile = type.profile?.map(shortName).find((name) => TYPE_PROFILES.has(name));
  if (profile !== undefined) return profile;
  const targets = (type.targetProfile ?? []).map(shortName);
  if (type.code !== 'Reference' || targets.length === 0 || targets.includes('Resource')) return type.code;
  return `Reference(${targets.sort().join('|')})`;
}

function bindingToken(element: ElementDefinition): string {
  const { binding } = element;
  if (binding === undefined) return '';
  const largest = binding.extension?.find((e) => e.url.endsWith('/elementdefinition-maxValueSet'))?.valueCanonical;
  const codes = element.type?.every((t) => t.code === 'code' || t.code === 'Coding' || t.code === 'CodeableConcept');
  if (!codes) return '';
  if (binding.strength === 'required' && binding.valueSet !== undefined) return ` =${shortName(binding.valueSet)}`;
  return largest === undefined ? '' : ` =${shortName(largest)}`;
}

function elementText(element: ElementDefinition): string {
  const name = element.path.slice(element.path.lastIndexOf('.') + 1);
  const types =
    element.contentReference === undefined
      ? (element.type ?? []).map((t) => typeToken(element, t)).join(',')
      : `#${element.contentReference.slice(1)}`;
  if (types === '') throw new Error(`${element.path} has no type`);
  const summary = element.isSummary ? ' +' : '';
  return `${name} ${element.min}..${element.max} ${types}${bindingToken(element)}${summary}`;
}

function rulesOf(element: ElementDefinition): Record<string, string> | undefined {
  const rules: Record<string, string> = {};
  for (const { key, severity, human } of element.constraint ?? []) {
    const everywhere = EVERYWHERE.test(key) && !(key === 'ext-1' && element.path === 'Extension');
    if (severity === 'error' && !everywhere) rules[key] = human.replace(/\s+/g, ' ').trim();
  }
  return Object.keys(rules).length === 0 ? undefined : rules;
}

/** Nested types: elements with children inside the same definition. */
function nestedPaths(elements: readonly ElementDefinition[]): Set<string> {
  const parents = new Set<string>();
  for (const { path } of elements) if (path.includes('.')) parents.add(path.slice(0, path.lastIndexOf('.')));
  return parents;
}

/** Invariants of a leaf element stand with the type that holds it. */
function addRules(entry: TypeEntry | undefined, rules: Record<string, string> | undefined): void {
  if (entry && rules) entry.rules = { ...entry.rules, ...rules };
}

function addDefinition(types: Record<string, TypeEntry>, definition: StructureDefinition): void {
  const all = definition.snapshot?.element ?? [];
  const nested = nestedPaths(all);
  for (const element of all) {
    const { path } = element;
    const root = path === definition.name;
    if (root || nested.has(path)) {
      const base = root ? definition.baseDefinition && shortName(definition.baseDefinition) : element.type?.[0]?.code;
      types[path] = {
        kind: root ? definition.kind.replace('-type', '') : 'nested',
        ...(base && { base }),
        ...(definition.abstract && root && { abstract: true }),
        elements: [],
        ...(rulesOf(element) && { rules: rulesOf(element) }),
      };
    }
    if (root) continue;
    if (!nested.has(path)) addRules(types[path.slice(0, path.lastIndexOf('.'))], rulesOf(element));
    const parent = path.slice(0, path.lastIndexOf('.'));
    // Inherited elements stand with the type that they come from.
    if (element.base?.path === path || element.base?.path === undefined)
      types[parent]?.elements?.push(elementText(element));
  }
}

/** @returns the names of the value sets that elements are bound to. */
export function buildStructures(packageDir: string, outDir: string, source: string): Set<string> {
  const types: Record<string, TypeEntry> = {};
  for (const definition of readAll<StructureDefinition>(packageDir, 'StructureDefinition')) {
    const own = definition.url === CORE + definition.name;
    if (!own || definition.kind === 'logical') continue;
    if (TYPE_PROFILES.has(definition.name)) {
      const rules = rulesOf(definition.snapshot?.element[0] as ElementDefinition);
      types[definition.name] = { kind: 'complex', base: 'Quantity', ...(rules && { rules }) };
    } else if (definition.derivation !== 'constraint' && definition.kind !== 'primitive-type')
      addDefinition(types, definition);
  }
  writeTable(join(outDir, 'structures.json'), { source, types });
  const bound = new Set<string>();
  for (const { elements = [] } of Object.values(types))
    for (const text of elements) {
      const name = / =(\S+)/.exec(text)?.[1];
      if (name !== undefined) bound.add(name);
    }
  return bound;
}
