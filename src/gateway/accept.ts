/** From the body of a request to items for the spool. Only form is judged here; the verdict is the server's. CONTRACT §6. */
import { VitalwireError } from '../base/errors.ts';
import { itemsAt, membersAt, shapeOf } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { deviceName, type Fault, formFault } from './form.ts';

/** CONTRACT §5 adapters. A mapping template is known to the server alone, so its name is unknown here. */
export const ADAPTERS: ReadonlySet<string> = new Set([
  'readings',
  'gatt',
  'openmhealth',
  'healthkit',
  'healthconnect',
  'hl7v2',
  'webhook',
]);

export type Accepted =
  | { readonly body: string; readonly device: string; readonly value: Record<string, unknown> }
  | { readonly issue: Fault };

interface Candidate {
  readonly text: string;
  /** Undefined when the text is no JSON, or nested too deep to look at. */
  readonly value: unknown;
}

/**
 * One entry per item, in order. An item that says no time gets `now`, the moment of reception, once and for all, so that
 * sending it again is the same reading.
 * @param ndjson one item a line
 * @throws VitalwireError `request.malformed`, `request.too-deep`, `request.too-many`
 */
export function accept(adapter: string, text: string, ndjson: boolean, now: string): readonly Accepted[] {
  const candidates = ndjson ? lines(text) : listed(adapter, text);
  if (candidates.length > limits.readingsPerRequestMax)
    throw new VitalwireError(
      'request.too-many',
      `A request may have ${limits.readingsPerRequestMax} items, this one has ${candidates.length}. Send it in parts.`,
    );
  return candidates.map(({ text, value }) => {
    const issue = formFault(adapter, value, text);
    if (issue) return { issue };
    const item = value as Record<string, unknown>;
    return {
      body: stamped(text, item, adapter === 'readings' ? 'time' : 'receivedAt', now),
      device: deviceName(item),
      value: item,
    };
  });
}

function lines(text: string): Candidate[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      try {
        shapeOf(line, limits.jsonDepthMax);
        return { text: line, value: JSON.parse(line) as unknown };
      } catch {
        return { text: line, value: undefined };
      }
    });
}

function listed(adapter: string, text: string): Candidate[] {
  shapeOf(text, limits.jsonDepthMax);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new VitalwireError('request.malformed', 'The body is not JSON.', { cause });
  }
  const name = adapter === 'readings' ? 'readings' : 'messages';
  const list = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  if (!Array.isArray(list))
    throw new VitalwireError(
      'request.malformed',
      `The body must be an object with the list "${name}", or one item a line as NDJSON.`,
    );
  // The last of two members of one name is the one that JSON.parse took.
  const member = membersAt(text).findLast((m) => m.name === name);
  return itemsAt(text, member?.valueStart).map(([start, end], i) => ({
    text: text.slice(start, end),
    value: list[i] as unknown,
  }));
}

function stamped(text: string, item: Record<string, unknown>, name: string, now: string): string {
  return item[name] === undefined ? `{"${name}":"${now}",${text.slice(text.indexOf('{') + 1)}` : text;
}
