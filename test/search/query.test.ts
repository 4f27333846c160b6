import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VitalwireError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import type { Filter } from '../../src/search/plan.ts';
import { accessOf, find, parse } from '../support/search.ts';

const fails = (type: string, query: string, code: string, over = {}): void =>
  assert.throws(() => parse(type, query, over), { name: 'VitalwireError', code }, query);

test('an unknown parameter: strict refuses, lenient leaves it out of self and says so', () => {
  fails('Patient', 'no-such-parameter=1', 'request.unsupported');
  const parsed = parse('Patient', 'no-such-parameter=1&gender=male&subject[$ne]=1&__proto__=x', { strict: false });
  assert.equal(parsed.self, 'gender=male');
  assert.deepEqual(parsed.ignored, ['no-such-parameter', 'subject[$ne]', '__proto__']);
});

test('an unknown modifier is refused, lenient or not, and the sentence says what there is', () => {
  for (const strict of [true, false]) {
    fails('Patient', 'gender:exactly=male', 'request.unsupported', { strict });
    for (const q of [
      'gender:in=urn:vs',
      'gender:text=m',
      'name:exactly=x',
      'birthdate:not=2020',
      'identifier:of-type=a|b|c',
    ])
      fails('Patient', q, 'request.unsupported', { strict });
    for (const q of [
      'value-quantity:exact=1',
      'subject:Patience=1',
      'subject:not=Patient/1',
      'code:above=x',
      '_id:exact=1',
    ])
      fails('Observation', q, 'request.unsupported', { strict });
  }
  assert.throws(() => parse('Patient', 'gender:in=x'), /:not, :missing/);
});

test('what would change the answer and cannot be evaluated is refused, lenient too', () => {
  for (const q of [
    '_text=x',
    '_content=x',
    '_filter=a eq b',
    '_list=1',
    '_query=x',
    '_type=Patient',
    '_contained=true',
  ])
    fails('Patient', q, 'request.unsupported', { strict: false });
  fails('Location', 'near=1|2', 'request.unsupported', { strict: false });
});

test('junk is refused with the name of the parameter', () => {
  const junk = [
    '_count=-1',
    '_count=1.5',
    '_count=abc',
    '_count=',
    '_total=many',
    '_summary=yes',
    '_sort=no-such-thing',
    '_sort=code-value-quantity',
    '_sort=',
    '_elements=a b',
    'date=yesterday',
    'date=2026-02-30',
    'date=2026-13',
    'value-quantity=much',
    'value-quantity=5|urn:u',
    'value-quantity=5|a|b|c',
    'value-quantity=5|urn:u|',
    'code=|',
    'code=a|b|c',
    'code=,',
    'code=a,,b',
    'subject=%23x',
    'subject=a b',
    'subject:Patient=Device/1',
    'code:missing=maybe',
    'code-value-quantity=1',
    'code-value-quantity=1$2$3',
    'code=%00',
    'code%00=1',
    '_include=Observation',
    '_include=Nothing:subject',
    '_include=Observation:code',
    '_include=Observation:subject:Encounter',
    '_lastUpdated=now',
    'code=%E0%A4%A',
    '_count=1&_count=2',
  ];
  for (const q of junk.filter((j) => !/^_(count|sort)=$/.test(j))) fails('Observation', q, 'request.value');
  fails('Observation', '_revinclude=*', 'request.unsupported');
  fails('Observation', '_include:recurse=Observation:subject', 'request.unsupported');
  assert.throws(
    () => parse('Observation', 'date=yesterday'),
    (e: Error & { options: { expression: string[] } }) => {
      assert.deepEqual(e.options.expression, ['http.date']);
      return /^date: "yesterday" is not a date/.test(e.message);
    },
  );
});

test('an empty value is as good as no parameter, but not in a condition', () => {
  assert.equal(parse('Patient', 'identifier=&gender&name=x').self, 'name=x');
  for (const q of [
    'identifier=',
    'identifier=1&name=',
    'no-such-parameter=1',
    '',
    '_count=5',
    'identifier=1&_sort=name',
    '_format=json',
  ])
    assert.throws(() => parse('Patient', q, { conditional: true, strict: false }), { name: 'VitalwireError' }, q);
  assert.equal(parse('Patient', 'identifier=1&_format=json', { conditional: true }).self, 'identifier=1');
});

test('_count: the default, lowered above the maximum, and none is a count', () => {
  assert.equal(parse('Patient', '').plan.count, limits.pageEntriesDefault);
  const lowered = parse('Patient', '_count=5000');
  assert.deepEqual([lowered.plan.count, lowered.self], [1000, '_count=1000']);
  for (const q of ['_count=0', '_summary=count', '_summary=count&_count=7']) {
    const { plan } = parse('Patient', q);
    assert.deepEqual([plan.count, plan.total], [0, true], q);
  }
  assert.equal(parse('Patient', '_total=accurate').plan.total, true);
  assert.equal(parse('Patient', '_total=none').plan.total, false);
});

test('_sort, _elements, _include, _revinclude', () => {
  const parsed = parse(
    'Observation',
    '_sort=-date,status,-date&_elements=code,value&_include=Observation:subject:Patient&_include:iterate=Device:patient&_include=*&_revinclude=Provenance:target',
  );
  assert.deepEqual(parsed.plan.sort, [
    { param: 'date', type: 'date', descending: true },
    { param: 'status', type: 'token', descending: false },
  ]);
  assert.deepEqual(parsed.elements, ['code', 'value']);
  assert.deepEqual(parsed.includes, [
    { source: 'Observation', param: 'subject', target: 'Patient', iterate: false },
    { source: 'Device', param: 'patient', iterate: true },
    { source: 'Observation', param: '*', iterate: false },
  ]);
  assert.deepEqual(parsed.revincludes, [{ source: 'Provenance', param: 'target', iterate: false }]);
});

