/** A Device made from what a message says of it. UNKNOWN_DEVICE=create; never a Patient, never an association. */
import { EUI64, type Identifier, MAC_BLUETOOTH, MAC_ETHERNET } from '../../devices/identity.ts';
import { extract } from '../../fhir/extract.ts';
import { splitResource } from '../../fhir/text.ts';
import type { Write } from '../../store/store.ts';

const TYPES: Readonly<Record<string, string>> = {
  [EUI64]: 'SYSID',
  [MAC_BLUETOOTH]: 'BTMAC',
  [MAC_ETHERNET]: 'ETHMAC',
};

export function deviceText(id: string, identifiers: readonly Identifier[]): string {
  const identifier = identifiers.map(({ system, value }) => {
    const code = TYPES[system ?? ''];
    const type = code && {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers', code }],
    };
    return { ...(type ? { type } : {}), ...(system ? { system } : {}), value };
  });
  return JSON.stringify({ resourceType: 'Device', id, identifier, status: 'active' });
}

/** @param base `{BASE_URL}/fhir`. */
export function deviceWrite(id: string, identifiers: readonly Identifier[], base: string): Write {
  const text = deviceText(id, identifiers);
  const { meta, body } = splitResource(text);
  return {
    method: 'POST',
    draft: { type: 'Device', id, meta, body },
    terms: extract(JSON.parse(text) as Record<string, unknown>, base),
    follows: 0,
  };
}
