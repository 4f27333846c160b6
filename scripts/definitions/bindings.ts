/**
 * ValueSets that elements are bound to → `bindings.json`: for each value set the codes of each of its code systems. A value
 * set that cannot be listed from the package is left out and reported; the validator knows patterns for some of those.
 */
import { join } from 'node:path';
import {
  type CodeSystem,
  type Concept,
  type Include,
  readAll,
  shortName,
  type ValueSet,
  writeTable,
} from './package.ts';

type Codes = Map<string, Set<string>>;

export class Terminology {
  readonly #systems: Map<string, CodeSystem>;
  readonly #sets: Map<string, ValueSet>;

  constructor(packageDir: string) {
    this.#systems = new Map(readAll<CodeSystem>(packageDir, 'CodeSystem').map((s) => [s.url, s]));
    this.#sets = new Map(readAll<ValueSet>(packageDir, 'ValueSet').map((s) => [s.url, s]));
  }

  /** The canonical URL of the value set with this last segment; a set of HL7's core goes before its namesakes. */
  urlOf(name: string): string | undefined {
    const core = `http://hl7.org/fhir/ValueSet/${name}`;
    if (this.#sets.has(core)) return core;
    return [...this.#sets.keys()].find((url) => shortName(url) === name);
  }

  /** The codes of a value set by code system, or undefined when it cannot be listed. */
  expand(url: string): Codes | undefined {
    const compose = this.#sets.get(url.replace(/\|.*$/, ''))?.compose;
    if (compose === undefined) return undefined;
    const all: Codes = new Map();
    for (const include of compose.include) {
      const part = this.#include(include);
      if (part === undefined) return undefined;
      for (const [system, codes] of part) all.set(system, new Set([...(all.get(system) ?? []), ...codes]));
    }
    for (const exclude of compose.exclude ?? []) {
      const part = this.#include(exclude);
      if (part === undefined) return undefined;
      for (const [system, codes] of part) for (const code of codes) all.get(system)?.delete(code);
    }
    return all;
  }

  #include(include: Include): Codes | undefined {
    const { system } = include;
    const own: Codes = new Map();
    if (system !== undefined) {
      const codes = include.concept?.map((c) => c.code) ?? this.#systemCodes(system, include.filter ?? []);
      if (codes === undefined || codes.length === 0) return undefined;
      own.set(system, new Set(codes));
    }
    // Several value sets in one include, and a system beside them, are an intersection: FHIR R4 valueset.html#compositions
    let result: Codes | undefined = system === undefined ? undefined : own;
    for (const url of include.valueSet ?? []) {
      const other = this.expand(url);
      if (other === undefined) return undefined;
      result = result === undefined ? other : intersect(result, other);
    }
    return result;
  }

  #systemCodes(url: string, filters: NonNullable<Include['filter']>): string[] | undefined {
    const system = this.#systems.get(url);
    if (system?.content !== 'complete') return undefined;
    let codes = flatten(system.concept ?? []);
    for (const { property, op, value } of filters) {
      if (property === 'concept' && (op === 'is-a' || op === 'descendent-of')) {
        const below = new Set(descendants(system.concept ?? [], value));
        if (op === 'is-a') below.add(value);
        codes = codes.filter((code) => below.has(code));
      } else return undefined;
    }
    return codes;
  }
}

const intersect = (a: Codes, b: Codes): Codes =>
  new Map([...a].map(([system, codes]) => [system, codes.intersection(b.get(system) ?? new Set<string>())]));

function flatten(concepts: readonly Concept[]): string[] {
  return concepts.flatMap((c) => [c.code, ...flatten(c.concept ?? [])]);
}

/** Codes below `code`, by nesting and by `subsumedBy` properties (the v3 code systems). */
function descendants(concepts: readonly Concept[], code: string): string[] {
  const children = new Map<string, string[]>();
  const visit = (concept: Concept, parent: string | undefined): void => {
    const parents = (concept.property ?? []).filter((p) => p.code === 'subsumedBy').map((p) => p.valueCode ?? '');
    if (parent !== undefined) parents.push(parent);
    for (const p of parents) children.set(p, [...(children.get(p) ?? []), concept.code]);
    for (const child of concept.concept ?? []) visit(child, concept.code);
  };
  for (const concept of concepts) visit(concept, undefined);
  const found = new Set<string>();
  const open = [code];
  for (let next = open.pop(); next !== undefined; next = open.pop())
    for (const child of children.get(next) ?? [])
      if (!found.has(child)) {
        found.add(child);
        open.push(child);
      }
  return [...found];
}

/** @returns the names of the value sets that could not be listed. */
export function buildBindings(
  terminology: Terminology,
  names: ReadonlySet<string>,
  outDir: string,
  source: string,
): string[] {
  const valueSets: Record<string, Record<string, string[]>> = {};
  const open: string[] = [];
  for (const name of [...names].sort()) {
    const url = terminology.urlOf(name);
    const codes = url === undefined ? undefined : terminology.expand(url);
    if (codes === undefined) open.push(name);
    else valueSets[name] = Object.fromEntries([...codes].sort().map(([system, set]) => [system, [...set]]));
  }
  writeTable(join(outDir, 'bindings.json'), { source, valueSets });
  return open;
}