test('the plan: AND by repetition, OR by comma, a bare id gets the only type it can have', () => {
  const { filter } = parse('Observation', 'patient=p1&status=final,amended').plan;
  assert.deepEqual(filter, {
    op: 'and',
    of: [
      { op: 'reference', param: 'patient', type: 'Patient', id: 'p1' },
      {
        op: 'or',
        of: ['final', 'amended'].map((code) => ({ op: 'token', param: 'status', system: undefined, code })),
      },
    ],
  });
});

const patients = [
  { resourceType: 'Patient', id: 'p1', name: [{ family: 'Nagy' }] },
  { resourceType: 'Patient', id: 'p2', name: [{ family: 'Kiss' }] },
  { resourceType: 'Device', id: 'd1', patient: { reference: 'Patient/p1' }, deviceName: [{ name: 'Nagy' }] },
  {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    subject: { reference: 'Patient/p1' },
    device: { reference: 'Device/d1' },
  },
  { resourceType: 'Observation', id: 'o2', status: 'amended', subject: { reference: 'Patient/p2' } },
  { resourceType: 'Observation', id: 'o3', status: 'final', subject: { reference: 'Patient/gone' } },
];

test('chains, with and without type, through several references, and _has, nested', () => {
  assert.equal(find('Observation', 'subject:Patient.name=nagy', patients), 'o1');
  assert.equal(find('Observation', 'patient.family=kiss', patients), 'o2');
  assert.equal(find('Observation', 'subject.name=nagy', patients), 'o1');
  assert.equal(find('Observation', 'device:Device.patient.name:exact=Nagy', patients), 'o1');
  assert.equal(find('Observation', 'subject:Patient.name:missing=false&_sort=_id', patients), 'o1 o2');
  assert.equal(find('Observation', 'subject:Patient._id=p2', patients), 'o2');
  assert.equal(find('Patient', '_has:Observation:patient:status=final', patients), 'p1');
  assert.equal(find('Patient', '_has:Observation:subject:status=final,amended&_sort=_id', patients), 'p1 p2');
  assert.equal(find('Patient', '_has:Device:patient:_has:Observation:device:status=final', patients), 'p1');
  assert.equal(find('Observation', 'patient._has:Device:patient:device-name=nagy', patients), 'o1');
});

test('an untyped chain goes through the types that can be followed to the end', () => {
  const worn = {
    resourceType: 'DeviceUseStatement',
    id: 'u1',
    subject: { reference: 'Patient/p1' },
    device: { reference: 'Device/d1' },
  };
  // DeviceUseStatement.patient may lead to a Group, to which no Device points.
  const query = 'patient._has:Device:patient:device-name=nagy';
  assert.equal(find('DeviceUseStatement', query, [...patients, worn]), 'u1');
});

test('a chain that cannot be followed is refused', () => {
  for (const q of [
    'status.x=1',
    'subject:Encounter.status=1',
    'subject:Patient.nothing=1',
    'subject:Patient.=1',
    'focus.identifier=1',
    '_has:Device:patient:status=1',
    '_has:Nothing:patient:x=1',
    '_has:Observation:derived-from=1',
    '_has:Observation:derived-from:nothing=1',
  ])
    fails('Observation', q, 'request.value', { strict: false });
  fails('Observation', `${'derived-from:Observation.'.repeat(5)}status=final`, 'request.too-many');
});

test('each hop carries the access filter of its type; a type that may not be searched is 403', () => {
  const only: Filter = { op: 'id', ids: ['p2'] };
  const accessFor = (type: string) => (type === 'Patient' ? accessOf('Patient', only) : undefined);
  const { filter } = parse('Observation', 'subject.name=nagy', { accessFor }).plan;
  assert.equal(filter.op, 'chain');
  assert.deepEqual(filter.op === 'chain' && filter.access?.filter, only);
  fails('Observation', 'device:Device.device-name=x', 'auth.forbidden', { accessFor });
  fails('Patient', '_has:Observation:patient:status=final', 'auth.forbidden', { accessFor });
  fails('Observation', 'subject.name=x', 'auth.forbidden', { accessFor: () => undefined });
});

test('bounds: parameters, values, sort keys', () => {
  fails('Patient', 'name=a&'.repeat(limits.searchParametersMax + 1), 'request.too-many');
  fails('Patient', `_id=${'a,'.repeat(limits.searchValuesMax)}a`, 'request.too-many');
  fails('Patient', '_sort=name,family,given,gender,birthdate,active,email,phone,telecom', 'request.too-many');
});

test('self is the search as understood: parsing it again gives the same plan', () => {
  const query = 'date=ge2026-04-02T02:30:00%2B02:00&name=x';
  const { self } = parse('Observation', query, { strict: false });
  assert.equal(self, 'date=ge2026-04-02T02:30:00%2B02:00');
  assert.equal(parse('Patient', 'name=a%26b%3Dc&_count=3').self, 'name=a%26b%3Dc&_count=3');
});

test('whatever is sent, it is a search or a refusal', () => {
  const names = ['code', 'date', 'value-quantity', 'subject', '_has:Observation:derived-from', 'subject:Patient.name'];
  const shapes = ['_sort', '_count', '_include', '_cursor', 'code-value-quantity', '_id', '_elements', '_lastUpdated'];
  const junk = fc.string({ unit: 'binary' });
  const pair = fc
    .tuple(fc.constantFrom(...names, ...shapes), junk)
    .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`);
  fc.assert(
    fc.property(fc.oneof(junk, pair), (query) => {
      try {
        assert.equal(parse('Observation', query).plan.type, 'Observation');
      } catch (error) {
        assert.ok(error instanceof VitalwireError && error.status < 500, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
