/** Seeds: a patient who wears devices, and the clients of a test. */
import type { TestClient } from './client.ts';

export const ADMIN = 'system/*.cruds';
export const GATEWAY = 'system/Observation.c system/Device.rs';
export const EHR = 'system/Subscription.cruds system/Observation.rs system/Patient.rs system/Device.rs';

export interface WornDevice {
  readonly id: string;
  readonly system: string;
  readonly serial: string;
}

/** Resources for SEED_FILE: the patient, the devices, and who wears them since 2020. */
export function wornBy(patient: string, devices: readonly WornDevice[]): Record<string, unknown>[] {
  return [
    { resourceType: 'Patient', id: patient, active: true, name: [{ family: 'Test', given: [patient] }] },
    ...devices.map((d) => ({ resourceType: 'Device', id: d.id, identifier: [{ system: d.system, value: d.serial }] })),
    ...devices.map((d) => ({
      resourceType: 'DeviceUseStatement',
      id: `use-${d.id}`,
      status: 'active',
      device: { reference: `Device/${d.id}` },
      subject: { reference: `Patient/${patient}` },
      timingPeriod: { start: '2020-01-01T00:00:00Z' },
    })),
  ];
}

export const seedOf = (
  clients: readonly TestClient[],
  resources: readonly Record<string, unknown>[],
): Record<string, unknown> => ({
  clients: clients.map((c) => c.seed),
  resources,
});

const IG = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

/** A rest-hook Subscription to new readings of one patient. */
export function subscriptionTo(
  endpoint: string,
  patient: string,
  content: 'empty' | 'id-only' | 'full-resource' = 'id-only',
): Record<string, unknown> {
  return {
    resourceType: 'Subscription',
    meta: { profile: [`${IG}/backport-subscription`] },
    status: 'requested',
    reason: 'test',
    criteria: 'https://w3id.org/vitalwire/SubscriptionTopic/new-reading',
    _criteria: {
      extension: [{ url: `${IG}/backport-filter-criteria`, valueString: `Observation?patient=Patient/${patient}` }],
    },
    channel: {
      type: 'rest-hook',
      endpoint,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${IG}/backport-payload-content`, valueCode: content }] },
    },
  };
}
