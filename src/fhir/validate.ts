/**
 * Is a resource what R4 says it is? Structure, cardinality, primitive formats, required bindings, reference targets and
 * invariants of every type, and the vital-signs profiles for Observations (see validate-vitals.ts for when those bind).
 * FHIR R4 validation.html. Plans are compiled on first use of a type; a valid resource costs no allocation.
 */
import { VitalwireError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { isResourceType } from './definitions.ts';
import { checkConcept } from './validate-codes.ts';
import { checkContained } from './validate-contained.ts';
import { type Plan, type Property, planOf, planOfProperty } from './validate-plan.ts';
import { checkVitalSigns } from './validate-vitals.ts';
import { type Issue, type Obj, shown, Walk } from './validate-walk.ts';

export type { Issue } from './validate-walk.ts';

const SLASH = 47;
const walk = new Walk();
const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value);

function checkPrimitive(value: unknown, p: Property): void {
  const { primitive, binding } = p;
  // What is in the value set is well-formed.
  if (binding !== undefined && typeof value === 'string' && binding.code(value)) return;
  if (primitive !== undefined && !primitive.test(value)) {
    const kind = typeof value === 'string' || typeof value === 'number' ? 'value' : 'structure';
    walk.fail(kind, `"${p.element}" must be ${primitive.wants}; it is ${shown(value)}.`);
  } else if (binding !== undefined)
    walk.fail('code-invalid', `"${p.element}" must be ${binding.wants}; it is ${shown(value)}.`);
}

/** FHIR R4 references.html: a relative reference shows its type, and the definition may not allow that type. */
function checkTarget(reference: Obj, targets: readonly string[]): void {
  const text = reference['reference'];
  if (typeof text !== 'string') return;
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (text.charCodeAt(target.length) === SLASH && text.startsWith(target)) return;
  }
  const type = text.slice(0, Math.max(text.indexOf('/'), 0));
  if (isResourceType(type))
    walk.fail('structure', `A reference to ${type} is not allowed here, only to ${targets.join(', ')}.`, 'reference');
}

function checkValue(value: unknown, p: Property): void {
  if (p.primitive !== undefined) {
    checkPrimitive(value, p);
    return;
  }
  if (!isObject(value)) {
    walk.fail('structure', `"${p.name}" must be an object; it is ${shown(value)}.`);
    return;
  }
  if (p.isResource) {
    checkResource(value, p.element === 'contained');
    return;
  }
  const before = walk.errors;
  checkObject(value, planOfProperty(p), p.isSibling);
  if (walk.errors !== before) return;
  if (p.targets !== undefined) checkTarget(value, p.targets);
  if (p.binding !== undefined) checkConcept(value, p.type, p.binding, walk);
}

/** In the arrays of a primitive and of its sibling `null` fills the place of what only the other has. FHIR R4 json.html#primitive */
function otherHas(owner: Obj, p: Property, index: number): boolean {
  if (p.sibling === undefined) return false;
  const other = owner[p.sibling];
  return Array.isArray(other) && other[index] !== undefined && other[index] !== null;
}

function checkArray(value: unknown, p: Property, owner: Obj): void {
  if (!Array.isArray(value)) {
    walk.fail('structure', `"${p.name}" repeats and must be an array; it is ${shown(value)}.`);
    return;
  }
  if (value.length === 0) walk.fail('structure', `"${p.name}" is an empty array. Leave it out.`);
  for (let i = 0; i < value.length && walk.errors < limits.validationIssuesMax; i++) {
    walk.at(i);
    const item: unknown = value[i];
    if (item !== null) checkValue(item, p);
    else if (!otherHas(owner, p, i)) walk.fail('structure', `An item of "${p.name}" is null. Leave it out.`);
  }
}

/** A choice was met twice: fine for a primitive and its sibling, else two values. */
function checkChoice(owner: Obj, plan: Plan, p: Property): void {
  for (const name in owner) {
    const other = plan.properties.get(name);
    if (other === undefined || other.element !== p.element || other.suffix === p.suffix) continue;
    if (owner[name] === undefined) continue;
    walk.fail(
      'structure',
      `Only one "${p.element}[x]" may be there; "${other.name}" and "${p.name}" both are.`,
      p.element,
    );
    return;
  }
}

function reportMissing(plan: Plan, seen: number): void {
  for (const { element, bit, names } of plan.requiredElements)
    if ((seen & bit) === 0)
      walk.fail(
        'required',
        `${plan.name} needs "${names.length > 4 ? `${element}[x]` : names.join('" or "')}".`,
        element,
      );
}

