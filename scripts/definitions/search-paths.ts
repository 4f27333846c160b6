/**
 * Resolves parsed FHIRPath against the StructureDefinitions into JSON paths that need no types at run time.
 *
 * A path is text, its parts separated by spaces: the data type at its end, then one step a property. `*` after a step: it
 * repeats; `?key=value`: only items whose `key` is `value`; `#0`: only that item; `^` first: begin at the resource, not at
 * the context; `Reference>Patient`: only references to that type. `Quantity component* valueQuantity`.
 */
import type { Path, Step } from './fhirpath.ts';

export interface ElementDefinition {
  readonly path: string;
  readonly max: string;
  readonly contentReference?: string;
  readonly type?: readonly { code: string; targetProfile?: readonly string[] }[];
  readonly binding?: { strength: string; valueSet?: string };
}

/** Where a path has got to. */
export interface Position {
  /** JSON steps so far, as in the text form. */
  readonly steps: readonly string[];
  /** FHIR data type, `BackboneElement` and `Element` for what is defined in place. */
  readonly type: string;
  /** Where its children are defined. */
  readonly element: string;
  readonly definition?: ElementDefinition | undefined;
  readonly refersTo?: string;
  readonly presence?: boolean;
}

/** FHIR R4 datatypes.html: a cast takes what is derived from the type too. */
const DERIVED: Readonly<Record<string, readonly string[]>> = {
  uri: ['url', 'canonical', 'oid', 'uuid'],
  string: ['code', 'id', 'markdown'],
  integer: ['positiveInt', 'unsignedInt'],
  quantity: ['Age', 'Count', 'Distance', 'Duration', 'SimpleQuantity'],
};
/** Type names are compared without case: R4 writes `DateTime` in one place. */
const isA = (type: string, wanted: string): boolean =>
  type.toLowerCase() === wanted.toLowerCase() || (DERIVED[wanted.toLowerCase()] ?? []).includes(type);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const FHIRPATH_TYPE = 'http://hl7.org/fhirpath/System.';

export class Elements {
  readonly #byPath = new Map<string, ElementDefinition>();

  add(elements: readonly ElementDefinition[]): void {
    for (const element of elements) if (!this.#byPath.has(element.path)) this.#byPath.set(element.path, element);
  }

  has = (path: string): boolean => this.#byPath.has(path);

  root(type: string): Position {
    return { steps: [], type, element: type };
  }

  #at(from: Position, definition: ElementDefinition, json: string, code: string): Position {
    const inPlace = code === 'BackboneElement' || code === 'Element';
    const type = code.startsWith(FHIRPATH_TYPE) ? code.slice(FHIRPATH_TYPE.length).toLowerCase() : code;
    const step = definition.max === '1' || definition.max === '0' ? json : `${json}*`;
    return { steps: [...from.steps, step], type, element: inPlace ? definition.path : type, definition };
  }

  /** One position, or one for each type of a choice. */
  child(from: Position, name: string): Position[] {
    const path = `${from.element}.${name}`;
    const definition = this.#byPath.get(path);
    if (definition?.contentReference) {
      const target = definition.contentReference.slice(definition.contentReference.indexOf('#') + 1);
      return [{ ...this.#at(from, definition, name, 'BackboneElement'), element: target }];
    }
    if (definition) return [this.#at(from, definition, name, definition.type?.[0]?.code ?? 'Element')];
    const choice = this.#byPath.get(`${path}[x]`);
    if (!choice) throw new Error(`${path} is not an element`);
    return (choice.type ?? []).map((t) => this.#at(from, choice, name + capital(t.code), t.code));
  }

  step(from: Position, step: Step): Position[] {
    const last = from.steps.at(-1) ?? '';
    const before = from.steps.slice(0, -1);
    switch (step.kind) {
      case 'name':
        return this.child(from, step.name);
      case 'cast':
        return isA(from.type, step.type) ? [from] : [];
      case 'equals':
        return [{ ...from, steps: [...before, `${last}?${step.name}=${step.value}`] }];
      case 'index':
        return [{ ...from, steps: [...before, `${last.replace('*', '')}#${step.index}`] }];
      case 'refers-to':
        return from.type === 'Reference' ? [{ ...from, refersTo: step.type }] : [];
      case 'extension': {
        const at = this.child(from, 'extension').map((p) => ({
          ...p,
          steps: [...from.steps, `extension*?url=${step.url}`],
        }));
        return at.flatMap((p) => this.child(p, 'value'));
      }
      default:
        return [{ ...from, presence: true }];
    }
  }

  walk(from: Position, path: Path): Position[] {
    let positions: Position[] = [from];
    for (const step of path) positions = positions.flatMap((p) => this.step(p, step));
    return positions;
  }
}

/** The types that a reference element may lead to; undefined when any. */
export function targetsOf(position: Position): string[] | undefined {
  if (position.refersTo) return [position.refersTo];
  const of = position.definition?.type?.find((t) => t.code === position.type)?.targetProfile ?? [];
  const types = of.map((url) => url.slice(url.lastIndexOf('/') + 1));
  return types.length === 0 || types.includes('Resource') ? undefined : types;
}

export const textOf = (position: Position): string =>
  [position.refersTo ? `${position.type}>${position.refersTo}` : position.type, ...position.steps].join(' ');
