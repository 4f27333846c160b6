/**
 * Random resources and random searches over them, drawn from small pools so that they meet often. Every engine is held to the
 * in-memory reference engine with these ("SQL = memory").
 */
import fc from 'fast-check';
import { queryString } from './arbitrary-query.ts';

export { queryString } from './arbitrary-query.ts';

/** The base URL that absolute references of the pool are made with. */
export const BASE = 'https://vitalwire.example/fhir';
export const LOINC = 'http://loinc.org';
export const UCUM = 'http://unitsofmeasure.org';

export type Resource = Record<string, unknown> & { resourceType: string; id: string };
export interface RandomQuery {
  type: string;
  /** As after the `?` of a URL, percent-encoded. */
  query: string;
}

export const POOL = {
  Patient: ['p1', 'p2', 'p3', 'p4'],
  Device: ['d1', 'd2', 'd3'],
  Encounter: ['e1', 'e2'],
  Condition: ['c1', 'c2', 'c3'],
  DeviceUseStatement: ['u1', 'u2', 'u3'],
  Observation: ['o1', 'o2', 'o3', 'o4', 'o5', 'o6', 'o7', 'o8', 'o9', 'o10'],
} as const;
export type PoolType = keyof typeof POOL;

const pick = fc.constantFrom;
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });

export const INSTANTS = [
  '2026',
  '2026-03',
  '2026-03-31',
  '2026-04-01',
  '2026-04-01T00:00:00Z',
  '2026-04-01T23:30:00-02:00',
  '2026-04-02T00:30:00Z',
  '2026-04-02T00:30:00.250Z',
  '2026-04-02T10:00:00+02:00',
  '2027-01-01T00:00:00Z',
  '1969-12-31',
] as const;
export const NAMES = [
  'Zoë',
  'zoe',
  'ZOÉ Nagy',
  'Müller',
  "O'Brien",
  '100%',
  'a_b',
  'x,y',
  'back\\slash',
  '  two  spaces ',
  '山田',
  'ß',
];
const CODES = [
  { system: LOINC, code: '8867-4' },
  { system: LOINC, code: '85354-9' },
  { system: LOINC, code: '8480-6' },
  { system: 'urn:example:codes', code: '8867-4' },
  { code: '8867-4' },
  { system: LOINC, display: 'no code' },
  { system: 'urn:pipe', code: 'a|b' },
];
export const VALUES = [-1.5, 0, 0.05, 36.4, 36.5, 37, 37.04, 37.5, 38.2, 100, 1e21];
const UNITS = [
  { unit: 'C', system: UCUM, code: 'Cel' },
  { unit: '/min', system: UCUM, code: '/min' },
  { unit: 'Cel' },
  { system: 'urn:example:units', code: 'Cel' },
  {},
];

const strip = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const concept = (): fc.Arbitrary<object> =>
  fc
    .record({
      coding: maybe(fc.array(pick(...CODES), { minLength: 1, maxLength: 3 })),
      text: maybe(pick('8867-4', 'pulse')),
    })
    .map(strip);

const quantity = (): fc.Arbitrary<object> =>
  fc
    .record({ value: maybe(pick(...VALUES)), unit: pick(...UNITS) })
    .map(({ value, unit }) => strip({ value, ...unit }));

const period = (): fc.Arbitrary<object> =>
  fc.record({ start: maybe(pick(...INSTANTS)), end: maybe(pick(...INSTANTS)) }).map(strip);

const identifier = (): fc.Arbitrary<object> =>
  fc.record({ system: maybe(pick('urn:mrn', 'urn:mac')), value: maybe(pick('1', '2', 'a,b', 'A')) }).map(strip);

