/** Reading the unpacked definitions package: the few members of its resources that the tables are made from. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ElementType {
  readonly code: string;
  readonly profile?: readonly string[];
  readonly targetProfile?: readonly string[];
  readonly extension?: readonly { readonly url: string; readonly valueUrl?: string }[];
}

export interface ElementDefinition {
  readonly id?: string;
  readonly path: string;
  readonly min?: number;
  readonly max?: string;
  readonly base?: { readonly path: string };
  readonly contentReference?: string;
  readonly type?: readonly ElementType[];
  readonly isSummary?: boolean;
  readonly fixedCode?: string;
  readonly binding?: {
    readonly strength: string;
    readonly valueSet?: string;
    readonly extension?: readonly { readonly url: string; readonly valueCanonical?: string }[];
  };
  readonly constraint?: readonly {
    readonly key: string;
    readonly severity: string;
    readonly human: string;
    readonly source?: string;
  }[];
}

export interface StructureDefinition {
  readonly url: string;
  readonly name: string;
  readonly type: string;
  readonly kind: string;
  readonly abstract?: boolean;
  readonly derivation?: string;
  readonly baseDefinition?: string;
  readonly snapshot?: { readonly element: readonly ElementDefinition[] };
  readonly differential?: { readonly element: readonly ElementDefinition[] };
}

export interface Concept {
  readonly code: string;
  readonly concept?: readonly Concept[];
  readonly property?: readonly { readonly code: string; readonly valueCode?: string; readonly valueString?: string }[];
}

export interface CodeSystem {
  readonly url: string;
  readonly content: string;
  readonly concept?: readonly Concept[];
}

export interface Include {
  readonly system?: string;
  readonly concept?: readonly Concept[];
  readonly filter?: readonly { readonly property: string; readonly op: string; readonly value: string }[];
  readonly valueSet?: readonly string[];
}

export interface ValueSet {
  readonly url: string;
  readonly compose?: { readonly include: readonly Include[]; readonly exclude?: readonly Include[] };
}

/** Every resource of one type in the package, in the order of the file names. */
export function readAll<T>(packageDir: string, type: string): T[] {
  return readdirSync(packageDir)
    .filter((file) => file.startsWith(`${type}-`) && file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(packageDir, file), 'utf8')) as T);
}

/** Last segment of a canonical URL, without a version. */
export const shortName = (url: string): string => url.replace(/\|.*$/, '').replace(/^.*\//, '');

/** Writes a table as JSON with one line for each member of each section, so that a change of one type is a change of one line. */
export function writeTable(file: string, table: Readonly<Record<string, unknown>>): void {
  const sections = Object.entries(table).map(([name, value]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
    const lines = Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${JSON.stringify(member)}`);
    return `${JSON.stringify(name)}:{\n${lines.join(',\n')}\n}`;
  });
  writeFileSync(file, `{${sections.join(',\n')}}\n`);
}
