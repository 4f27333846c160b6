/** Where the validator stands in a resource, and what it found. Paths are made only when something is wrong. */
import { limits } from '../base/limits.ts';

export interface Issue {
  readonly severity: 'error' | 'warning';
  /** http://hl7.org/fhir/R4/valueset-issue-type.html */
  readonly code: string;
  /** One sentence that says what to do. */
  readonly details: string;
  /** FHIRPath with indexes, e.g. `Patient.name[1].use`. */
  readonly expression: string[];
}

export type Obj = Record<string, unknown>;

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const NAME_CHARACTERS_SHOWN = 64;
const NONE: readonly Issue[] = Object.freeze([]);

/** A member name as FHIRPath: odd ones stand in backticks. FHIRPath N1 #identifiers */
function identifier(name: string): string {
  const short = name.slice(0, NAME_CHARACTERS_SHOWN);
  return PLAIN_NAME.test(short) ? short : `\`${JSON.stringify(short).slice(1, -1).replaceAll('`', '\\`')}\``;
}

export class Walk {
  /** Errors and warnings so far, also those beyond the bound. */
  errors = 0;
  warnings = 0;
  depth = 0;
  /** The resource that contained resources belong to. */
  container: Obj = {};
  /** Inside `contained`. */
  contained = false;
  #issues: Issue[] = [];
  readonly #names: string[] = [];
  readonly #places: number[] = [];

  start(root: Obj, type: string): void {
    this.errors = this.warnings = this.depth = 0;
    this.container = root;
    this.contained = false;
    this.enter(type);
  }

  /** @returns the issues found since `start`. */
  finish(): readonly Issue[] {
    this.container = {};
    if (this.#issues.length === 0) return NONE;
    const issues = this.#issues;
    this.#issues = [];
    if (issues.length <= limits.validationIssuesMax) return issues;
    // An error is never crowded out by warnings.
    const errors = issues.filter((issue) => issue.severity === 'error');
    const warnings = issues.filter((issue) => issue.severity === 'warning');
    return [...errors, ...warnings].slice(0, limits.validationIssuesMax);
  }

  enter(name: string): void {
    this.#names[this.depth] = name;
    this.#places[this.depth++] = -1;
  }

  /** Which item of the element that was entered last; -1: it does not repeat. */
  at(index: number): void {
    this.#places[this.depth - 1] = index;
  }

  leave(): void {
    this.depth--;
  }

  #path(below: string): string {
    let path = '';
    for (let i = 0; i < this.depth; i++) {
      const place = this.#places[i] as number;
      path += `${i === 0 ? '' : '.'}${identifier(this.#names[i] as string)}${place < 0 ? '' : `[${place}]`}`;
    }
    return below === '' ? path : `${path}.${below}`;
  }

  /** @param below an element under the present one, as FHIRPath. */
  fail(code: string, details: string, below = ''): void {
    this.errors++;
    this.#add('error', code, details, below);
  }

  failMember(code: string, details: string, name: string): void {
    this.fail(code, details, identifier(name));
  }

  warn(code: string, details: string, below = ''): void {
    this.warnings++;
    this.#add('warning', code, details, below);
  }

  #add(severity: Issue['severity'], code: string, details: string, below: string): void {
    const found = severity === 'error' ? this.errors : this.warnings;
    if (found <= limits.validationIssuesMax)
      this.#issues.push({ severity, code, details, expression: [this.#path(below)] });
  }
}

const VALUE_CHARACTERS_SHOWN = 60;
/** A value for a sentence, cut. */
export function shown(value: unknown): string {
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : value === null ? 'null' : 'an object';
  const text = typeof value === 'string' ? value : String(value);
  return JSON.stringify(text.length > VALUE_CHARACTERS_SHOWN ? `${text.slice(0, VALUE_CHARACTERS_SHOWN)}…` : text);
}