const reference = (...types: PoolType[]): fc.Arbitrary<object> =>
  fc
    .record({
      type: pick(...types),
      nth: fc.nat(9),
      form: pick('relative', 'relative', 'relative', 'own', 'version', 'elsewhere', 'urn', 'contained', 'logical'),
      identifier: identifier(),
    })
    .map(({ type, nth, form, identifier: of }) => {
      const ids: readonly string[] = POOL[type];
      const path = `${type}/${ids[nth % ids.length]}`;
      if (form === 'own') return { reference: `${BASE}/${path}` };
      if (form === 'version') return { reference: `${path}/_history/2` };
      if (form === 'elsewhere') return { reference: `https://elsewhere.example/fhir/${path}` };
      if (form === 'urn') return { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' };
      if (form === 'contained') return { reference: '#inside' };
      return form === 'logical' ? { type, identifier: of } : { reference: path };
    });

const valueX = (): fc.Arbitrary<object> =>
  fc.oneof(
    { weight: 5, arbitrary: quantity().map((valueQuantity) => ({ valueQuantity })) },
    { weight: 2, arbitrary: concept().map((valueCodeableConcept) => ({ valueCodeableConcept })) },
    { weight: 1, arbitrary: pick(...NAMES).map((valueString) => ({ valueString })) },
    { weight: 1, arbitrary: pick(...INSTANTS).map((valueDateTime) => ({ valueDateTime })) },
    {
      weight: 1,
      arbitrary: fc.constant({ valueSampledData: { origin: { value: 0 }, period: 4, dimensions: 1, data: '1 2' } }),
    },
    { weight: 1, arbitrary: fc.constant({}) },
  );

const meta = (): fc.Arbitrary<object> =>
  fc
    .record({
      tag: maybe(fc.array(pick({ system: 'urn:tags', code: 'red' }, { code: 'blue' }), { minLength: 1, maxLength: 2 })),
      profile: maybe(fc.constant(['http://hl7.org/fhir/StructureDefinition/vitalsigns'])),
    })
    .map(strip);

const observation = (): fc.Arbitrary<object> =>
  fc
    .record({
      status: pick('final', 'amended', 'preliminary'),
      category: maybe(
        fc.array(fc.constant({ coding: [{ system: 'urn:cat', code: 'vital-signs' }] }), { maxLength: 1, minLength: 1 }),
      ),
      code: concept(),
      subject: maybe(reference('Patient', 'Patient', 'Patient', 'Device')),
      device: maybe(reference('Device')),
      encounter: maybe(reference('Encounter')),
      derivedFrom: maybe(fc.array(reference('Observation'), { minLength: 1, maxLength: 2 })),
      effective: fc.oneof(
        pick(...INSTANTS).map((effectiveDateTime) => ({ effectiveDateTime })),
        period().map((effectivePeriod) => ({ effectivePeriod })),
        fc.constant({}),
      ),
      value: valueX(),
      component: maybe(
        fc.array(
          fc.record({ code: concept(), value: valueX() }).map(({ code, value }) => ({ code, ...value })),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
      ),
    })
    .map(({ effective, value, ...rest }) => ({ ...rest, ...effective, ...value }));

const patient = (): fc.Arbitrary<object> =>
  fc.record({
    active: maybe(fc.boolean()),
    identifier: maybe(fc.array(identifier(), { minLength: 1, maxLength: 2 })),
    name: maybe(
      fc.array(
        fc.record({
          family: maybe(pick(...NAMES)),
          given: maybe(fc.array(pick(...NAMES), { minLength: 1, maxLength: 2 })),
        }),
        {
          minLength: 1,
          maxLength: 2,
        },
      ),
    ),
    telecom: maybe(
      fc.array(fc.record({ system: pick('phone', 'email'), value: pick('1', '2') }), { minLength: 1, maxLength: 2 }),
    ),
    gender: maybe(pick('male', 'female', 'other')),
    birthDate: maybe(pick('2026', '2026-03', '2026-04-01', '1969-12-31')),
    deceasedBoolean: maybe(fc.boolean()),
  });

const device = (): fc.Arbitrary<object> =>
  fc.record({
    identifier: maybe(fc.array(identifier(), { minLength: 1, maxLength: 2 })),
    deviceName: maybe(
      fc.array(
        pick(...NAMES).map((name) => ({ name, type: 'user-friendly-name' })),
        { minLength: 1, maxLength: 1 },
      ),
    ),
    status: maybe(pick('active', 'inactive')),
    type: maybe(concept()),
    patient: maybe(reference('Patient')),
    url: maybe(pick('urn:a', 'http://a.example/b', 'http://a.example/b/c', 'http://a.example/bc')),
  });

const bodies: Record<PoolType, () => fc.Arbitrary<object>> = {
  Observation: observation,
  Patient: patient,
  Device: device,
  Encounter: () =>
    fc.record({
      status: pick('finished', 'in-progress'),
      class: pick(...CODES),
      subject: maybe(reference('Patient')),
      period: maybe(period()),
      length: maybe(quantity()),
    }),
  Condition: () =>
    fc
      .record({
        code: maybe(concept()),
        subject: reference('Patient'),
        encounter: maybe(reference('Encounter')),
        recordedDate: maybe(pick(...INSTANTS)),
        onset: fc.oneof(
          pick(...INSTANTS).map((onsetDateTime) => ({ onsetDateTime })),
          period().map((onsetPeriod) => ({ onsetPeriod })),
          pick(...NAMES).map((onsetString) => ({ onsetString })),
          fc
            .record({ low: maybe(quantity()), high: maybe(quantity()) })
            .map((onsetRange) => ({ onsetRange: strip(onsetRange) })),
          fc.constant({}),
        ),
      })
      .map(({ onset, ...rest }) => ({ ...rest, ...onset })),
  DeviceUseStatement: () =>
    fc.record({
      status: pick('active', 'completed'),
      subject: reference('Patient'),
      device: reference('Device'),
      identifier: maybe(fc.array(identifier(), { minLength: 1, maxLength: 1 })),
    }),
};

/** One resource of the pool; `meta` has no versionId or lastUpdated, those are the store's. */
export const resource = (type?: PoolType): fc.Arbitrary<Resource> =>
  (type === undefined ? pick<PoolType>('Observation', ...(Object.keys(POOL) as PoolType[])) : fc.constant(type)).chain(
    (of) =>
      fc
        .record({ id: pick(...(POOL[of] as readonly string[])), meta: maybe(meta()), body: bodies[of]() })
        .map((r) => strip({ resourceType: of as string, id: r.id, meta: r.meta, ...r.body })),
  );

/** Some resources with different (type, id), in the order in which to create them. */
export const resources = (maxLength = 14): fc.Arbitrary<Resource[]> =>
  fc.uniqueArray(resource(), { maxLength, minLength: 1, selector: (r) => `${r.resourceType}/${r.id}` });

/** A valid search: (type, query string). */
export const queries = (type?: PoolType): fc.Arbitrary<RandomQuery> =>
  (type === undefined ? pick<PoolType>('Observation', ...(Object.keys(POOL) as PoolType[])) : fc.constant(type)).chain(
    (of) => queryString(of).map((query) => ({ type: of, query })),
  );
