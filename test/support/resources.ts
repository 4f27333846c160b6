/** Small valid R4 resources of many types, one of each kind of structure: the validator's own ground, without any other data. */
export type Resource = Record<string, unknown>;

export const T = 'http://terminology.hl7.org/CodeSystem/';
export const UCUM = 'http://unitsofmeasure.org';
export const LOINC = 'http://loinc.org';

const loinc = (code: string): Resource => ({ coding: [{ system: LOINC, code }] });
const quantity = (value: number, code: string): Resource => ({ value, unit: code, system: UCUM, code });

export const vitalSign = (code: string, value: Resource, over: Resource = {}): Resource => ({
  resourceType: 'Observation',
  status: 'final',
  category: [{ coding: [{ system: `${T}observation-category`, code: 'vital-signs' }] }],
  code: loinc(code),
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: '2026-05-04T06:07:08.120+02:00',
  ...value,
  ...over,
});

export const heartRate = (over: Resource = {}): Resource =>
  vitalSign('8867-4', { valueQuantity: quantity(66, '/min') }, over);

export const bloodPressure = (over: Resource = {}): Resource =>
  vitalSign(
    '85354-9',
    {
      component: [
        { code: loinc('8480-6'), valueQuantity: quantity(120, 'mm[Hg]') },
        { code: loinc('8462-4'), dataAbsentReason: { coding: [{ system: `${T}data-absent-reason`, code: 'error' }] } },
      ],
    },
    over,
  );

export const patient = (over: Resource = {}): Resource => ({
  resourceType: 'Patient',
  id: 'p1',
  meta: { profile: ['http://example.org/StructureDefinition/patient'], tag: [{ system: 'urn:example', code: 'a' }] },
  language: 'de-CH',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>Cora <b>Test</b></p></div>' },
  extension: [{ url: 'urn:example:ext', valueCode: 'x' }],
  identifier: [
    { use: 'official', system: 'urn:oid:2.16.756.5.30', value: '1', period: { start: '2020', end: '2020-05' } },
  ],
  active: true,
  name: [
    {
      family: 'Test',
      given: ['Cora', null],
      _given: [null, { extension: [{ url: 'urn:example:initial', valueString: 'C' }] }],
    },
    { use: 'maiden', text: 'Cora' },
  ],
  telecom: [{ system: 'phone', value: '+41 44 000 00 00', use: 'home', rank: 1 }],
  gender: 'female',
  birthDate: '1980-02-29',
  _birthDate: {
    extension: [
      { url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime', valueDateTime: '1980-02-29T14:35:45+01:00' },
    ],
  },
  deceasedBoolean: false,
  address: [{ use: 'home', type: 'both', line: ['Street 1'], city: 'Zürich', country: 'CH' }],
  multipleBirthInteger: 2,
  contact: [{ relationship: [{ text: 'mother' }], name: { family: 'Test' } }],
  communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'de' }] }, preferred: true }],
  managingOrganization: { reference: 'Organization/o1', display: 'Ward' },
  link: [{ other: { reference: 'Patient/p2' }, type: 'seealso' }],
  ...over,
});

