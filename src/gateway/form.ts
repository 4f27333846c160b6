/** What an item must look like to be worth keeping: the server's own check of form, so that both say the same. */
import { checkReading, deviceOf, isIssue } from '../ingest/wire.ts';

export interface Fault {
  readonly code: string;
  readonly details: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @param value the parsed item; undefined when its text is no JSON
 * @param text the item as it came
 * @returns undefined when the form is right
 */
export function formFault(adapter: string, value: unknown, text: string): Fault | undefined {
  if (value === undefined) return malformed('The line is not JSON, or nested too deep.');
  if (!isObject(value)) return malformed('The item is not a JSON object.');
  if (adapter === 'readings') {
    const reading = checkReading(value, () => ({ text, at: 0 }));
    return isIssue(reading) ? reading : undefined;
  }
  const device = deviceOf(value['device']);
  if (isIssue(device)) return device;
  return value['payload'] === undefined ? malformed('The message has no "payload".') : undefined;
}

const malformed = (details: string): Fault => ({ code: 'payload.malformed', details });

/** Equal for items of one device, whatever the order of its identifiers. The form must be right. */
export function deviceName(item: Record<string, unknown>): string {
  const device = deviceOf(item['device']);
  if (isIssue(device)) return '';
  return device
    .map((i) => `${i.system ?? ''}|${i.value}`)
    .sort()
    .join('\n');
}
