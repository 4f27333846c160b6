/** Compiles the SearchParameters of R4 core into profiles/r4/search-params.json, which `src/fhir/search-params.ts` reads. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Path, parsePaths } from './fhirpath.ts';
import { type ElementDefinition, Elements, type Position, targetsOf, textOf } from './search-paths.ts';

interface SearchParameter {
  readonly id: string;
  readonly url: string;
  readonly code: string;
  readonly type: string;
  readonly base: readonly string[];
  readonly target?: readonly string[];
  readonly expression?: string;
  readonly component?: readonly { definition: string; expression: string }[];
}

/** As written to the file; absent members are empty. */
interface Row {
  type: string;
  expression: string;
  paths?: string[];
  /** `*`: any type. */
  targets?: string[] | '*';
  tokenOf?: string;
  /** The code systems that a `code` element has by its required binding. */
  systems?: string[];
  /** Composite: where its occurrences are, and what each part is there. */
  contexts?: string[];
  parts?: { param: string; type: string; paths: string[] }[];
}

const CODED = ['code', 'Coding', 'CodeableConcept', 'boolean'];
const NAMED = ['Identifier', 'ContactPoint', 'string', 'uri', 'url', 'canonical', 'id', 'oid', 'uuid'];
/** The data types that each parameter type makes terms of. FHIR R4 search.html#ptypes */
const MAKES: Readonly<Record<string, readonly string[]>> = {
  token: [...CODED, ...NAMED],
  string: ['string', 'markdown', 'HumanName', 'Address', 'code', 'id'],
  date: ['date', 'dateTime', 'instant', 'Period', 'Timing'],
  number: ['integer', 'decimal', 'positiveInt', 'unsignedInt', 'Range'],
  quantity: ['Quantity', 'SimpleQuantity', 'Age', 'Duration', 'Count', 'Distance', 'Money', 'Range'],
  reference: ['Reference', 'canonical', 'uri', 'url', 'Resource'],
  uri: ['uri', 'url', 'canonical', 'oid', 'uuid'],
};
const SP = 'http://hl7.org/fhir/SearchParameter/';
/** DocumentReference-relationship of R4 names its two components the wrong way round. */
const SWAPPED = new Map([
  [`${SP}DocumentReference-relatestocode`, `${SP}DocumentReference-relation`],
  [`${SP}DocumentReference-relationtarget`, `${SP}DocumentReference-relatesto`],
]);
/** What `true` and `false` are codes of. */
const BOOLEANS = 'http://terminology.hl7.org/CodeSystem/special-values';

const read = <T>(dir: string, file: string): T => JSON.parse(readFileSync(join(dir, file), 'utf8')) as T;
const files = (dir: string, prefix: string): string[] =>
  readdirSync(dir)
    .filter((f) => f.startsWith(prefix) && f.endsWith('.json'))
    .sort();

/** Parameters of R4 core: not those of extensions, of the genetics profiles or of the examples of the specification. */
const isCore = (p: SearchParameter): boolean => p.url.startsWith(SP) && !/-extensions-|-genetic-|^example/.test(p.id);

interface ValueSet {
  readonly url: string;
  readonly compose?: { include: readonly { system?: string }[] };
}

class Compiler {
  readonly elements = new Elements();
  readonly types: string[] = [];
  readonly uncompiled: string[] = [];
  readonly #params = new Map<string, SearchParameter>();
  readonly #systems = new Map<string, string[]>();

  constructor(dir: string) {
    for (const file of files(dir, 'StructureDefinition-')) {
      const sd = read<{
        kind: string;
        type: string;
        abstract: boolean;
        derivation?: string;
        snapshot?: { element: ElementDefinition[] };
      }>(dir, file);
      if (sd.derivation === 'constraint' || !sd.snapshot) continue;
      this.elements.add(sd.snapshot.element);
      if (sd.kind === 'resource' && !sd.abstract) this.types.push(sd.type);
    }
    this.types.sort();
    for (const file of files(dir, 'SearchParameter-')) {
      const param = read<SearchParameter>(dir, file);
      if (isCore(param)) this.#params.set(param.url, param);
    }
    for (const file of files(dir, 'ValueSet-')) {
      const set = read<ValueSet>(dir, file);
      const systems = (set.compose?.include ?? []).flatMap((i) => i.system ?? []);
      this.#systems.set(set.url, [...new Set(systems)].sort());
    }
  }

  all(): Record<string, Record<string, Row>> {
    const table: Record<string, Record<string, Row>> = {};
    for (const type of ['Resource', 'DomainResource', ...this.types]) {
      const rows: [string, Row][] = [];
      for (const param of this.#params.values()) {
        const row = (param.base ?? []).includes(type) ? this.#row(type, param) : undefined;
        if (row) rows.push([param.code, row]);
      }
      table[type] = Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return table;
  }

  /** The alternatives of an expression that are about this type, without its name. */
  #own(type: string, expression: string): Path[] {
    return parsePaths(expression).flatMap((path) => {
      const [first] = path;
      if (first?.kind !== 'name') return [];
      if (first.name === type) return [path.slice(1)];
      // InsurancePlan-name is written without the type.
      return this.types.includes(first.name) ? [] : [path];
    });
  }