function reportUnknown(plan: Plan, name: string): void {
  const like = [...plan.properties.values()].find((p) => p.choice && name.startsWith(p.element));
  const advice = like === undefined ? 'Take it out or use an extension.' : `"${like.element}[x]" has other types.`;
  walk.failMember('structure', `${plan.name} has no element "${name.slice(0, 64)}". ${advice}`, name);
}

function checkMember(owner: Obj, value: unknown, p: Property): void {
  walk.enter(p.element);
  if (p.many) checkArray(value, p, owner);
  else if (Array.isArray(value)) walk.fail('structure', `"${p.name}" does not repeat and must not be an array.`);
  else if (value === null) walk.fail('structure', `"${p.name}" is null. Leave it out.`);
  else checkValue(value, p);
  walk.leave();
}

function checkObject(object: Obj, plan: Plan, isSibling = false): void {
  // parseResource refuses deeper text; this holds for objects that were made otherwise.
  if (walk.depth > limits.jsonDepthMax) {
    walk.fail('structure', `The resource is nested deeper than ${limits.jsonDepthMax} levels.`);
    return;
  }
  const before = walk.errors;
  let seen = 0;
  let members = 0;
  for (const name in object) {
    const value = object[name];
    // Not in JSON; in an object that code made it says the same as no member.
    if (value === undefined) continue;
    const guess = plan.lastOrder[members];
    const p = guess !== undefined && guess.name === name ? guess : plan.properties.get(name);
    if (p !== guess && members < plan.properties.size) plan.lastOrder[members] = p;
    members++;
    if (p === undefined) {
      if (name !== 'resourceType' || !plan.isResource) reportUnknown(plan, name);
      if (walk.errors >= limits.validationIssuesMax) return;
      continue;
    }
    if (p.bit !== 0) {
      if (p.choice && (seen & p.bit) !== 0) checkChoice(object, plan, p);
      seen |= p.bit;
    }
    checkMember(object, value, p);
    if (walk.errors >= limits.validationIssuesMax) return;
  }
  // ele-1: all elements must have a value or children. The sibling of a value may have an id only.
  if (members === 0 || (members === 1 && !plan.isResource && !isSibling && object['id'] !== undefined))
    walk.fail('structure', 'An element must have content besides an id. Leave it out.');
  if ((seen & plan.required) !== plan.required) reportMissing(plan, seen);
  if (walk.errors !== before) return;
  for (let i = 0; i < plan.rules.length; i++) {
    const rule = plan.rules[i]!;
    if (!rule.holds(object, walk)) walk.fail('invariant', `${rule.key}: ${rule.human}`);
  }
}

function resourcePlan(resource: Obj): Plan | undefined {
  const type = resource['resourceType'];
  if (typeof type !== 'string') walk.fail('structure', 'A resource needs "resourceType".');
  else if (!isResourceType(type)) walk.fail('structure', `R4 has no resource type ${shown(type)}.`);
  else return planOf(type);
  return undefined;
}

/** A resource in a place that takes any: `contained`, `Bundle.entry.resource`, `Parameters.parameter.resource`. */
function checkResource(resource: Obj, contained: boolean): void {
  const plan = resourcePlan(resource);
  if (plan === undefined) return;
  if (contained && walk.contained) {
    walk.fail('invariant', 'dom-2: a contained resource must not contain resources itself.');
    return;
  }
  const { container, contained: outer } = walk;
  walk.contained = contained;
  if (!contained) walk.container = resource;
  checkWhole(resource, plan);
  walk.container = container;
  walk.contained = outer;
}

function checkWhole(resource: Obj, plan: Plan): void {
  const before = walk.errors;
  checkObject(resource, plan);
  if (walk.errors !== before) return;
  if (resource['contained'] !== undefined) checkContained(resource, walk);
  if (plan.name === 'Observation') checkVitalSigns(resource, walk);
}

/**
 * Checks a parsed resource, with everything in it. Never throws; at most `validationIssuesMax` issues, in the order of the
 * resource. Empty: it is valid. Warnings do not make it invalid. One call at a time: it is synchronous.
 */
export function validate(resource: Record<string, unknown>): readonly Issue[] {
  const type = resource['resourceType'];
  walk.start(resource, typeof type === 'string' ? type : 'Resource');
  const plan = resourcePlan(resource);
  if (plan !== undefined) checkWhole(resource, plan);
  return walk.finish();
}

/** @throws VitalwireError `resource.invalid` with all issues when one of them is an error. */
export function assertValid(resource: Record<string, unknown>): void {
  const issues = validate(resource);
  if (issues.length === 0) return;
  const error = issues.find((issue) => issue.severity === 'error');
  if (error === undefined) return;
  throw new VitalwireError('resource.invalid', error.details, {
    expression: error.expression,
    issues,
  });
}
