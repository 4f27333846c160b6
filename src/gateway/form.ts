/** What an item must look like to be worth keeping. */

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Identifier {
  readonly system?: unknown;
  readonly value?: unknown;
}

const identifiers = (item: Record<string, unknown>): readonly Identifier[] => {
  const { device } = item;
  const list = isObject(device) ? device['identifier'] : undefined;
  return Array.isArray(list) ? list : [];
};

/** A sentence, or undefined when the form is right. */
export function formFault(adapter: string, value: unknown): string | undefined {
  if (value === undefined) return 'The line is not JSON, or nested too deep.';
  if (!isObject(value)) return 'The item is not a JSON object.';
  const named = identifiers(value).some((i) => isObject(i) && typeof i['value'] === 'string' && i['value'] !== '');
  if (!named)
    return 'The item does not say which device it comes from: device.identifier with system and value is missing.';
  if (adapter === 'readings' && typeof value['kind'] !== 'string') return 'The reading has no kind.';
  if (adapter !== 'readings' && value['payload'] === undefined) return 'The message has no payload.';
  return undefined;
}

/** Equal for items of one device, whatever the order of its identifiers. */
export const deviceOf = (item: Record<string, unknown>): string =>
  identifiers(item)
    .map((i) => `${String(i?.system ?? '')}|${String(i?.value ?? '')}`)
    .sort()
    .join('\n');
