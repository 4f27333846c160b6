/** Version tags: `W/"3"` is version 3. FHIR R4 http.html#versioning, #concurrency. */
import { VitalwireError } from '../base/errors.ts';

export const etag = (version: number): string => `W/"${version}"`;

// `Wed, 25 Nov 2026` of the day that was asked for last: nearly all that is asked for is of few days.
let day = '';
let dayText = '';

/** HTTP date of an instant text, which is in UTC as the store writes them. RFC 9110 §5.6.7 */
export function httpDate(lastUpdated: string): string {
  if (!lastUpdated.startsWith(day) || day === '') {
    day = lastUpdated.slice(0, 10);
    dayText = new Date(`${day}T00:00:00Z`).toUTCString().slice(0, 16);
  }
  return `${dayText} ${lastUpdated.slice(11, 19)} GMT`;
}

const ONE = /^\s*(?:W\/)?"([1-9]\d{0,15})"\s*$/;

/**
 * Versions that If-Match names; `*` is any.
 * @throws VitalwireError `request.value` when it is not a list of version tags.
 */
export function parseIfMatch(header: string | undefined): readonly number[] | '*' | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  return header.split(',').map((tag) => {
    const found = ONE.exec(tag);
    if (!found)
      throw new VitalwireError('request.value', 'If-Match is not a version tag. Send it as in ETag, e.g. W/"3".');
    return Number(found[1]);
  });
}

/** @throws VitalwireError `resource.version` (412) when the newest version is not one that If-Match names. */
export function assertMatch(wanted: readonly number[] | '*' | undefined, version: number): void {
  if (wanted === undefined || wanted === '*' || wanted.includes(version)) return;
  throw new VitalwireError(
    'resource.version',
    `If-Match does not name the newest version, which is ${version}. Read the resource again and repeat the change.`,
    { headers: { etag: etag(version) } },
  );
}

/** Whether a conditional read may be answered with 304. FHIR R4 http.html#cread */
export function notModified(
  headers: Readonly<Record<string, string | undefined>>,
  version: number,
  lastUpdated: string,
): boolean {
  const none = headers['if-none-match'];
  if (none !== undefined) {
    const tag = `"${version}"`;
    return none.split(',').some((t) => t.trim() === '*' || t.trim().replace(/^W\//, '') === tag);
  }
  const since = headers['if-modified-since'];
  if (since === undefined) return false;
  const at = Date.parse(since);
  // Last-Modified was sent in whole seconds, so it is compared in whole seconds.
  return !Number.isNaN(at) && Date.parse(lastUpdated) < at + 1000;
}
