/** The hospital's side of a topic subscription: creates it, follows its numbers, fetches what is missing, gives it up. */

import type { Bundle, Patient, Subscription } from 'fhir/r4';
import type { Client } from 'fhir-kit-client';
import { type Notification, parseNotification } from './notification.ts';

const IG = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';
const TOPIC = 'https://w3id.org/vitalwire/SubscriptionTopic/new-reading';
const HEARTBEAT_SECONDS = 10;

/** A rest-hook Subscription to every new reading of one patient, resources included. */
export function subscriptionFor(patient: string, endpoint: string, secret: string): Subscription {
  return {
    resourceType: 'Subscription',
    meta: { profile: [`${IG}/backport-subscription`] },
    status: 'requested',
    reason: 'Vital signs at the bedside',
    criteria: TOPIC,
    _criteria: {
      extension: [{ url: `${IG}/backport-filter-criteria`, valueString: `Observation?patient=Patient/${patient}` }],
    },
    channel: {
      extension: [{ url: `${IG}/backport-heartbeat-period`, valueUnsignedInt: HEARTBEAT_SECONDS }],
      type: 'rest-hook',
      endpoint,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${IG}/backport-payload-content`, valueCode: 'full-resource' }] },
      header: [`Authorization: Bearer ${secret}`],
    },
  };
}

/** What an earlier run left behind in a store that stays. A client sees only its own Subscriptions. */
export async function unsubscribeAll(client: Client): Promise<void> {
  const found = (await client.search({
    resourceType: 'Subscription',
    searchParams: { _count: 1000 },
  })) as unknown as Bundle;
  for (const { resource } of found.entry ?? [])
    if (resource?.resourceType === 'Subscription')
      await client.delete({ resourceType: 'Subscription', id: resource.id as string });
}

/** @returns the logical id of the Subscription */
export async function subscribe(client: Client, subscription: Subscription): Promise<string> {
  const created = (await client.create({
    resourceType: 'Subscription',
    body: { ...subscription },
  })) as unknown as Subscription;
  return created.id as string;
}

/** Events by number, both ends included. Not by the FHIR client: the text is needed for the digits of its numbers. */
export async function missed(
  base: string,
  token: string,
  id: string,
  from: number,
  until: number,
): Promise<Notification> {
  const url = `${base}/Subscription/${id}/$events?eventsSinceNumber=${from}&eventsUntilNumber=${until}&content=full-resource`;
  const response = await fetch(url, { headers: { accept: 'application/fhir+json', authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`$events answered ${response.status}`);
  return parseNotification(await response.text());
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly identifier: string;
  readonly gender: string;
  readonly birthDate: string;
}

export async function person(client: Client, id: string): Promise<Person> {
  const patient = (await client.read({ resourceType: 'Patient', id })) as unknown as Patient;
  const [name] = patient.name ?? [];
  return {
    id,
    name: [...(name?.given ?? []), name?.family ?? ''].join(' ').trim(),
    identifier: patient.identifier?.[0]?.value ?? id,
    gender: patient.gender ?? '',
    birthDate: patient.birthDate ?? '',
  };
}
