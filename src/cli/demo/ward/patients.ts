/** Who lies on the ward and what they wear. Invented people; everything about them is marked as test data. */
import type { Constitution } from './physiology.ts';
import type { Lungs } from './spirometry.ts';

export interface WardPatient {
  readonly id: string;
  readonly given: string;
  readonly family: string;
  readonly birthDate: string;
  readonly constitution: Constitution;
  readonly lungs: Lungs;
}

export type DeviceType = 'thermometer' | 'oximeter' | 'spirometer' | 'cuff';

export interface WardDevice {
  readonly id: string;
  readonly patient: WardPatient;
  readonly type: DeviceType;
  readonly identifier: { readonly system: string; readonly value: string };
}

export const PATIENTS: readonly WardPatient[] = [
  {
    // Chronic obstructive lung disease: low saturation with dips, FEV1 lost more than FVC.
    id: 'demo-patient-1',
    given: 'Ingrid',
    family: 'Halvorsen',
    birthDate: '1953-03-14',
    constitution: {
      fever: 0,
      feverFall: 0,
      restingPulse: 78,
      restingBreaths: 18,
      saturation: 92.6,
      dipsPerHour: 1.6,
      dipDepth: 4,
      meanPressure: 98,
      pulsePressure: 58,
      whiteCoat: 6,
    },
    lungs: { sex: 'female', years: 72, heightCm: 164, fev1Share: 0.56, fvcShare: 0.82 },
  },
  {
    // Second day after an operation: fever that falls, fast pulse.
    id: 'demo-patient-2',
    given: 'Samuel',
    family: 'Adeyemi',
    birthDate: '1979-10-02',
    constitution: {
      fever: 1.6,
      feverFall: 0.12,
      restingPulse: 70,
      restingBreaths: 15,
      saturation: 96.4,
      dipsPerHour: 0.3,
      dipDepth: 2.5,
      meanPressure: 92,
      pulsePressure: 46,
      whiteCoat: 5,
    },
    lungs: { sex: 'male', years: 46, heightCm: 181, fev1Share: 0.9, fvcShare: 0.92 },
  },
  {
    // Healthy, and nervous whenever the cuff inflates.
    id: 'demo-patient-3',
    given: 'Mei',
    family: 'Tanaka',
    birthDate: '1996-06-21',
    constitution: {
      fever: 0,
      feverFall: 0,
      restingPulse: 62,
      restingBreaths: 14,
      saturation: 98.2,
      dipsPerHour: 0.05,
      dipDepth: 1.5,
      meanPressure: 84,
      pulsePressure: 40,
      whiteCoat: 22,
    },
    lungs: { sex: 'female', years: 29, heightCm: 158, fev1Share: 1.02, fvcShare: 1.03 },
  },
];

/** IEEE EUI-64, in the spelling of the PHD guide. */
const EUI64 = 'urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680';

const MDC = 'urn:iso:std:iso:11073:10101';
/** The nomenclature has no specialisation for spirometers yet; the PHD guide lends one. */
const MISSING_MDC = 'http://hl7.org/fhir/uv/phd/CodeSystem/MissingMDCCodes';

/** ISO/IEEE 11073-10101: device specialisations. */
const TYPES: readonly { type: DeviceType; system: string; code: string; name: string }[] = [
  { type: 'thermometer', system: MDC, code: '528392', name: 'Ear thermometer' },
  { type: 'oximeter', system: MDC, code: '528388', name: 'Pulse oximeter' },
  { type: 'spirometer', system: MISSING_MDC, code: '528413', name: 'Spirometer' },
  { type: 'cuff', system: MDC, code: '528391', name: 'Blood pressure cuff' },
];

export const DEVICES: readonly WardDevice[] = PATIENTS.flatMap((patient, p) =>
  TYPES.map(({ type }, d) => ({
    id: `demo-${type}-${p + 1}`,
    patient,
    type,
    // Locally administered: 02 in the first octet, so no maker's number is borrowed.
    identifier: { system: EUI64, value: `02-57-4C-FF-FE-00-0${p + 1}-0${d + 1}` },
  })),
);

// https://terminology.hl7.org/ActReason HTEST: test health data.
const TEST_DATA = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HTEST' }] };

function patientResource(p: WardPatient): Record<string, unknown> {
  return {
    resourceType: 'Patient',
    id: p.id,
    meta: TEST_DATA,
    active: true,
    identifier: [{ system: 'https://w3id.org/vitalwire/demo/patient', value: p.id.replace('demo-patient-', 'W-10') }],
    name: [{ use: 'official', family: p.family, given: [p.given] }],
    gender: p.lungs.sex,
    birthDate: p.birthDate,
  };
}

function deviceResource(device: WardDevice): Record<string, unknown> {
  const { system, code, name } = TYPES.find((t) => t.type === device.type)!;
  return {
    resourceType: 'Device',
    id: device.id,
    meta: TEST_DATA,
    identifier: [device.identifier],
    status: 'active',
    deviceName: [{ name: `${name} (simulated)`, type: 'user-friendly-name' }],
    type: { coding: [{ system, code }], text: name },
  };
}

/** Patients, their devices, and who wears what, for SEED_FILE. @param since when they put them on */
export function wardResources(since: string): Record<string, unknown>[] {
  return [
    ...PATIENTS.map(patientResource),
    ...DEVICES.map(deviceResource),
    ...DEVICES.map((device) => ({
      resourceType: 'DeviceUseStatement',
      id: `demo-use-${device.id.slice('demo-'.length)}`,
      meta: TEST_DATA,
      status: 'active',
      device: { reference: `Device/${device.id}` },
      subject: { reference: `Patient/${device.patient.id}` },
      timingPeriod: { start: since },
    })),
  ];
}
