/** The search parameters of every R4 resource type, compiled into `profiles/r4/search-params.json` and read on first use. */
import { readFileSync } from 'node:fs';
import type { ParamType } from './terms.ts';

/** One part of a composite parameter: the parameter it is named after, and its kind. */
export interface ComponentParam {
  readonly param: string;
  readonly type: ParamType;
}

export interface SearchParam {
  /** As in a URL, e.g. `value-quantity`. */
  readonly code: string;
  readonly type: ParamType;
  /** Of a reference: the types it may lead to; all types when it may lead to any. */
  readonly targets: readonly string[];
  /** Of a token: `code` for code, Coding, CodeableConcept, boolean (few values); `identifier` for Identifier, ContactPoint, text. */
  readonly tokenOf?: 'code' | 'identifier' | undefined;
  /** Of a token whose elements are all of type code or boolean: the code systems that their bindings imply. */
  readonly systems: readonly string[];
  readonly components?: readonly ComponentParam[] | undefined;
  /** FHIRPath, the alternatives of this type only. */
  readonly expression: string;
}

/** What the extractor compiles its closures from. The text form of a path is explained in scripts/definitions/search-paths.ts. */
export interface ParamPaths {
  readonly param: SearchParam;
  readonly paths: readonly string[];
  readonly contexts: readonly string[];
  readonly parts: readonly { readonly param: string; readonly type: ParamType; readonly paths: readonly string[] }[];
}

interface Row {
  readonly type: ParamType;
  readonly expression: string;
  readonly paths?: readonly string[];
  readonly targets?: readonly string[] | '*';
  readonly tokenOf?: 'code' | 'identifier';
  readonly systems?: readonly string[];
  readonly contexts?: readonly string[];
  readonly parts?: readonly { param: string; type: ParamType; paths: readonly string[] }[];
}

const FILE = new URL('../../profiles/r4/search-params.json', import.meta.url);
const EVERY = ['Resource', 'DomainResource'];
/** The extractor leaves these to the store: they are known only when a version is written. */
export const STORE_PARAMS: ReadonlySet<string> = new Set(['_id', '_lastUpdated']);

let rows: ReadonlyMap<string, Readonly<Record<string, Row>>> | undefined;
const byType = new Map<string, ReadonlyMap<string, ParamPaths>>();

function allRows(): ReadonlyMap<string, Readonly<Record<string, Row>>> {
  rows ??= new Map(Object.entries(JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Record<string, Row>>));
  return rows;
}

function toParam(code: string, row: Row, types: readonly string[]): ParamPaths {
  const param: SearchParam = Object.freeze({
    code,
    type: row.type,
    targets: row.targets === '*' ? types : (row.targets ?? []),
    tokenOf: row.tokenOf,
    systems: row.systems ?? [],
    components: row.parts?.map(({ param: part, type }) => ({ param: part, type })),
    expression: row.expression,
  });
  return { param, paths: row.paths ?? [], contexts: row.contexts ?? [], parts: row.parts ?? [] };
}

/** Empty for what is no resource type. */
export function paramPaths(type: string): ReadonlyMap<string, ParamPaths> {
  const known = byType.get(type);
  if (known) return known;
  const all = allRows();
  const found = new Map<string, ParamPaths>();
  if (all.has(type) && !EVERY.includes(type)) {
    const types = [...all.keys()].filter((t) => !EVERY.includes(t));
    for (const of of [...EVERY, type])
      for (const [code, row] of Object.entries(all.get(of) ?? {})) found.set(code, toParam(code, row, types));
    byType.set(type, found);
  }
  return found;
}

/** `_id` and `_lastUpdated` too; undefined for an unknown type or code. */
export const searchParam = (type: string, code: string): SearchParam | undefined => paramPaths(type).get(code)?.param;

/** Those of all resources first, then those of the type, each by code. */
export const searchParams = (type: string): readonly SearchParam[] =>
  [...paramPaths(type).values()].map((p) => p.param);
