import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VitalwireError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { resourceTypes } from '../../src/fhir/definitions.ts';
import { assertValid, validate } from '../../src/fhir/validate.ts';
import { bloodPressure, heartRate, patient, type Resource, sample, samples, T, UCUM } from '../support/resources.ts';

const UUID = 'urn:uuid:7f4d2a10-5f1c-4d1e-9b57-9c1d4d3a1e21';
const name = (over: Resource): Resource => patient({ name: [{ family: 'A' }, over] });
const observation = (over: Resource): Resource => sample('Observation', over);
const bundle = (over: Resource): Resource => ({ resourceType: 'Bundle', type: 'collection', ...over });
const entry = { fullUrl: UUID, resource: { resourceType: 'Basic', code: { text: 'x' } } };
const device = (over: Resource = {}): Resource => ({ resourceType: 'Device', id: 'd', ...over });
const without = (resource: Resource, key: string): Resource => {
  const { [key]: _, ...rest } = resource;
  return rest;
};
const item = (over: Resource): Resource =>
  sample('Questionnaire', { item: [{ linkId: '1', type: 'string', ...over }] });
const ext = (over: Resource): Resource => patient({ extension: [{ url: 'urn:a', ...over }] });

/** [what is wrong, resource, expression, issue code] */
const BROKEN: readonly [string, Resource, string, string][] = [
  ['an unknown element', patient({ shoeSize: 43 }), 'Patient.shoeSize', 'structure'],
  ['an unknown element below', name({ nick: 'a' }), 'Patient.name[1].nick', 'structure'],
  ['an unknown sibling', patient({ _shoeSize: {} }), 'Patient._shoeSize', 'structure'],
  ['a name that is no identifier', patient({ 'shoe size': 1 }), 'Patient.`shoe size`', 'structure'],
  [
    '__proto__',
    JSON.parse('{"resourceType":"Patient","__proto__":{"a":1}}') as Resource,
    'Patient.__proto__',
    'structure',
  ],
  ['constructor', patient({ constructor: 1 }), 'Patient.constructor', 'structure'],
  ['resourceType inside an element', name({ resourceType: 'HumanName' }), 'Patient.name[1].resourceType', 'structure'],
  ['a sibling of a complex element', patient({ _name: [{ id: 'a' }] }), 'Patient._name', 'structure'],
  ['an element of another version of FHIR', patient({ animal: {} }), 'Patient.animal', 'structure'],
  ['an unknown type', { resourceType: 'Patience' }, 'Patience', 'structure'],
  ['an abstract type', { resourceType: 'DomainResource' }, 'DomainResource', 'structure'],
  ['a data type as resource', { resourceType: 'HumanName' }, 'HumanName', 'structure'],
  ['no type', {}, 'Resource', 'structure'],
  ['a code outside the binding', patient({ gender: 'f' }), 'Patient.gender', 'code-invalid'],
  ['a code of the binding in capitals', heartRate({ status: 'Final' }), 'Observation.status', 'code-invalid'],
  ['a code outside the binding, nested', name({ use: 'stage' }), 'Patient.name[1].use', 'code-invalid'],
  ['a number for a code', heartRate({ status: 1 }), 'Observation.status', 'value'],
  ['a media type', sample('Binary', { contentType: 'a b' }), 'Binary.contentType', 'code-invalid'],
  ['a language', patient({ language: 'german language' }), 'Patient.language', 'code-invalid'],
  [
    'a concept outside the binding',
    sample('Condition', { clinicalStatus: { coding: [{ system: `${T}condition-clinical`, code: 'gone' }] } }),
    'Condition.clinicalStatus',
    'code-invalid',
  ],
  [
    'a concept with the code but another system',
    sample('Condition', { clinicalStatus: { coding: [{ system: 'urn:x', code: 'active' }] } }),
    'Condition.clinicalStatus',
    'code-invalid',
  ],
  [
    'text for a bound concept',
    sample('Condition', { clinicalStatus: { text: 'ill' } }),
    'Condition.clinicalStatus',
    'code-invalid',
  ],
  ['a string for a boolean', patient({ active: 'yes' }), 'Patient.active', 'value'],
  ['an object for a primitive', patient({ active: {} }), 'Patient.active', 'structure'],
  ['a string for an object', patient({ managingOrganization: 'Ward' }), 'Patient.managingOrganization', 'structure'],
  ['an array for a single element', patient({ gender: ['male'] }), 'Patient.gender', 'structure'],
  ['an object for an array', patient({ name: { family: 'A' } }), 'Patient.name', 'structure'],
  ['null', patient({ gender: null }), 'Patient.gender', 'structure'],
  ['null in an array of objects', patient({ name: [{ family: 'A' }, null] }), 'Patient.name[1]', 'structure'],
  ['null in an array of primitives', name({ given: ['A', null] }), 'Patient.name[1].given[1]', 'structure'],
  ['null on both sides', name({ given: [null], _given: [null] }), 'Patient.name[1].given[0]', 'structure'],
  ['an array in an array', patient({ name: [[{ family: 'A' }]] }), 'Patient.name[0]', 'structure'],
  ['an empty array', patient({ name: [] }), 'Patient.name', 'structure'],
  ['an empty object', patient({ name: [{}] }), 'Patient.name[0]', 'structure'],
  ['an object with an id only', patient({ name: [{ id: 'a' }] }), 'Patient.name[0]', 'structure'],
  ['an empty string', name({ family: '' }), 'Patient.name[1].family', 'value'],
  ['an empty sibling', patient({ _birthDate: {} }), 'Patient.birthDate', 'structure'],
  ['a sibling that is no object', patient({ _birthDate: '1980' }), 'Patient.birthDate', 'structure'],
  ['a sibling with other members', patient({ _birthDate: { value: '1980' } }), 'Patient.birthDate.value', 'structure'],
  [
    'an extended id of an element',
    name({ id: 'a', family: 'A', _id: { id: 'b' } }),
    'Patient.name[1]._id',
    'structure',
  ],
  ['a control character', name({ family: 'A\u0000B' }), 'Patient.name[1].family', 'value'],
  ['an id with a slash', patient({ id: 'a/b' }), 'Patient.id', 'value'],
  ['an id of 65 characters', patient({ id: 'a'.repeat(65) }), 'Patient.id', 'value'],
  ['a day that does not exist', patient({ birthDate: '2026-02-30' }), 'Patient.birthDate', 'value'],
  ['a month that does not exist', patient({ birthDate: '2026-13-45' }), 'Patient.birthDate', 'value'],
  ['29 February of no leap year', patient({ birthDate: '1900-02-29' }), 'Patient.birthDate', 'value'],
  ['a time in a date', patient({ birthDate: '2026-01-01T00:00:00Z' }), 'Patient.birthDate', 'value'],
  [
    'a dateTime without zone',
    heartRate({ effectiveDateTime: '2026-01-01T10:00:00' }),
    'Observation.effective',
    'value',
  ],
  [
    'a dateTime without seconds',
    heartRate({ effectiveDateTime: '2026-01-01T10:00Z' }),
    'Observation.effective',
    'value',
  ],
  ['24:00', heartRate({ effectiveDateTime: '2026-01-01T24:00:00Z' }), 'Observation.effective', 'value'],
  ['an instant that is a day', heartRate({ issued: '2026-01-01' }), 'Observation.issued', 'value'],
  [
    'a time of day with a zone',
    observation({ component: [{ code: { text: 'a' }, valueTime: '10:00:00Z' }] }),
    'Observation.component[0].value',
    'value',
  ],
  ['white space in a URI', patient({ implicitRules: 'http://a b' }), 'Patient.implicitRules', 'value'],
  ['white space around a code', sample('AuditEvent', { type: { code: ' rest' } }), 'AuditEvent.type.code', 'value'],
  ['base64 of a wrong length', sample('Binary', { data: 'abc' }), 'Binary.data', 'value'],
  ['base64 with padding inside', sample('Binary', { data: 'ab=c' }), 'Binary.data', 'value'],
  [
    '0 for a positiveInt',
    patient({ telecom: [{ system: 'fax', value: '1', rank: 0 }] }),
    'Patient.telecom[0].rank',
    'value',
  ],
  ['-1 for an unsignedInt', bundle({ type: 'searchset', total: -1 }), 'Bundle.total', 'value'],
  ['a fraction for an integer', patient({ multipleBirthInteger: 1.5 }), 'Patient.multipleBirth', 'value'],
  ['an integer of 33 bits', patient({ multipleBirthInteger: 2 ** 31 }), 'Patient.multipleBirth', 'value'],
  [
    'a decimal as a string',
    heartRate({ valueQuantity: { value: '66', system: UCUM, code: '/min' } }),
    'Observation.value.value',
    'value',
  ],
  [
    'a decimal without end',
    heartRate({ valueQuantity: { value: Number.POSITIVE_INFINITY } }),
    'Observation.value.value',
    'value',
  ],
  ['a UUID in capitals', ext({ valueUuid: UUID.replace('7f4d', '7F4D') }), 'Patient.extension[0].value', 'value'],
  ['an OID with a leading zero', ext({ valueOid: 'urn:oid:1.02' }), 'Patient.extension[0].value', 'value'],
  ['a narrative that is text', patient({ text: { status: 'generated', div: 'Cora' } }), 'Patient.text.div', 'value'],
  [
    'a narrative with a script',
    patient({ text: { status: 'generated', div: '<div><script>1</script></div>' } }),
    'Patient.text.div',
    'value',
  ],
  [
    'a narrative with an event',
    patient({ text: { status: 'generated', div: '<div><b onclick="x()">a</b></div>' } }),
    'Patient.text.div',
    'value',
  ],
  ['a missing element', without(heartRate(), 'code'), 'Observation.code', 'required'],
  ['a missing element of a resource', without(sample('Subscription'), 'channel'), 'Subscription.channel', 'required'],
  [
    'a missing element below',
    sample('Subscription', { channel: { endpoint: 'http://a' } }),
    'Subscription.channel.type',
    'required',
  ],
  [
    'a missing choice',
    without(sample('MedicationRequest'), 'medicationReference'),
    'MedicationRequest.medication',
    'required',
  ],
  ['a missing narrative', patient({ text: { status: 'empty' } }), 'Patient.text.div', 'required'],
  ['two values', heartRate({ valueString: 'a' }), 'Observation.value', 'structure'],
  [
    'two values, one as a sibling',
    heartRate({ _valueString: { extension: [{ url: 'a', valueCode: 'b' }] } }),
    'Observation.value',
    'structure',
  ],
  [
    'a type that the choice has not',
    heartRate({ valueAttachment: { title: 'a' } }),
    'Observation.valueAttachment',
    'structure',
  ],
  ['a choice without a type', without(heartRate({ value: 1 }), 'valueQuantity'), 'Observation.value', 'structure'],
  [
    'a reference to a wrong type',
    heartRate({ subject: { reference: 'Practitioner/1' } }),
    'Observation.subject.reference',
    'structure',
  ],
  [
    'one of several references to a wrong type',
    heartRate({ performer: [{ reference: 'Patient/1' }, { reference: 'Device/1' }] }),
    'Observation.performer[1].reference',
    'structure',
  ],
  ['a local reference to nothing', observation({ device: { reference: '#e' } }), 'Observation.device', 'invariant'],
  [
    'a contained resource that nothing refers to',
    without(observation({}), 'device'),
    'Observation.contained[0]',
    'invariant',
  ],
  [
    'a contained resource of an unknown type',
    observation({ contained: [{ resourceType: 'X', id: 'd' }] }),
    'Observation.contained[0]',
    'structure',
  ],
  [
    'a contained resource with a mistake',
    observation({ contained: [device({ status: 'on' })] }),
    'Observation.contained[0].status',
    'code-invalid',
  ],
  [
    'a contained resource that contains',
    observation({ contained: [device({ contained: [device()] })] }),
    'Observation.contained[0].contained[0]',
    'invariant',
  ],
  [
    'a contained resource with a version',
    observation({ contained: [device({ meta: { versionId: '1' } })] }),
    'Observation.contained[0]',
    'invariant',
  ],
  [
    'a contained resource with a label',
    observation({ contained: [device({ meta: { security: [{ code: 'R' }] } })] }),
    'Observation.contained[0]',
    'invariant',
  ],
  ['an extension without url', patient({ extension: [{ valueCode: 'a' }] }), 'Patient.extension[0].url', 'required'],
  [
    'an extension with value and extensions',
    ext({ valueCode: 'a', extension: [{ url: 'b', valueCode: 'c' }] }),
    'Patient.extension[0]',
    'invariant',
  ],
  ['an extension with neither', ext({}), 'Patient.extension[0]', 'invariant'],
  ['an extension with a wrong value', ext({ valueBoolean: 'true' }), 'Patient.extension[0].value', 'value'],
  ['obs-6', heartRate({ dataAbsentReason: { text: 'a' } }), 'Observation', 'invariant'],
  ['obs-7', heartRate({ component: [{ code: heartRate()['code'], valueString: 'a' }] }), 'Observation', 'invariant'],
  [
    'obs-3',
    observation({ referenceRange: [{ type: { text: 'normal' } }] }),
    'Observation.referenceRange[0]',
    'invariant',
  ],
  [
    'obs-3 by contentReference',
    observation({ component: [{ code: { text: 'a' }, referenceRange: [{ type: { text: 'a' } }] }] }),
    'Observation.component[0].referenceRange[0]',
    'invariant',
  ],
  [
    'per-1',
    patient({ identifier: [{ period: { start: '2021', end: '2020-12' } }] }),
    'Patient.identifier[0].period',
    'invariant',
  ],
  [
    'qty-3',
    observation({ referenceRange: [{ low: { value: 1, code: 'm' } }] }),
    'Observation.referenceRange[0].low',
    'invariant',
  ],
  [
    'sqty-1',
    observation({ referenceRange: [{ low: { value: 1, comparator: '<' } }] }),
    'Observation.referenceRange[0].low',
    'invariant',
  ],
  [
    'rng-2',
    observation({ component: [{ code: { text: 'a' }, valueRange: { low: { value: 2 }, high: { value: 1 } } }] }),
    'Observation.component[0].value',
    'invariant',
  ],
  [
    'rat-1',
    observation({ component: [{ code: { text: 'a' }, valueRatio: { numerator: { value: 2 } } }] }),
    'Observation.component[0].value',
    'invariant',
  ],
  ['age-1', sample('Condition', { onsetAge: { value: -1, system: UCUM, code: 'a' } }), 'Condition.onset', 'invariant'],
  ['cpt-2', patient({ telecom: [{ value: '1' }] }), 'Patient.telecom[0]', 'invariant'],
  ['pat-1', patient({ contact: [{ gender: 'male' }] }), 'Patient.contact[0]', 'invariant'],
  ['org-1', { resourceType: 'Organization', active: true }, 'Organization', 'invariant'],
  ['org-2', sample('Organization', { address: [{ use: 'home', city: 'a' }] }), 'Organization', 'invariant'],
  ['con-4', without(sample('Condition'), 'clinicalStatus'), 'Condition', 'invariant'],
  ['ait-1', without(sample('AllergyIntolerance'), 'verificationStatus'), 'AllergyIntolerance', 'invariant'],
  [
    'tim-1',
    sample('DeviceMetric', { measurementPeriod: { repeat: { duration: 1 } } }),
    'DeviceMetric.measurementPeriod.repeat',
    'invariant',
  ],
  [
    'que-2',
    sample('Questionnaire', {
      item: [
        { linkId: '1', type: 'string' },
        { linkId: '1', type: 'string' },
      ],
    }),
    'Questionnaire',
    'invariant',
  ],
  ['que-10', item({ type: 'date', maxLength: 3 }), 'Questionnaire.item[0]', 'invariant'],
  ['que-1', sample('Questionnaire', { item: [{ linkId: '1', type: 'group' }] }), 'Questionnaire.item[0]', 'invariant'],
  [
    'vsd-2',
    sample('ValueSet', { compose: { include: [{ valueSet: ['urn:a'], concept: [{ code: 'a' }] }] } }),
    'ValueSet.compose.include[0]',
    'invariant',
  ],
  ['inv-1 of Parameters', sample('Parameters', { parameter: [{ name: 'a' }] }), 'Parameters.parameter[0]', 'invariant'],
  [
    'inv-1 of a part',
    sample('Parameters', { parameter: [{ name: 'a', part: [{ name: 'b' }] }] }),
    'Parameters.parameter[0].part[0]',
    'invariant',
  ],
  [
    'inv-1 of Task',
    { resourceType: 'Task', status: 'draft', intent: 'order', authoredOn: '2026-02-02', lastModified: '2026-02-01' },
    'Task',
    'invariant',
  ],
  ['bdl-1', bundle({ total: 1 }), 'Bundle', 'invariant'],
  ['bdl-2', bundle({ entry: [{ ...entry, search: { mode: 'match' } }] }), 'Bundle', 'invariant'],
  ['bdl-3, missing', bundle({ type: 'batch', entry: [entry] }), 'Bundle.entry[0]', 'invariant'],
  [
    'bdl-3, too much',
    bundle({ entry: [{ ...entry, request: { method: 'GET', url: 'a' } }] }),
    'Bundle.entry[0].request',
    'invariant',
  ],
  ['bdl-4', bundle({ type: 'batch-response', entry: [entry] }), 'Bundle.entry[0]', 'invariant'],
  ['bdl-5', bundle({ entry: [{ fullUrl: UUID }] }), 'Bundle.entry[0]', 'invariant'],
  ['bdl-7', bundle({ entry: [entry, entry] }), 'Bundle.entry[1].fullUrl', 'invariant'],
  ['bdl-8', bundle({ entry: [{ ...entry, fullUrl: 'http://a/Basic/1/_history/1' }] }), 'Bundle.entry[0]', 'invariant'],
  ['bdl-9 to 11', bundle({ type: 'document', entry: [entry] }), 'Bundle', 'invariant'],
  ['bdl-12', bundle({ type: 'message', entry: [entry] }), 'Bundle', 'invariant'],
  ['null for a resource', bundle({ entry: [{ resource: null }] }), 'Bundle.entry[0].resource', 'structure'],
  ['null for an entry', bundle({ entry: [null] }), 'Bundle.entry[0]', 'structure'],
  [
    'a mistake in an entry',
    bundle({ entry: [{ resource: patient({ gender: 'f' }) }] }),
    'Bundle.entry[0].resource.gender',
    'code-invalid',
  ],
  [
    'a mistake in a parameter',
    sample('Parameters', { parameter: [{ name: 'a', resource: patient({ gender: 'f' }) }] }),
    'Parameters.parameter[0].resource.gender',
    'code-invalid',
  ],
  [
    'a local reference into another entry',
    bundle({ entry: [{ resource: observation({}) }, { resource: heartRate({ device: { reference: '#d' } }) }] }),
    'Bundle.entry[1].resource.device',
    'invariant',
  ],
  [
    'a vital sign in an entry',
    bundle({ entry: [{ resource: without(heartRate(), 'subject') }] }),
    'Bundle.entry[0].resource.subject',
    'required',
  ],
];

