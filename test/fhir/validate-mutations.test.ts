/** Every place of every sample is broken in every way that its definition allows to predict; the error must name that place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate } from '../../src/fhir/validate.ts';
import { type Plan, type Property, planOf, planOfProperty } from '../../src/fhir/validate-plan.ts';
import { type Resource, samples } from '../support/resources.ts';

interface Place {
  readonly object: Resource;
  readonly plan: Plan;
  readonly path: string;
}

function objectsBelow(value: unknown, p: Property, path: string): Place[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => objectsBelow(item, p, `${path}[${i}]`));
  if (typeof value !== 'object' || value === null) return [];
  const object = value as Resource;
  return places(object, p.isResource ? (planOf(object['resourceType'] as string) as Plan) : planOfProperty(p), path);
}

function places(object: Resource, plan: Plan, path: string): Place[] {
  const below = Object.entries(object).flatMap(([name, value]) => {
    const p = plan.properties.get(name);
    return p === undefined ? [] : objectsBelow(value, p, `${path}.${p.element}`);
  });
  return [{ object, plan, path }, ...below];
}

/** Breaks the object, looks what is reported, and puts it right again. */
function broken(resource: Resource, object: Resource, change: (o: Resource) => void): string[] {
  const before = { ...object };
  change(object);
  const issues = validate(resource).filter((i) => i.severity === 'error');
  for (const key of Object.keys(object)) delete object[key];
  Object.assign(object, before);
  return issues.map((i) => i.expression[0] as string);
}

let checked = 0;
function expect(found: string[], path: string, what: string): void {
  checked++;
  assert.ok(
    found.some((f) => f === path || f.startsWith(`${path}[`)),
    `${what}: expected ${path}, found ${found.join('; ') || 'nothing'}`,
  );
}

for (const [n, resource] of samples().entries()) {
  const type = resource['resourceType'] as string;
  test(`sample ${n}, ${type}: every mutation is found where it is`, () => {
    for (const { object, plan, path } of places(resource, planOf(type) as Plan, type)) {
      expect(
        broken(resource, object, (o) => (o['notThere'] = 1)),
        `${path}.notThere`,
        'unknown',
      );
      for (const name of Object.keys(object)) {
        const p = plan.properties.get(name);
        if (p === undefined) continue;
        const at = `${path}.${p.element}`;
        expect(
          broken(resource, object, (o) => (o[name] = null)),
          at,
          `null for ${name}`,
        );
        expect(
          broken(resource, object, (o) => (o[name] = [])),
          at,
          `[] for ${name}`,
        );
        expect(
          broken(resource, object, (o) => (o[name] = p.many ? ((o[name] as unknown[])[0] ?? 1) : [o[name]])),
          at,
          'many',
        );
        const wrong = p.primitive === undefined ? 7 : { a: 1 };
        expect(
          broken(resource, object, (o) => (o[name] = p.many ? [wrong] : wrong)),
          at,
          `wrong type for ${name}`,
        );
        if (p.primitive === undefined && !p.isResource)
          expect(
            broken(resource, object, (o) => (o[name] = p.many ? [{}] : {})),
            at,
            `{} for ${name}`,
          );
      }
      for (const { element, names } of plan.requiredElements)
        expect(
          broken(resource, object, (o) => {
            for (const name of names) {
              delete o[name];
              delete o[`_${name}`];
            }
          }),
          `${path}.${element}`,
          'missing',
        );
    }
    assert.deepEqual(validate(resource), [], 'the sample is whole again');
  });
}

test('that was a lot', () => assert.ok(checked > 1500, `${checked} mutations`));
