import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VitalwireError } from '../../src/base/errors.ts';
import { countMembers, itemsAt, membersAt, parseKeepingNumbers, shapeOf } from '../../src/base/json.ts';

const odd = fc.jsonValue({ maxDepth: 6 });
const spaced = fc.tuple(odd, fc.constantFrom(undefined, 1, '\t', '  '));

test('shapeOf agrees with the parsed value on any JSON, with any white space', () => {
  const depthOf = (v: unknown): number =>
    typeof v === 'object' && v !== null ? 1 + Math.max(0, ...Object.values(v).map(depthOf)) : 0;
  fc.assert(
    fc.property(spaced, ([value, space]) => {
      const text = JSON.stringify(value, null, space);
      const shape = shapeOf(text, 1000);
      assert.equal(shape.members, countMembers(JSON.parse(text)));
      assert.equal(shape.depth, depthOf(JSON.parse(text)));
    }),
  );
});

test('membersAt and itemsAt find every member and item of any JSON', () => {
  fc.assert(
    fc.property(spaced, ([value, space]) => {
      const text = JSON.stringify(value, null, space);
      const again = (at: string): unknown => {
        if (at.startsWith('{'))
          return Object.fromEntries(membersAt(at).map((m) => [m.name, again(at.slice(m.valueStart, m.valueEnd))]));
        if (at.startsWith('[')) return itemsAt(at).map(([start, end]) => again(at.slice(start, end)));
        return JSON.parse(at);
      };
      const parsed = JSON.parse(text);
      if (!JSON.stringify(parsed).includes('__proto__')) assert.deepEqual(again(text), parsed);
    }),
  );
});

test('a name that stands twice shows as a missing member', () => {
  const text = '{"a":1,"b":{"c":1,"c":2}}';
  assert.equal(shapeOf(text, 10).members, 4);
  assert.equal(countMembers(JSON.parse(text)), 3);
});

test('40,000 levels are refused without recursion', () => {
  const text = '['.repeat(40_000) + ']'.repeat(40_000);
  assert.throws(
    () => shapeOf(text, 100),
    (e: unknown) => e instanceof VitalwireError && e.code === 'request.too-deep',
  );
});

test('parseKeepingNumbers gives every number back as it was written', () => {
  for (const n of ['37.00', '0.50', '1.0E1', '-0.0310', '123456789012345678.90', '1e-7', '0', '-0.0', '5'])
    assert.equal(JSON.stringify(parseKeepingNumbers(`{"value":${n}}`)), `{"value":${n}}`);
});