test('samples of many types are valid', () => {
  for (const resource of samples()) assert.deepEqual(validate(resource), [], resource['resourceType'] as string);
  assert.ok(new Set(samples().map((r) => r['resourceType'])).size > 20);
});

for (const [what, resource, expression, code] of BROKEN)
  test(`refused: ${what} (${expression})`, () => {
    const issues = validate(resource);
    const found = issues.map((i) => `${i.severity} ${i.code} ${i.expression.join()}`);
    assert.ok(
      found.includes(`error ${code} ${expression}`),
      `${found.join('; ')} for ${JSON.stringify(resource).slice(0, 200)}`,
    );
    for (const issue of issues) assert.match(issue.details, /^.{10,}[.)]?$/s);
  });

const VALID: readonly [string, Resource][] = [
  ['a type and nothing else', { resourceType: 'Patient' }],
  [
    'a required primitive that is only an extension',
    sample('Encounter', { status: undefined, _status: { extension: [{ url: 'urn:a', valueCode: 'unknown' }] } }),
  ],
  [
    'an array and its sibling of another length',
    name({ given: ['A'], _given: [null, { extension: [{ url: 'urn:a', valueCode: 'b' }] }] }),
  ],
  ['a sibling with an id only beside a value', patient({ _gender: { id: 'g' } })],
  ['a conditional reference', heartRate({ subject: { reference: 'Patient?identifier=1' } })],
  [
    'an absolute reference to any type',
    heartRate({ subject: { reference: 'https://example.org/fhir/Practitioner/1' } }),
  ],
  ['a logical reference', heartRate({ subject: { identifier: { value: '1' } } })],
  [
    'a local reference as #',
    observation({
      contained: [device({ note: [{ text: 'a', authorReference: { reference: '#' } }] })],
      device: { display: 'a' },
    }),
  ],
  ['a leap second', heartRate({ effectiveDateTime: '2016-12-31T23:59:60Z' })],
  [
    'a bound concept that only says why there is none',
    sample('Condition', {
      abatementString: undefined,
      clinicalStatus: { extension: [{ url: 'urn:a', valueCode: 'unknown' }] },
    }),
  ],
  [
    'a period whose precision leaves it open',
    patient({ identifier: [{ period: { start: '2020-05-10', end: '2020-05' } }] }),
  ],
  ['a no-break space in a string', name({ family: 'A\u00a0B' })],
  [
    'a fullUrl twice in a history',
    bundle({
      type: 'history',
      entry: [1, 2].map(() => ({ ...entry, request: { method: 'PUT', url: 'a' }, response: { status: '200' } })),
    }),
  ],
];
for (const [what, resource] of VALID)
  test(`taken: ${what}`, () => {
    assert.deepEqual(validate(resource), []);
  });