const others: readonly Resource[] = [
  {
    resourceType: 'Observation',
    contained: [{ resourceType: 'Device', id: 'd', status: 'active', serialNumber: '1' }],
    status: 'preliminary',
    code: { text: 'ECG' },
    device: { reference: '#d' },
    effectivePeriod: { start: '2026-05-04T06:07:08Z', end: '2026-05-04T06:07:18Z' },
    valueSampledData: { origin: { value: 0 }, period: 4, dimensions: 1, data: '1 2 E U' },
    referenceRange: [{ low: { value: 1 }, text: 'low' }],
    component: [{ code: { text: 'a' }, valueRange: { low: { value: 1 }, high: { value: 2 } } }],
    note: [{ authorReference: { reference: 'Practitioner/1' }, time: '2026-05-04', text: 'seen' }],
  },
  {
    resourceType: 'Device',
    identifier: [{ system: 'urn:uuid:7f4d2a10-5f1c-4d1e-9b57-9c1d4d3a1e21', value: '00:11' }],
    udiCarrier: [{ deviceIdentifier: '1', carrierAIDC: 'AAAA', entryType: 'barcode' }],
    status: 'active',
    deviceName: [{ name: 'Cuff', type: 'user-friendly-name' }],
    specialization: [{ systemType: { text: 'bp' }, version: '1' }],
    version: [{ value: '1.0' }],
    url: 'http://example.org/device',
    owner: { reference: 'Organization/1' },
  },
  {
    resourceType: 'DeviceUseStatement',
    status: 'active',
    subject: { reference: 'Patient/p1' },
    device: { reference: 'Device/d1' },
    timingPeriod: { start: '2026-01-01T00:00:00Z' },
  },
  {
    resourceType: 'DeviceMetric',
    type: { text: 'x' },
    category: 'measurement',
    calibration: [{ type: 'gain', state: 'calibrated', time: '2026-01-01T00:00:00Z' }],
    measurementPeriod: {
      repeat: { frequency: 1, period: 2, periodUnit: 's', dayOfWeek: ['mon'], timeOfDay: ['10:00:00'] },
    },
  },
  { resourceType: 'Organization', name: 'Ward', telecom: [{ system: 'email', value: 'a@example.org' }] },
  {
    resourceType: 'Encounter',
    status: 'in-progress',
    class: { system: `${T}v3-ActCode`, code: 'IMP' },
    subject: { reference: 'Group/1' },
    length: { value: 1, unit: 'h', system: UCUM, code: 'h' },
    location: [{ location: { reference: 'Location/1' }, status: 'active' }],
  },
  {
    resourceType: 'Condition',
    clinicalStatus: { coding: [{ system: `${T}condition-clinical`, code: 'resolved' }] },
    subject: { reference: 'Patient/p1' },
    onsetAge: { value: 5, unit: 'a', system: UCUM, code: 'a' },
    abatementString: 'last year',
    stage: [{ summary: { text: 'II' } }],
  },
  {
    resourceType: 'AllergyIntolerance',
    verificationStatus: { coding: [{ system: `${T}allergyintolerance-verification`, code: 'entered-in-error' }] },
    patient: { reference: 'urn:uuid:7f4d2a10-5f1c-4d1e-9b57-9c1d4d3a1e21' },
    reaction: [{ manifestation: [{ text: 'rash' }], severity: 'mild' }],
  },
  {
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    medicationReference: { reference: 'Medication/1' },
    subject: { reference: 'https://example.org/fhir/Patient/1' },
    dosageInstruction: [{ asNeededBoolean: true, doseAndRate: [{ doseQuantity: { value: 1, unit: 'tab' } }] }],
    substitution: { allowedBoolean: false },
  },
  {
    resourceType: 'Questionnaire',
    status: 'draft',
    item: [
      { linkId: '1', type: 'group', item: [{ linkId: '1.1', type: 'choice', answerOption: [{ valueString: 'a' }] }] },
      { linkId: '2', type: 'string', enableWhen: [{ question: '1.1', operator: 'exists', answerBoolean: true }] },
    ],
  },
  {
    resourceType: 'QuestionnaireResponse',
    status: 'completed',
    item: [{ linkId: '1', answer: [{ valueDecimal: 1.5, item: [{ linkId: '1.1' }] }] }],
  },
  {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'watch',
    criteria: 'http://example.org/topic',
    end: '2030-01-01T00:00:00Z',
    channel: {
      type: 'rest-hook',
      endpoint: 'https://example.org/hook',
      payload: 'application/fhir+json',
      header: ['a: b'],
    },
  },
  {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:7f4d2a10-5f1c-4d1e-9b57-9c1d4d3a1e21',
        resource: { resourceType: 'Organization', name: 'Ward' },
        request: { method: 'POST', url: 'Organization' },
      },
      { request: { method: 'DELETE', url: 'Patient/1' } },
    ],
  },
  {
    resourceType: 'Parameters',
    parameter: [
      { name: 'a', valueInteger: 1 },
      { name: 'b', resource: { resourceType: 'Basic', code: { text: 'x' } } },
      { name: 'c', part: [{ name: 'd', valueUri: 'urn:a' }] },
    ],
  },
  { resourceType: 'Binary', contentType: 'application/pdf', data: 'JVBE Rg==' },
  {
    resourceType: 'Consent',
    status: 'active',
    scope: { text: 'privacy' },
    category: [{ text: 'a' }],
    policyRule: { text: 'opt-in' },
    provision: { type: 'deny', provision: [{ type: 'permit', dataPeriod: { end: '2030' } }] },
  },
  {
    resourceType: 'AuditEvent',
    type: { code: 'rest' },
    action: 'R',
    recorded: '2026-05-04T06:07:08.123Z',
    outcome: '0',
    agent: [{ requestor: true, network: { address: '::1', type: '2' } }],
    source: { observer: { display: 'self' } },
  },
  {
    resourceType: 'Provenance',
    target: [{ reference: 'Observation/1/_history/2' }],
    recorded: '2026-05-04T06:07:08Z',
    agent: [{ who: { identifier: { value: 'x' } } }],
    entity: [{ role: 'source', what: { reference: 'Binary/1' }, agent: [{ who: { display: 'x' } }] }],
  },
  {
    resourceType: 'ValueSet',
    status: 'active',
    compose: {
      include: [{ system: LOINC, concept: [{ code: '8867-4' }] }],
      exclude: [{ valueSet: ['http://example.org/vs'] }],
    },
  },
  {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'invalid', expression: ['Patient.name[0]'] }],
  },
  {
    resourceType: 'Composition',
    status: 'final',
    type: { text: 'note' },
    date: '2026-05',
    author: [{ reference: 'Practitioner/1' }],
    title: 'Note',
    section: [{ title: 'a', section: [{ entry: [{ reference: 'Observation/1' }] }] }],
  },
];

/** Every one is valid, without a warning. */
export const samples = (): Resource[] => structuredClone([patient(), heartRate(), bloodPressure(), ...others]);

/** The sample of a type; of Observation the ECG. */
export function sample(type: string, over: Resource = {}): Resource {
  const found = others.find((r) => r['resourceType'] === type);
  if (found === undefined) throw new Error(`no sample of ${type}`);
  return { ...structuredClone(found), ...over };
}