  /** Where the paths end. Types of a choice that the kind of parameter cannot compare are left out (SampledData, Ratio). */
  #ends(from: Position, paths: readonly Path[], param: SearchParameter): Position[] {
    const makes = MAKES[param.type] ?? [];
    const ends = paths.flatMap((path) => this.elements.walk(from, path));
    return ends.filter((end) => makes.includes(end.type) || end.presence);
  }

  #row(type: string, param: SearchParameter): Row | undefined {
    try {
      return param.type === 'composite' ? this.#composite(type, param) : this.#simple(type, param);
    } catch (error) {
      this.uncompiled.push(`${type} ${param.code}: ${(error as Error).message}: ${param.expression}`);
      return undefined;
    }
  }

  #simple(type: string, param: SearchParameter): Row | undefined {
    // `_text`, `_content`, `_filter`, `_query`: names of the protocol, not of elements.
    if (!param.expression) return undefined;
    if (param.type === 'special') return { type: 'special', expression: param.expression };
    const ends = this.#ends(this.elements.root(type), this.#own(type, param.expression), param);
    if (ends.length === 0) throw new Error('nothing in it makes terms of this type');
    const row: Row = { type: param.type, expression: ownText(type, param.expression), paths: pathsOf(ends) };
    if (param.type === 'reference') row.targets = this.#targets(param, ends);
    if (param.type === 'token') {
      row.tokenOf = ends.every((end) => CODED.includes(end.type) || end.presence) ? 'code' : 'identifier';
      const systems = this.#implicit(ends);
      if (systems.length > 0) row.systems = systems;
    }
    return row;
  }

  /** FHIR R4 search.html#token: the system of a `code` is implicit in its binding. Only when all the elements are codes. */
  #implicit(ends: readonly Position[]): string[] {
    if (!ends.every((end) => end.type === 'code' || end.type === 'boolean')) return [];
    const sets = ends.map((end) => end.definition?.binding?.valueSet?.split('|')[0] ?? '');
    const booleans = ends.some((end) => end.type === 'boolean') ? [BOOLEANS] : [];
    return [...new Set([...sets.flatMap((url) => this.#systems.get(url) ?? []), ...booleans])].sort();
  }

  #targets(param: SearchParameter, ends: readonly Position[]): string[] | '*' {
    const declared = new Set(param.target ?? []);
    // "Any" is spelt as the list of all types, give or take a few.
    const any = declared.size === 0 || declared.size >= this.types.length - 5;
    const ofElements = ends.map((end) => targetsOf(end));
    if (any && ofElements.includes(undefined)) return '*';
    const reach = ofElements.includes(undefined) ? [...declared] : [...new Set(ofElements.flatMap((t) => t ?? []))];
    return reach.filter((t) => any || declared.has(t)).sort();
  }

  #composite(type: string, param: SearchParameter): Row {
    const contexts = this.#own(type, param.expression ?? '').flatMap((path) =>
      this.elements.walk(this.elements.root(type), path),
    );
    if (contexts.length === 0) throw new Error('nothing in it makes terms of this type');
    const parts = (param.component ?? []).map(({ definition, expression }) => {
      const part = this.#params.get(SWAPPED.get(definition + expression) ?? definition);
      if (!part) throw new Error(`${definition} is not there`);
      const ends = contexts.flatMap((context) => this.#part(type, context, expression, part));
      if (ends.length === 0) throw new Error(`the part ${expression} makes no terms`);
      return { param: part.code, type: part.type, paths: pathsOf(ends) };
    });
    return { type: 'composite', expression: ownText(type, param.expression ?? ''), contexts: pathsOf(contexts), parts };
  }

  #part(type: string, context: Position, expression: string, part: SearchParameter): Position[] {
    return parsePaths(expression).flatMap((path) => {
      const [first] = path;
      const fromResource = first?.kind === 'name' && first.name === '%resource';
      if (fromResource) {
        const ends = this.#ends(this.elements.root(type), [path.slice(1)], part);
        return ends.map((end) => ({ ...end, steps: ['^', ...end.steps] }));
      }
      return this.#ends({ ...context, steps: [] }, [path], part);
    });
  }
}

function pathsOf(ends: readonly Position[]): string[] {
  const present = ends.filter((end) => end.presence);
  const rest = ends.filter((end) => !end.presence).map(textOf);
  if (present.length > 0) rest.push(['PresentNotFalse', ...present.flatMap((end) => end.steps)].join(' '));
  return [...new Set(rest)];
}

/** The alternatives of a union that name the type, as written. */
const ownText = (type: string, expression: string): string =>
  expression
    .split(/\s+\|\s+/)
    .filter((part) => new RegExp(`^\\(*${type}\\b`).test(part))
    .join(' | ') || expression;

/**
 * Writes `search-params.json`: one line a type and parameter, sorted, so that a change shows as a line.
 * @throws Error listing the expressions that could not be compiled.
 */
export function buildSearchParams(packageDir: string, outDir: string): void {
  const compiler = new Compiler(packageDir);
  const table = compiler.all();
  if (compiler.uncompiled.length > 0) throw new Error(compiler.uncompiled.join('\n'));
  const lines = Object.entries(table).map(([type, rows]) => {
    const inner = Object.entries(rows).map(([code, row]) => `${JSON.stringify(code)}:${JSON.stringify(row)}`);
    return `${JSON.stringify(type)}:{${inner.length > 0 ? `\n${inner.join(',\n')}\n` : ''}}`;
  });
  writeFileSync(join(outDir, 'search-params.json'), `{${lines.join(',\n')}}\n`);
}