test('every resource type can be compiled, and an unknown element of each is refused', () => {
  for (const resourceType of resourceTypes()) {
    const issues = validate({ resourceType, notThere: 1 });
    assert.ok(
      issues.some((i) => i.expression[0] === `${resourceType}.notThere`),
      resourceType,
    );
  }
});

test('issues are bounded, and found in the order of the resource', () => {
  const many = patient({ name: Array.from({ length: 500 }, () => ({ use: 'x' })) });
  const issues = validate(many);
  assert.equal(issues.length, limits.validationIssuesMax);
  assert.equal(issues[7]?.expression[0], 'Patient.name[7].use');
});

test('a body full of mistakes costs no more than the first of them', () => {
  const unknown = Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`x${i}`, 1]));
  const bad = patient({ ...unknown, name: Array.from({ length: 300_000 }, () => 7) });
  const start = performance.now();
  for (let i = 0; i < 5; i++) assert.equal(validate(bad).length, limits.validationIssuesMax);
  assert.ok(performance.now() - start < 2000);
});

test('warnings do not crowd out an error', () => {
  const exam = heartRate({ category: undefined });
  const many = bundle({
    entry: [...Array.from({ length: 150 }, () => exam), patient({ gender: 'f' })].map((resource) => ({ resource })),
  });
  const issues = validate(many);
  assert.equal(issues.length, limits.validationIssuesMax);
  assert.equal(issues[0]?.expression[0], 'Bundle.entry[150].resource.gender');
  assert.throws(() => assertValid(many));
});

