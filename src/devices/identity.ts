/**
 * When two identifiers name the same device. An EUI-64 or a MAC address counts in any spelling and either byte order, a MAC also
 * as the EUI-64 made from it; everything else counts exactly. CONTRACT §5 device and patient of a reading.
 */
export interface Identifier {
  /** Empty or absent: none. */
  readonly system?: string | undefined;
  readonly value: string;
}

/** IEEE EUI-64, as Continua's SYSID. */
export const EUI64 = 'urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680';
export const MAC_BLUETOOTH = 'http://hl7.org/fhir/sid/eui-48/bluetooth';
export const MAC_ETHERNET = 'http://hl7.org/fhir/sid/eui-48/ethernet';
const EUI_SYSTEMS = new Set([EUI64, MAC_BLUETOOTH, MAC_ETHERNET]);

/** Sixteen hexadecimal digits in upper case; undefined when the text is no EUI-64 and no EUI-48. */
function eui64(value: string): string | undefined {
  const hex = value.replace(/[\s:.-]/g, '').toUpperCase();
  if (/^[0-9A-F]{16}$/.test(hex)) return hex;
  // IEEE: FF-FE between the maker's half and the device's.
  return /^[0-9A-F]{12}$/.test(hex) ? `${hex.slice(0, 6)}FFFE${hex.slice(6)}` : undefined;
}

const reversed = (hex: string): string => (hex.match(/../g) ?? []).reverse().join('');

/** One text for all spellings of one identity: equal texts, same device. */
export function canonicalIdentity(identifier: Identifier): string {
  const system = identifier.system ?? '';
  if (EUI_SYSTEMS.has(system)) {
    const eui = eui64(identifier.value);
    if (eui !== undefined) {
      // Published examples print the wire order, which is reversed, so neither order can be told to be the right one.
      const other = reversed(eui);
      return `eui64|${[eui, other].sort()[0]}`;
    }
  }
  return `${system}|${identifier.value}`;
}

/** The identities that a Device resource claims, each once. */
export function identitiesOf(device: Readonly<Record<string, unknown>>): string[] {
  const identifiers = Array.isArray(device['identifier']) ? (device['identifier'] as unknown[]) : [];
  const found = new Set<string>();
  for (const item of identifiers) {
    const { system, value } = (item ?? {}) as { system?: unknown; value?: unknown };
    if (typeof value !== 'string' || value === '') continue;
    found.add(canonicalIdentity({ system: typeof system === 'string' ? system : '', value }));
  }
  return [...found];
}
