/**
 * A fleet of patients and their devices as a seeded stream of readings: random walks with a daily rhythm and real decimals,
 * shuffled over the patients, with the faults that real fleets have. Same seed, same readings.
 */
import { Random } from './random.ts';

export const SERIAL = 'urn:example:bench:serial';
const UCUM = 'http://unitsofmeasure.org';
const LOINC = 'http://loinc.org';
/** The past is filled backwards from here. What workloads write comes after it, and a long run must not reach the future. */
export const END = Date.parse('2026-01-01T00:00:00Z');

interface Kind {
  readonly kind: string;
  readonly code: string;
  readonly display: string;
  readonly unit: string;
  readonly ucum: string;
  readonly mean: number;
  readonly spread: number;
  readonly decimals: number;
}

export const KINDS: readonly Kind[] = [
  {
    kind: 'heart-rate',
    code: '8867-4',
    display: 'Heart rate',
    unit: 'beats/min',
    ucum: '/min',
    mean: 76,
    spread: 14,
    decimals: 0,
  },
  {
    kind: 'oxygen-saturation',
    code: '2708-6',
    display: 'Oxygen saturation',
    unit: '%',
    ucum: '%',
    mean: 96,
    spread: 1.4,
    decimals: 1,
  },
  {
    kind: 'respiratory-rate',
    code: '9279-1',
    display: 'Respiratory rate',
    unit: 'breaths/min',
    ucum: '/min',
    mean: 16,
    spread: 3,
    decimals: 0,
  },
  {
    kind: 'body-temperature',
    code: '8310-5',
    display: 'Body temperature',
    unit: 'Cel',
    ucum: 'Cel',
    mean: 36.8,
    spread: 0.4,
    decimals: 2,
  },
  {
    kind: 'body-weight',
    code: '29463-7',
    display: 'Body weight',
    unit: 'kg',
    ucum: 'kg',
    mean: 74,
    spread: 12,
    decimals: 2,
  },
];

export interface Measured {
  readonly patient: number;
  readonly kind: Kind;
  readonly time: string;
  readonly value: string;
  readonly sequence: number;
}

export class Fleet {
  readonly patients: number;
  private readonly random: Random;
  private readonly levels: Float64Array;
  private sequence = 0;
  /** Milliseconds between two readings of one patient and kind, so that `total` readings cover two days. */
  private readonly stepMs: number;
  private readonly start: number;
  constructor(seed: number, patients: number, total: number) {
    this.random = new Random(seed);
    this.patients = patients;
    this.levels = new Float64Array(patients * KINDS.length);
    const each = Math.max(1, total / (patients * KINDS.length));
    this.stepMs = Math.max(1000, Math.floor((2 * 86_400_000) / each));
    this.start = END - Math.ceil(each) * this.stepMs;
  }
  /** The next reading, of a random patient: arrival is shuffled over the patients. */
  next(): Measured {
    const patient = this.random.below(this.patients);
    const k = this.random.below(KINDS.length);
    const kind = KINDS[k] as Kind;
    const at = patient * KINDS.length + k;
    const level = (this.levels[at] as number) * 0.95 + this.random.normal() * 0.3;
    this.levels[at] = level;
    const sequence = this.sequence++;
    const done = sequence / (this.patients * KINDS.length);
    const ms = Math.floor(this.start + done * this.stepMs + this.random.below(this.stepMs));
    const daily = Math.sin((ms / 86_400_000) * 2 * Math.PI) * 0.3;
    const bounded = Math.min(kind.kind === 'oxygen-saturation' ? 100 : 1e9, kind.mean + (level + daily) * kind.spread);
    return { patient, kind, time: new Date(ms).toISOString(), value: bounded.toFixed(kind.decimals), sequence };
  }
}

export const patientId = (n: number): string => `bench-p${n}`;
export const deviceId = (n: number): string => `bench-d${n}`;
const serial = (n: number): string => `BENCH-${n}`;

/** A canonical reading of about 200 bytes. */
export function readingText(m: Measured): string {
  return `{"id":"${m.sequence}","device":{"identifier":[{"system":"${SERIAL}","value":"${serial(m.patient)}"}]},"kind":"${m.kind.kind}","time":"${m.time}","value":"${m.value}","unit":"${m.kind.ucum}"}`;
}

/** A vital-sign Observation of about 1.1 kB, as an EHR or gateway would write it. */
export function observationText(m: Measured, patient: string, device: string): string {
  const { kind } = m;
  return `{"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/vitalsigns"]},"identifier":[{"system":"urn:example:bench:observation","value":"${m.sequence}-${m.patient}"}],"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}],"text":"Vital Signs"}],"code":{"coding":[{"system":"${LOINC}","code":"${kind.code}","display":"${kind.display}"},{"system":"urn:iso:std:iso:11073:10101","code":"150456","display":"MDC"}],"text":"${kind.display}"},"subject":{"reference":"${patient}","display":"Bench, Patient ${m.patient}"},"effectiveDateTime":"${m.time}","issued":"${m.time}","performer":[{"display":"Ward 7 bedside monitoring, third floor, building C"}],"valueQuantity":{"value":${m.value},"unit":"${kind.unit}","system":"${UCUM}","code":"${kind.ucum}"},"device":{"reference":"${device}","display":"Bedside monitor ${m.patient}"},"note":[{"text":"Recorded automatically by the bedside monitor; verified by the nurse in charge of the shift."}]}`;
}

/** Patients, devices and who wears them, for SEED_FILE or a transaction. */
export function* population(patients: number): Generator<Record<string, unknown>> {
  for (let n = 0; n < patients; n++) {
    yield {
      resourceType: 'Patient',
      id: patientId(n),
      active: true,
      name: [{ family: 'Bench', given: [`Patient ${n}`] }],
    };
    yield { resourceType: 'Device', id: deviceId(n), identifier: [{ system: SERIAL, value: serial(n) }] };
    yield {
      resourceType: 'DeviceUseStatement',
      id: `bench-u${n}`,
      status: 'active',
      device: { reference: `Device/${deviceId(n)}` },
      subject: { reference: `Patient/${patientId(n)}` },
      timingPeriod: { start: '2020-01-01T00:00:00Z' },
    };
  }
}
