/** RFC 6902 on resource text: what applies, what is refused, and that untouched numbers keep their digits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VitalwireError } from '../../src/base/errors.ts';
import { parsePatch, patchText } from '../../src/rest/json-patch.ts';

const run = (text: string, ops: unknown): string => patchText(text, parsePatch(JSON.stringify(ops)), 10_000);
const code = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    if (error instanceof VitalwireError) return error.code;
    throw error;
  }
  return 'none';
};

const BASE = '{"a":{"b":[1,2,3]},"v":37.00,"x/y":1,"m~n":2}';
const applied: [what: string, ops: unknown, result: string][] = [
  ['add a member', [{ op: 'add', path: '/n', value: true }], '{"a":{"b":[1,2,3]},"v":37.00,"x/y":1,"m~n":2,"n":true}'],
  ['add into a list', [{ op: 'add', path: '/a/b/1', value: 9 }], '{"a":{"b":[1,9,2,3]},"v":37.00,"x/y":1,"m~n":2}'],
  ['append', [{ op: 'add', path: '/a/b/-', value: 9 }], '{"a":{"b":[1,2,3,9]},"v":37.00,"x/y":1,"m~n":2}'],
  ['remove from a list', [{ op: 'remove', path: '/a/b/0' }], '{"a":{"b":[2,3]},"v":37.00,"x/y":1,"m~n":2}'],
  ['replace in a list', [{ op: 'replace', path: '/a/b/2', value: 0 }], '{"a":{"b":[1,2,0]},"v":37.00,"x/y":1,"m~n":2}'],
  [
    'escaped names',
    [
      { op: 'remove', path: '/x~1y' },
      { op: 'remove', path: '/m~0n' },
    ],
    '{"a":{"b":[1,2,3]},"v":37.00}',
  ],
  ['move', [{ op: 'move', from: '/a/b', path: '/c' }], '{"a":{},"v":37.00,"x/y":1,"m~n":2,"c":[1,2,3]}'],
  [
    'copy is a value of its own',
    [
      { op: 'copy', from: '/a', path: '/c' },
      { op: 'remove', path: '/a/b/0' },
    ],
    '{"a":{"b":[2,3]},"v":37.00,"x/y":1,"m~n":2,"c":{"b":[1,2,3]}}',
  ],
  ['test compares numbers by value', [{ op: 'test', path: '/v', value: 37 }], BASE],
  ['test compares deeply', [{ op: 'test', path: '/a', value: { b: [1, 2, 3] } }], BASE],
];

test('operations apply and leave the rest to the digit', () => {
  for (const [what, ops, result] of applied) assert.equal(run(BASE, ops), result, what);
});

test('the digits of a value that is set are kept', () => {
  const ops = parsePatch('[{"op":"replace","path":"/v","value":36.50}]');
  assert.equal(patchText('{"v":37.00}', ops, 100), '{"v":36.50}');
});

const refused: [what: string, ops: unknown, code: string][] = [
  ['no array', {}, 'request.invalid'],
  ['an item that is no object', [null], 'request.invalid'],
  ['an unknown operation', [{ op: 'merge', path: '/a' }], 'request.invalid'],
  ['no value', [{ op: 'add', path: '/a' }], 'request.invalid'],
  ['no path', [{ op: 'remove' }], 'request.invalid'],
  ['a path without slash', [{ op: 'remove', path: 'a' }], 'request.invalid'],
  ['the prototype', [{ op: 'add', path: '/__proto__/polluted', value: 1 }], 'request.invalid'],
  ['a path to nowhere', [{ op: 'replace', path: '/z', value: 1 }], 'resource.rule'],
  ['an index past the end', [{ op: 'add', path: '/a/b/4', value: 1 }], 'resource.rule'],
  ['an index with a leading zero', [{ op: 'remove', path: '/a/b/01' }], 'resource.rule'],
  ['a path into a number', [{ op: 'add', path: '/v/w', value: 1 }], 'resource.rule'],
  ['a path into an inherited member', [{ op: 'test', path: '/a/toString', value: 1 }], 'resource.rule'],
  ['a move into itself', [{ op: 'move', from: '/a', path: '/a/b' }], 'resource.rule'],
  ['a failed test', [{ op: 'test', path: '/v', value: 38 }], 'resource.rule'],
  ['the whole resource', [{ op: 'remove', path: '' }], 'resource.rule'],
];

test('what cannot be applied is refused, malformed as 400, inapplicable as 422', () => {
  for (const [what, ops, expected] of refused)
    assert.equal(
      code(() => run(BASE, ops)),
      expected,
      what,
    );
  assert.equal(
    code(() => parsePatch('[')),
    'request.malformed',
  );
});

test('a failed test late in the list leaves nothing applied', () => {
  const text = '{"a":1}';
  assert.equal(
    code(() =>
      run(text, [
        { op: 'add', path: '/b', value: 2 },
        { op: 'test', path: '/a', value: 9 },
      ]),
    ),
    'resource.rule',
  );
  assert.equal(text, '{"a":1}');
});

test('copies that double the whole again and again are stopped', () => {
  const doubling = Array.from({ length: 60 }, (_, n) => ({ op: 'copy', from: '', path: `/c${n}` }));
  assert.equal(
    code(() => run(BASE, doubling)),
    'request.too-large',
  );
});
