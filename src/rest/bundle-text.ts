/** Bundles made by joining texts: nothing that is stored is parsed or serialised to be listed. */
import { STATUS_CODES } from 'node:http';
import { etag } from './etag.ts';

export interface Link {
  readonly relation: 'self' | 'next';
  readonly url: string;
}

export interface BundleParts {
  readonly type: 'searchset' | 'history' | 'batch-response' | 'transaction-response';
  readonly total?: number | undefined;
  readonly links?: readonly Link[];
  /** Each the text of one entry. */
  readonly entries: readonly string[];
}

/** FHIR R4 bundle.html. An empty list is left out: FHIR has no empty arrays. */
export function bundleText({ type, total, links, entries }: BundleParts): string {
  let text = `{"resourceType":"Bundle","type":"${type}"`;
  if (total !== undefined) text += `,"total":${total}`;
  if (links?.length) text += `,"link":${JSON.stringify(links)}`;
  if (entries.length > 0) text += `,"entry":[${entries.join(',')}]`;
  return `${text}}`;
}

/** An entry of a searchset. `fullUrl` and ids need no escaping. */
export const searchEntry = (base: string, type: string, id: string, text: string, mode: 'match' | 'include'): string =>
  `{"fullUrl":"${base}/${type}/${id}","resource":${text},"search":{"mode":"${mode}"}}`;

/** FHIR R4 search.html#errors: what was ignored or cut is said in the Bundle itself. */
export const outcomeEntry = (outcome: string): string => `{"resource":${outcome},"search":{"mode":"outcome"}}`;

const statusText = (status: number): string => `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();

export interface EntryResponse {
  readonly status: number;
  /** `Patient/1/_history/2` */
  readonly location?: string | undefined;
  readonly version?: number | undefined;
  /** Instant text. */
  readonly lastUpdated?: string | undefined;
  /** Text of a resource that answers the entry. */
  readonly resource?: string | undefined;
  /** Text of an OperationOutcome. */
  readonly outcome?: string | undefined;
}

/** An entry of a batch-response, transaction-response; of a history with `head` before the response. */
export function responseEntry(response: EntryResponse, head = ''): string {
  const { status, location, version, lastUpdated, resource, outcome } = response;
  let text = `{${head}`;
  if (resource) text += `"resource":${resource},`;
  text += `"response":{"status":"${statusText(status)}"`;
  if (location) text += `,"location":"${location}"`;
  if (version !== undefined) text += `,"etag":${JSON.stringify(etag(version))}`;
  if (lastUpdated) text += `,"lastModified":"${lastUpdated}"`;
  if (outcome) text += `,"outcome":${outcome}`;
  return `${text}}}`;
}
