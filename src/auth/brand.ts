/** The brand bundle: who runs this server, for pickers in patients' apps. SMART App Launch 2.2 user-access brands and endpoints. */
import type { Addresses } from './addresses.ts';

const SMART = 'http://hl7.org/fhir/smart-app-launch/StructureDefinition';

/** The server's address names its brand. */
export const brandIdentifier = (addresses: Addresses): { system: string; value: string } => ({
  system: 'urn:ietf:rfc:3986',
  value: addresses.baseUrl,
});

/** A collection with one Organization and the Endpoint of this server. @param timestamp FHIR instant. */
export function brandBundle(addresses: Addresses, timestamp: string): string {
  const telecom = { system: 'url', value: addresses.baseUrl };
  const organization = {
    resourceType: 'Organization',
    id: 'vitalwire',
    meta: { profile: [`${SMART}/user-access-brand`] },
    identifier: [brandIdentifier(addresses)],
    active: true,
    name: 'Vitalwire',
    telecom: [telecom],
    endpoint: [{ reference: 'Endpoint/vitalwire' }],
  };
  const endpoint = {
    resourceType: 'Endpoint',
    id: 'vitalwire',
    meta: { profile: [`${SMART}/user-access-endpoint`] },
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version', valueCode: '4.0.1' }],
    status: 'active',
    connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'hl7-fhir-rest' },
    name: 'FHIR R4',
    contact: [telecom],
    payloadType: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type', code: 'none' }] },
    ],
    address: addresses.fhir,
  };
  return JSON.stringify({
    resourceType: 'Bundle',
    meta: { profile: [`${SMART}/user-access-brands-bundle`] },
    type: 'collection',
    timestamp,
    entry: [organization, endpoint].map((resource) => ({
      fullUrl: `${addresses.brands}/${resource.resourceType}/${resource.id}`,
      resource,
    })),
  });
}
