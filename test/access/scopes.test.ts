import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Letter, Scope } from '../../src/access/principal.ts';
import { covers, isAdministrator, LETTERS, parseScope, parseScopes } from '../../src/access/scopes.ts';

const parse = (text: string): Scope => {
  const scope = parseScope(text);
  assert.ok(scope, `${text} is not understood`);
  return scope;
};
const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';

describe('the grammar of scopes', () => {
  const understood: [string, string, (readonly [string, string][])?][] = [
    ['system/*.cruds', 'cruds'],
    ['system/Observation.rs', 'rs'],
    ['patient/Patient.r', 'r'],
    ['user/DeviceUseStatement.cud', 'cud'],
    ['system/Observation.read', 'rs'],
    ['system/Observation.write', 'cud'],
    ['system/*.*', 'cruds'],
    ['system/Observation.*', 'cruds'],
    [`system/Observation.rs?category=${CATEGORY}|vital-signs`, 'rs', [['category', `${CATEGORY}|vital-signs`]]],
    [
      'system/Observation.c?device=Device%2Fd1&status=final,amended',
      'c',
      [
        ['device', 'Device/d1'],
        ['status', 'final,amended'],
      ],
    ],
    ['system/Observation.rs?code=a%26b%3Dc', 'rs', [['code', 'a&b=c']]],
    ['system/Patient.rs?_security=http://x.example/s|R', 'rs', [['_security', 'http://x.example/s|R']]],
    ['system/*.rs?_tag=red', 'rs', [['_tag', 'red']]],
    ['system/Observation.read?status=final', 'rs', [['status', 'final']]],
  ];
  for (const [text, letters, params = []] of understood)
    test(`${text} is understood`, () => {
      const scope = parse(text);
      assert.equal(scope.text, text);
      assert.equal([...scope.letters].join(''), letters);
      assert.deepEqual(scope.params, params);
    });

  const refused = [
    '',
    'openid',
    'launch/patient',
    'system/Observation',
    'system/Observation.',
    'system/Observation.sr',
    'system/Observation.dus',
    'system/Observation.rr',
    'system/Observation.x',
    'system/Observation.READ',
    'System/Observation.r',
    'system/observation.r',
    'system/Observatory.r',
    'system/.r',
    'org/Observation.r',
    'system/Observation.r?',
    'system/Observation.r?category',
    'system/Observation.r?category=',
    'system/Observation.r?=x',
    'system/Observation.r?colour=red',
    'system/Observation.r?code:not=x',
    'system/Observation.r?subject.name=x',
    'system/Observation.r?subject:Patient=p1',
    'system/Observation.r?_filter=x',
    'system/Observation.r?_has:Provenance:target:agent=x',
    'system/Observation.r?_list=x',
    'system/Observation.r?_lastUpdated=ge2020',
    'system/Observation.r?category=%zz',
    'system/Observation.r?category=x&',
    'system/*.r?category=x',
    'system/Observation.rs system/Patient.rs',
    'system/Observation.rs\n',
  ];
  for (const text of refused)
    test(`${JSON.stringify(text)} is not a scope for resources`, () => assert.equal(parseScope(text), undefined));

  test('every set of letters in order is understood as those letters, every other order as nothing', () => {
    const any = fc.shuffledSubarray([...LETTERS], { minLength: 1 });
    fc.assert(
      fc.property(any, (letters) => {
        const sorted = LETTERS.filter((l) => letters.includes(l));
        assert.deepEqual([...parse(`system/Patient.${sorted.join('')}`).letters], sorted);
        if (letters.join('') !== sorted.join(''))
          assert.equal(parseScope(`system/Patient.${letters.join('')}`), undefined);
      }),
    );
  });

  test('in a scope string what is not for resources is left out', () => {
    const scopes = parseScopes('openid system/Patient.r  launch/patient patient/Observation.rs');
    assert.deepEqual(
      scopes.map((s) => s.text),
      ['system/Patient.r', 'patient/Observation.rs'],
    );
  });
});

describe('what is registered covers', () => {
  const cases: [registered: string, asked: string, covered: boolean][] = [
    ['system/*.cruds', 'system/Observation.rs', true],
    ['system/*.cruds', 'system/*.*', true],
    ['system/*.*', 'system/*.cruds', true],
    ['system/*.rs', 'system/Patient.read', true],
    ['system/*.rs', 'system/Patient.c', false],
    ['system/Observation.rs', 'system/*.rs', false],
    ['system/Observation.rs', 'system/Patient.rs', false],
    ['system/Observation.rs', 'system/Observation.cruds', false],
    ['system/Observation.rs system/Observation.cud', 'system/Observation.cruds', true],
    ['system/Observation.r system/*.s', 'system/Observation.rs', true],
    ['system/*.cruds', 'patient/Observation.rs', false],
    ['user/*.cruds', 'patient/Observation.rs', false],
    ['patient/*.rs', 'user/Observation.rs', false],
    ['system/Observation.rs', 'system/Observation.rs?status=final', true],
    ['system/Observation.rs?status=final', 'system/Observation.rs', false],
    ['system/Observation.rs?status=final', 'system/Observation.rs?status=final', true],
    ['system/Observation.rs?status=final', 'system/Observation.rs?status=amended', false],
    ['system/Observation.rs?status=final', 'system/Observation.rs?status=final,amended', false],
    ['system/Observation.rs?status=final', 'system/Observation.r?code=x&status=final', true],
    ['system/Observation.rs?status=final&code=x', 'system/Observation.rs?status=final', false],
    ['system/Observation.r?status=final system/Observation.s', 'system/Observation.rs', false],
    ['system/*.rs?_tag=red', 'system/Observation.rs', false],
    ['system/*.rs?_tag=red', 'system/Observation.rs?_tag=red', true],
  ];
  for (const [registered, asked, covered] of cases)
    test(`${registered} ${covered ? 'covers' : 'does not cover'} ${asked}`, () =>
      assert.equal(covers(parseScopes(registered), parse(asked)), covered));
});

test('an administrator holds all letters of all types in one scope without restriction', () => {
  const is = (text: string): boolean => isAdministrator(parseScopes(text));
  assert.equal(is('system/*.cruds'), true);
  assert.equal(is('system/*.*'), true);
  assert.equal(is('system/Patient.r system/*.cruds'), true);
  for (const text of [
    'system/*.rs',
    'user/*.cruds',
    'patient/*.cruds',
    'system/*.cruds?_tag=red',
    'system/Patient.cruds',
    '',
  ])
    assert.equal(is(text), false, text);
  const letters: Letter[] = ['c', 'r', 'u', 'd'];
  assert.equal(is(`system/*.${letters.join('')}`), false);
});
