/** The definitions of one type compiled into what the walk needs: one look-up per member, bits for what must be there. */
import { type ElementRow, type TypeRef, type TypeRow, typeRow } from './definitions.ts';
import { type Binding, bindingOf } from './validate-codes.ts';
import { PRIMITIVES, type Primitive } from './validate-primitives.ts';
import { type Rule, rulesOf } from './validate-rules.ts';

export interface Property {
  /** As in JSON: `valueQuantity`, `_birthDate`. */
  readonly name: string;
  /** As in FHIRPath: `value`, `birthDate`. */
  readonly element: string;
  /** The type part of a choice, e.g. `Quantity`. */
  readonly suffix: string;
  readonly choice: boolean;
  readonly many: boolean;
  /** Set when the member is seen; 0 when nobody asks. */
  readonly bit: number;
  /** Exactly one of primitive, sibling, type and resource tells what the value is. */
  readonly primitive: Primitive | undefined;
  /** `_x`: id and extensions of the primitive `x`; for the primitive itself the name of its sibling. */
  readonly sibling: string | undefined;
  readonly isSibling: boolean;
  /** Of an object; compiled when first met. */
  readonly type: string;
  plan: Plan | undefined;
  readonly isResource: boolean;
  readonly binding: Binding | undefined;
  /** Of a Reference; undefined: any type. */
  readonly targets: readonly string[] | undefined;
}

export interface Plan {
  readonly name: string;
  readonly isResource: boolean;
  readonly isReference: boolean;
  readonly properties: ReadonlyMap<string, Property>;
  /** The members of the last object of this type: the next one mostly has the same in the same order, and needs no look-up. */
  readonly lastOrder: (Property | undefined)[];
  /** Bits of the elements that must be there. */
  readonly required: number;
  readonly requiredElements: readonly {
    readonly element: string;
    readonly bit: number;
    readonly names: readonly string[];
  }[];
  readonly rules: readonly Rule[];
}

function property(row: ElementRow, type: TypeRef, bit: number): Property {
  const name = row.choice ? row.name + type.suffix : row.name;
  const primitive = PRIMITIVES[type.name];
  return {
    name,
    element: row.name,
    suffix: type.suffix,
    choice: row.choice,
    many: row.many,
    bit,
    primitive,
    sibling: primitive && `_${name}`,
    isSibling: false,
    type: type.name,
    plan: undefined,
    isResource: type.name === 'Resource',
    binding: row.binding === undefined ? undefined : bindingOf(row.binding),
    targets: type.targets,
  };
}

const siblingOf = (of: Property): Property => ({
  ...of,
  name: `_${of.name}`,
  primitive: undefined,
  sibling: of.name,
  isSibling: true,
  type: 'Element',
  binding: undefined,
});

/** FHIR R4 json.html#primitive: an id and the URL of an extension are attributes, they have no extensions themselves. */
const mayBeExtended = (row: ElementRow, owner: string): boolean =>
  !(row.name === 'id' && owner !== 'resource') && !(row.name === 'url' && owner === 'Extension');

function compile(row: TypeRow): Plan {
  const properties = new Map<string, Property>();
  const requiredElements: { element: string; bit: number; names: string[] }[] = [];
  let bits = 0;
  let required = 0;
  for (const element of row.elements) {
    const bit = element.min > 0 || element.choice ? 1 << bits++ : 0;
    if (bits > 30) throw new RangeError(`${row.name} has more than 30 required or choice elements`);
    const names: string[] = [];
    for (const type of element.types) {
      const made = property(element, type, bit);
      properties.set(made.name, made);
      names.push(made.name);
      if (
        made.primitive &&
        type.name !== 'xhtml' &&
        mayBeExtended(element, row.kind === 'resource' ? 'resource' : row.name)
      )
        properties.set(`_${made.name}`, siblingOf(made));
    }
    if (element.min > 0) {
      required |= bit;
      requiredElements.push({ element: element.name, bit, names });
    }
  }
  return {
    name: row.name,
    isResource: row.kind === 'resource',
    isReference: row.name === 'Reference',
    properties,
    lastOrder: [],
    required,
    requiredElements,
    rules: rulesOf(row),
  };
}

const plans = new Map<string, Plan>();

/** The plan of a resource type, data type or nested type. @returns undefined when R4 has no such type. */
export function planOf(name: string): Plan | undefined {
  const known = plans.get(name);
  if (known !== undefined) return known;
  const row = typeRow(name);
  if (row === undefined) return undefined;
  const plan = compile(row);
  plans.set(name, plan);
  return plan;
}

/** The plan of an object's type. */
export function planOfProperty(p: Property): Plan {
  p.plan ??= planOf(p.type);
  if (p.plan === undefined) throw new RangeError(`${p.name} has the unknown type ${p.type}`);
  return p.plan;
}
