/**
 * What R4 is, as data: the tables of profiles/r4 (made by scripts/definitions), read on first use and decoded type by type.
 * FHIR R4 structuredefinition.html
 */
import { readFileSync } from 'node:fs';

export interface TypeRef {
  /** A primitive, data type, or nested type such as `Observation.component`; `Resource` is any resource. */
  readonly name: string;
  /** What stands after `value` in the name of a choice: a profiled Quantity is still a `Quantity`. */
  readonly suffix: string;
  /** Resource types that a Reference may point to; undefined: any. */
  readonly targets?: readonly string[];
}

export interface ElementRow {
  /** Without `[x]`. */
  readonly name: string;
  readonly choice: boolean;
  readonly min: number;
  readonly many: boolean;
  readonly types: readonly TypeRef[];
  /** Name of the value set of a required binding, a key of `valueSet`. */
  readonly binding?: string;
  /** `_summary=true` keeps it. FHIR R4 search.html#summary */
  readonly summary: boolean;
}

export interface TypeRow {
  readonly name: string;
  readonly kind: 'resource' | 'complex' | 'nested';
  readonly base?: string;
  readonly abstract: boolean;
  /** Own and inherited elements, inherited ones first. */
  readonly elements: readonly ElementRow[];
  /** key → sentence of the invariants of this type, inherited ones included. */
  readonly rules: Readonly<Record<string, string>>;
}

/** code system → its codes in the value set. */
export type ValueSetRow = Readonly<Record<string, readonly string[]>>;

interface RawType {
  readonly kind: TypeRow['kind'];
  readonly base?: string;
  readonly abstract?: boolean;
  readonly elements?: readonly string[];
  readonly rules?: Readonly<Record<string, string>>;
}

function lazily<T>(file: string, member: string): () => Readonly<Record<string, T>> {
  let table: Readonly<Record<string, T>> | undefined;
  return () => {
    if (table === undefined) {
      const text = readFileSync(new URL(`../../profiles/r4/${file}`, import.meta.url), 'utf8');
      table = (JSON.parse(text) as Record<string, Record<string, T>>)[member] as Record<string, T>;
    }
    return table;
  };
}
const rawTypes = lazily<RawType>('structures.json', 'types');
const valueSets = lazily<ValueSetRow>('bindings.json', 'valueSets');

const PROFILED: Readonly<Record<string, string>> = { SimpleQuantity: 'Quantity', MoneyQuantity: 'Quantity' };
const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** One type of an element text; the grammar stands in scripts/definitions/structures.ts. */
function typeRef(token: string, path: string): TypeRef {
  if (token === '@') return { name: path, suffix: '' };
  if (token.startsWith('#')) return { name: token.slice(1), suffix: '' };
  const targets = /^Reference\((.*)\)$/.exec(token)?.[1];
  if (targets !== undefined) return { name: 'Reference', suffix: 'Reference', targets: targets.split('|') };
  return { name: token, suffix: capital(PROFILED[token] ?? token) };
}

function elementRow(text: string, owner: string): ElementRow {
  const [name = '', cardinality = '', types = '', ...rest] = text.split(' ');
  const [min, max] = cardinality.split('..');
  const bare = name.replace('[x]', '');
  const binding = rest.find((r) => r.startsWith('='));
  return {
    name: bare,
    choice: name.endsWith('[x]'),
    min: Number(min),
    many: max !== '1',
    types: types.split(',').map((t) => typeRef(t, `${owner}.${bare}`)),
    summary: rest.includes('+'),
    ...(binding !== undefined && { binding: binding.slice(1) }),
  };
}

const decoded = new Map<string, TypeRow>();

/** The definition of a resource type, data type or nested type; undefined for primitives and for what R4 does not have. */
export function typeRow(name: string): TypeRow | undefined {
  const known = decoded.get(name);
  if (known !== undefined) return known;
  if (!Object.hasOwn(rawTypes(), name)) return undefined;
  const raw = rawTypes()[name] as RawType;
  const base = raw.base === undefined ? undefined : typeRow(raw.base);
  const row: TypeRow = {
    name,
    kind: raw.kind,
    ...(raw.base !== undefined && { base: raw.base }),
    abstract: raw.abstract ?? false,
    elements: [...(base?.elements ?? []), ...(raw.elements ?? []).map((text) => elementRow(text, name))],
    rules: { ...base?.rules, ...raw.rules },
  };
  decoded.set(name, row);
  return row;
}

/** The codes of a value set by code system; undefined when it cannot be listed. */
export function valueSet(name: string): ValueSetRow | undefined {
  return Object.hasOwn(valueSets(), name) ? valueSets()[name] : undefined;
}

let types: ReadonlySet<string> | undefined;
function typeNames(): ReadonlySet<string> {
  types ??= new Set(
    Object.entries(rawTypes())
      .filter(([, raw]) => raw.kind === 'resource' && raw.abstract !== true)
      .map(([name]) => name),
  );
  return types;
}

/** Is it one of the 146 resource types of R4? Case counts; abstract types are none. */
export const isResourceType = (name: string): boolean => typeNames().has(name);

let list: readonly string[] | undefined;
/** All resource types of R4 in alphabetical order. */
export function resourceTypes(): readonly string[] {
  list ??= Object.freeze([...typeNames()]);
  return list;
}
