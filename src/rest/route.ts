/** The parts of a path. */
import { VitalwireError } from '../base/errors.ts';

/**
 * The decoded segments of a path that begins with a slash; one slash at the end does not count.
 * @throws VitalwireError `request.malformed` when the percent-encoding is broken.
 */
export function segments(path: string): readonly string[] {
  const end = path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length;
  if (end <= 1) return [];
  const parts = path.slice(1, end).split('/');
  if (!path.includes('%')) return parts;
  try {
    return parts.map((part) => decodeURIComponent(part));
  } catch (cause) {
    throw new VitalwireError('request.malformed', 'The percent-encoding of the URL is broken.', { cause });
  }
}

/** FHIR R4 datatypes.html#id: `[A-Za-z0-9\-.]{1,64}`, without a regular expression because it is on every read. */
export function isId(text: string): boolean {
  if (text.length === 0 || text.length > 64) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const letter = (c >= 97 && c <= 122) || (c >= 65 && c <= 90);
    if (!letter && !(c >= 48 && c <= 57) && c !== 45 && c !== 46) return false;
  }
  return true;
}

/** @throws VitalwireError `request.invalid` */
export function assertId(id: string): void {
  if (!isId(id))
    throw new VitalwireError('request.invalid', 'An id has 1 to 64 letters, digits, dashes and dots. Check the URL.');
}