test('a nest that no text could have brought is an issue, not a stack overflow', () => {
  let extension: Resource = { url: 'a', valueCode: 'b' };
  for (let i = 0; i < 100_000; i++) extension = { url: 'a', extension: [extension] };
  assert.ok(validate(patient({ extension: [extension] })).some((i) => /nested deeper/.test(i.details)));
});

test('sentences show a value only in part', () => {
  const [issue] = validate(patient({ gender: 'x'.repeat(10_000) }));
  assert.ok((issue as { details: string }).details.length < 400);
});

test('assertValid throws all issues as one error, and not for a warning', () => {
  assert.throws(
    () => assertValid(patient({ gender: 'f', active: 1 })),
    (e) => e instanceof VitalwireError && e.code === 'resource.invalid' && e.options.issues?.length === 2,
  );
  assertValid(heartRate({ category: [{ coding: [{ system: `${T}observation-category`, code: 'exam' }] }] }));
  assertValid(bloodPressure());
});

test('never throws, whatever stands in a resource', () => {
  const keys = fc.constantFrom(
    'status',
    'code',
    'coding',
    'valueQuantity',
    'extension',
    'url',
    'contained',
    'entry',
    'resource',
    'component',
    'category',
    'meta',
    '_status',
    '__proto__',
    'resourceType',
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(null, '', 'a', '#', 0, -1.5, true, 'Patient', 'Bundle', 'vital-signs'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(
      fc.constantFrom('Observation', 'Bundle', 'Patient', 'Parameters'),
      fc.dictionary(keys, value, { maxKeys: 6 }),
      (type, members) => {
        assert.ok(Array.isArray(validate({ ...members, resourceType: type })));
      },
    ),
    { numRuns: 500 },
  );
});
