/** What the caller takes as an answer. FHIR R4 http.html#mime-type, http.html#parameters */
import { VitalwireError } from '../base/errors.ts';

const FORMATS: ReadonlySet<string> = new Set(['json', 'application/json', 'application/fhir+json', 'text/json']);
const TAKEN: ReadonlySet<string> = new Set([...FORMATS, '*/*', 'application/*', 'text/*', '*']);

/**
 * `_format` wins over Accept.
 * @throws VitalwireError `request.not-acceptable` when JSON is not among what is taken.
 */
export function assertAcceptsJson(accept: string | undefined, query: string): void {
  const format = query.includes('_format=') ? new URLSearchParams(query).get('_format') : null;
  // An unencoded + in a query is a space to URLSearchParams.
  if (format !== null && format !== '') {
    if (FORMATS.has(bare(format.replace(' ', '+')))) return;
  } else if (accept === undefined || accept === '' || accept === 'application/fhir+json' || accept === '*/*') return;
  else if (accept.split(',').some((each) => TAKEN.has(bare(each)) && !refused(each))) return;
  throw new VitalwireError('request.not-acceptable', 'Only JSON is spoken here. Accept application/fhir+json.');
}

const bare = (type: string): string => type.split(';', 1)[0]!.trim().toLowerCase();
const refused = (type: string): boolean => /;\s*q=0(\.0*)?\s*(;|$)/i.test(type);
