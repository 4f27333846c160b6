/** A resource's text split and joined around `id` and `meta`, the only members the server writes into it. */
import { membersAt } from '../base/json.ts';

const MANAGED_META = new Set(['versionId', 'lastUpdated']);

export interface SplitText {
  /** Members of meta that the server does not own, each with a leading comma; or empty. */
  readonly meta: string;
  /** Everything but `resourceType`, `id` and `meta`: `,"status":"final"}`, with the closing brace. */
  readonly body: string;
}

/**
 * Splits valid JSON text of one resource. The other members keep their bytes and their order.
 */
export function splitResource(text: string): SplitText {
  let meta = '';
  let body = '';
  for (const m of membersAt(text)) {
    if (m.name === 'resourceType' || m.name === 'id') continue;
    if (m.name !== 'meta') {
      body += ',' + text.slice(m.start, m.valueEnd);
      continue;
    }
    for (const inner of membersAt(text, m.valueStart)) {
      if (!MANAGED_META.has(inner.name)) meta += ',' + text.slice(inner.start, inner.valueEnd);
    }
  }
  return { meta, body: body + '}' };
}

/** The stored text of a version. `id` and the instant need no escaping: ids are `[A-Za-z0-9\-.]{1,64}`. */
export function joinResource(
  type: string,
  id: string,
  version: number,
  lastUpdated: string,
  meta: string,
  body: string,
): string {
  return `{"resourceType":"${type}","id":"${id}","meta":{"versionId":"${version}","lastUpdated":"${lastUpdated}"${meta}}${body}`;
}
