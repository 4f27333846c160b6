/** Random search parameters for the types of the pool in `arbitrary.ts`. */
import fc from 'fast-check';

type Pair = readonly [name: string, value: string];
const pick = fc.constantFrom;
const BASE = 'https://vitalwire.example/fhir';
const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';
const escaped = (text: string): string => text.replace(/[\\,|$]/g, '\\$&');

const TOKENS = [
  '8867-4',
  `${LOINC}|8867-4`,
  `${LOINC}|`,
  '|8867-4',
  `${LOINC}|8480-6`,
  'urn:pipe|a\\|b',
  'nothing',
  '85354-9',
];
const IDENTIFIERS = ['1', 'urn:mrn|1', 'urn:mrn|', '|1', 'a\\,b', 'A', 'urn:mac|2'];
const PREFIXES = ['', '', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'];
const DATES = [
  '2026',
  '2026-03',
  '2026-03-31',
  '2026-04-01',
  '2026-04-02',
  '2026-04-01T23:30-02:00',
  '2026-04-02T00:30:00',
  '2026-04-02T00:30:00.250Z',
  '2026-04-02T08:00:00Z',
  '1969-12-31',
];
const NUMBERS = ['-1.5', '0', '0.05', '36.4', '37', '37.0', '37.04', '38', '1e2', '1e21', '100.0'];
const STRINGS = [
  'zoe',
  'ZOÉ',
  'nagy',
  'mul',
  "o'b",
  '100%',
  '%',
  'a_',
  'x,y',
  'back\\slash',
  'two spaces',
  '山',
  'ss',
  'e',
];
const REFERENCES: Record<string, readonly string[]> = {
  Patient: ['p1', 'p2', 'p3', 'p9'],
  Device: ['d1', 'd2', 'd9'],
  Encounter: ['e1', 'e2'],
  Observation: ['o1', 'o2', 'o3'],
};

const orList = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(of, { minLength: 1, maxLength: 3 }).map((all) => all.join(','));

const token = (name: string, values: readonly string[]): fc.Arbitrary<Pair> =>
  fc
    .record({ modifier: pick('', '', '', ':not'), value: orList(pick(...values)) })
    .map(({ modifier, value }) => [name + modifier, value]);

const date = (name: string): fc.Arbitrary<Pair> =>
  orList(fc.record({ prefix: pick(...PREFIXES), of: pick(...DATES) }).map((x) => x.prefix + x.of)).map((value) => [
    name,
    value,
  ]);

const numberText = (): fc.Arbitrary<string> =>
  fc.record({ prefix: pick(...PREFIXES, 'ap'), of: pick(...NUMBERS) }).map((x) => x.prefix + x.of);
const quantityText = (): fc.Arbitrary<string> =>
  fc
    .record({ number: numberText(), unit: pick('', `|${UCUM}|Cel`, '||Cel', '||C', `|${UCUM}|/min`) })
    .map((x) => x.number + x.unit);
const quantity = (name: string): fc.Arbitrary<Pair> => orList(quantityText()).map((value) => [name, value]);

const string = (name: string): fc.Arbitrary<Pair> =>
  fc
    .record({
      modifier: pick('', '', ':contains', ':exact'),
      value: orList(pick(...STRINGS, 'Zoë', 'Müller').map(escaped)),
    })
    .map(({ modifier, value }) => [name + modifier, value]);

const reference = (name: string, type: string, bare: boolean): fc.Arbitrary<Pair> =>
  fc
    .record({
      id: pick(...(REFERENCES[type] ?? ['x'])),
      form: pick('typed', 'typed', bare ? 'bare' : 'typed', 'own', 'modifier', 'elsewhere', 'urn', 'identifier'),
      identifier: pick(...IDENTIFIERS),
    })
    .map(({ id, form, identifier }): Pair => {
      if (form === 'modifier') return [`${name}:${type}`, id];
      if (form === 'identifier') return [`${name}:identifier`, identifier];
      if (form === 'bare') return [name, id];
      if (form === 'own') return [name, `${BASE}/${type}/${id}`];
      if (form === 'elsewhere') return [name, `https://elsewhere.example/fhir/${type}/${id}`];
      return [name, form === 'urn' ? 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' : `${type}/${id}`];
    });

const uri = (name: string): fc.Arbitrary<Pair> =>
  fc
    .record({
      modifier: pick('', ':below', ':above'),
      value: pick('urn:a', 'http://a.example/b', 'http://a.example/b/c', 'http://a.example/'),
    })
    .map(({ modifier, value }) => [name + modifier, value]);

const composite = (name: string, left: readonly string[], right: fc.Arbitrary<string>): fc.Arbitrary<Pair> =>
  orList(fc.record({ left: pick(...left), right }).map((x) => `${x.left}$${x.right}`)).map((value) => [name, value]);

const missing = (...names: string[]): fc.Arbitrary<Pair> =>
  fc
    .record({ name: pick(...names), value: pick('true', 'false') })
    .map(({ name, value }) => [`${name}:missing`, value]);

const direct: Record<string, () => fc.Arbitrary<Pair>[]> = {
  Observation: () => [
    token('code', TOKENS),
    token('combo-code', TOKENS),
    token('component-code', TOKENS),
    token('status', ['final', 'amended', 'preliminary']),
    token('category', ['vital-signs', 'urn:cat|vital-signs']),
    token('value-concept', TOKENS),
    date('date'),
    date('value-date'),
    quantity('value-quantity'),
    quantity('component-value-quantity'),
    quantity('combo-value-quantity'),
    string('value-string'),
    reference('patient', 'Patient', true),
    reference('subject', 'Patient', true),
    reference('device', 'Device', true),
    reference('derived-from', 'Observation', true),
    composite('code-value-quantity', TOKENS, quantityText()),
    composite('component-code-value-quantity', TOKENS, quantityText()),
    composite('combo-code-value-quantity', TOKENS, quantityText()),
    missing('code', 'date', 'value-quantity', 'subject', 'value-string', 'component-code', 'combo-code-value-quantity'),
  ],
  Patient: () => [
    token('identifier', IDENTIFIERS),
    token('gender', ['male', 'female', 'other']),
    token('active', ['true', 'false']),
    token('phone', ['1', '2', 'phone|1']),
    token('deceased', ['true', 'false']),
    string('name'),
    string('family'),
    string('given'),
    date('birthdate'),
    missing('name', 'family', 'birthdate', 'identifier', 'gender', 'active'),
  ],
  Device: () => [
    token('identifier', IDENTIFIERS),
    token('status', ['active', 'inactive']),
    token('type', TOKENS),
    string('device-name'),
    reference('patient', 'Patient', true),
    uri('url'),
    missing('patient', 'url', 'type'),
  ],
  Encounter: () => [
    token('status', ['finished', 'in-progress']),
    token('class', TOKENS),
    reference('patient', 'Patient', true),
    date('date'),
    quantity('length'),
    missing('date', 'patient'),
  ],
  Condition: () => [
    token('code', TOKENS),
    reference('patient', 'Patient', true),
    reference('encounter', 'Encounter', true),
    date('onset-date'),
    date('recorded-date'),
    string('onset-info'),
    quantity('onset-age'),
    missing('onset-date', 'recorded-date', 'code'),
  ],
  DeviceUseStatement: () => [
    token('identifier', IDENTIFIERS),
    reference('patient', 'Patient', true),
    reference('device', 'Device', true),
    missing('identifier'),
  ],
};

const IDS: Record<string, readonly string[]> = {
  Observation: ['o1', 'o2', 'o3', 'o9'],
  Patient: ['p1', 'p2'],
  Device: ['d1', 'd2'],
  Encounter: ['e1'],
  Condition: ['c1'],
  DeviceUseStatement: ['u1'],
};
const common = (type: string): fc.Arbitrary<Pair>[] => [
  orList(pick(...(IDS[type] ?? ['x']))).map((value): Pair => ['_id', value]),
  token('_tag', ['red', 'urn:tags|red', '|blue', 'urn:tags|']),
  pick<Pair>(['_profile', 'http://hl7.org/fhir/StructureDefinition/vitalsigns'], ['_profile:missing', 'true']),
];

/** (name before the dot, type it leads to) by type. */
const CHAINS: Record<string, readonly (readonly [string, string])[]> = {
  Observation: [
    ['subject:Patient', 'Patient'],
    ['patient', 'Patient'],
    ['device:Device', 'Device'],
    ['encounter', 'Encounter'],
    ['derived-from:Observation', 'Observation'],
  ],
  Device: [['patient', 'Patient']],
  Encounter: [['patient', 'Patient']],
  Condition: [
    ['patient', 'Patient'],
    ['encounter', 'Encounter'],
  ],
  DeviceUseStatement: [
    ['patient', 'Patient'],
    ['device', 'Device'],
  ],
};
const HAS: Record<string, readonly (readonly [type: string, param: string])[]> = {
  Patient: [
    ['Observation', 'patient'],
    ['Observation', 'subject'],
    ['Device', 'patient'],
    ['Condition', 'patient'],
    ['DeviceUseStatement', 'patient'],
  ],
  Device: [
    ['Observation', 'device'],
    ['DeviceUseStatement', 'device'],
  ],
  Encounter: [
    ['Observation', 'encounter'],
    ['Condition', 'encounter'],
  ],
  Observation: [['Observation', 'derived-from']],
};

/** One parameter of the type; `hops` is how many chains or `_has` it may still go through. */
export const parameter = (type: string, hops = 2): fc.Arbitrary<Pair> => {
  const plain = fc.oneof(...(direct[type] ?? (() => []))(), ...common(type));
  if (hops === 0) return plain;
  const chains = (CHAINS[type] ?? []).map(([name, to]) =>
    parameter(to, hops - 1).map(([n, v]): Pair => [`${name}.${n}`, v]),
  );
  const has = (HAS[type] ?? []).map(([from, param]) =>
    parameter(from, hops - 1).map(([n, v]): Pair => [`_has:${from}:${param}:${n}`, v]),
  );
  const far = [...chains, ...has].map((arbitrary) => ({ weight: 1, arbitrary }));
  return fc.oneof({ weight: 5 * Math.max(1, far.length), arbitrary: plain }, ...far);
};

const SORTS: Record<string, readonly string[]> = {
  Observation: [
    'date',
    'code',
    'value-quantity',
    'status',
    'subject',
    'value-string',
    '_id',
    '_lastUpdated',
    'combo-value-quantity',
  ],
  Patient: ['family', 'name', 'birthdate', 'gender', 'identifier', '_id', '_lastUpdated'],
  Device: ['device-name', 'type', 'url', 'patient', '_id'],
  Encounter: ['date', 'status', 'length', '_lastUpdated'],
  Condition: ['onset-date', 'recorded-date', 'code', 'onset-info'],
  DeviceUseStatement: ['device', 'identifier', '_id'],
};
const sort = (type: string): fc.Arbitrary<Pair[]> =>
  fc
    .uniqueArray(pick(...(SORTS[type] ?? ['_id'])), { minLength: 1, maxLength: 3 })
    .chain((keys) => fc.tuple(...keys.map((key) => pick(key, `-${key}`))))
    .map((keys) => [['_sort', keys.join(',')]]);

const encode = ([name, value]: Pair): string => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;

export const queryString = (type: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(parameter(type), { maxLength: 3 }),
      fc.oneof(fc.constant<Pair[]>([]), sort(type)),
      fc.oneof(
        fc.constant<Pair[]>([]),
        pick('1', '2', '3', '10').map((n): Pair[] => [['_count', n]]),
      ),
      pick<Pair[]>([], [['_total', 'accurate']]),
    )
    .map((groups) => groups.flat().map(encode).join('&'));
