/** The entries of a Bundle that is to be processed. Their resources stay slices of the text that came in. */
import { VitalwireError } from '../base/errors.ts';
import { itemsAt, membersAt } from '../base/json.ts';
import type { MaybePromise } from '../base/types.ts';
import type { RestContext, RestRequest } from './context.ts';

/** An entry as it came: nothing about it is checked. */
export interface RawEntry {
  readonly index: number;
  readonly value: unknown;
  /** Text of the resource; empty when there is none. */
  readonly text: string;
}

export interface Entry {
  readonly index: number;
  readonly fullUrl?: string | undefined;
  readonly request: RestRequest;
}

/** @throws VitalwireError `request.too-many` when there are more than `bundleEntriesMax`. */
export function rawEntries(ctx: RestContext, bundle: Readonly<Record<string, unknown>>, text: string): RawEntry[] {
  const values = bundle['entry'] ?? [];
  const { bundleEntriesMax } = ctx.limits;
  if (!Array.isArray(values))
    throw new VitalwireError('request.invalid', 'entry is a list.', { expression: ['Bundle.entry'] });
  if (values.length > bundleEntriesMax)
    throw new VitalwireError(
      'request.too-many',
      `The Bundle has ${values.length} entries; at most ${bundleEntriesMax} are taken. Send it in parts.`,
      { expression: ['Bundle.entry'] },
    );
  const list = membersAt(text).find((member) => member.name === 'entry');
  const places = list ? itemsAt(text, list.valueStart) : [];
  return values.map((value: unknown, index) => {
    const at = places[index];
    const resource = at && membersAt(text, at[0]).find((member) => member.name === 'resource');
    return { index, value, text: resource ? text.slice(resource.valueStart, resource.valueEnd) : '' };
  });
}

// FHIR R4 bundle.html: Bundle.entry.request. A member that is not known is refused: a misspelt condition must not be dropped.
const REQUEST_HEADERS: Readonly<Record<string, string>> = {
  ifMatch: 'if-match',
  ifNoneMatch: 'if-none-match',
  ifModifiedSince: 'if-modified-since',
  ifNoneExist: 'if-none-exist',
};
const REQUEST_MEMBERS: ReadonlySet<string> = new Set([
  ...['method', 'url', 'id', 'extension', 'modifierExtension'],
  ...Object.keys(REQUEST_HEADERS),
]);
const METHODS: ReadonlySet<unknown> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const wrong = (details: string): VitalwireError => new VitalwireError('request.invalid', details);

/**
 * The request that an entry stands for.
 * @param prefer what the Bundle was sent with.
 * @throws VitalwireError `request.invalid`
 */
export function entryOf(ctx: RestContext, raw: RawEntry, prefer: string | undefined): Entry {
  const { index, value, text } = raw;
  if (!isObject(value) || !isObject(value['request'])) throw wrong('An entry needs a request with method and url.');
  const { request, resource, fullUrl } = value;
  const { method, url } = request;
  if (typeof method !== 'string' || !METHODS.has(method))
    throw wrong('request.method is one of GET, HEAD, POST, PUT, PATCH and DELETE.');
  if (typeof url !== 'string') throw wrong('request.url is a text such as Patient/123.');
  if (fullUrl !== undefined && typeof fullUrl !== 'string') throw wrong('fullUrl is a text.');
  if (resource !== undefined && !isObject(resource)) throw wrong('resource is an object.');
  const sends = method === 'POST' || method === 'PUT' || method === 'PATCH';
  const headers: Record<string, string | undefined> = { prefer };
  for (const [name, given] of Object.entries(request)) {
    if (!REQUEST_MEMBERS.has(name) && !name.startsWith('_')) throw wrong(`request has no member ${name}.`);
    const header = REQUEST_HEADERS[name];
    if (header === undefined) continue;
    if (typeof given !== 'string') throw wrong(`request.${name} is a text.`);
    headers[header] = header === 'if-modified-since' ? new Date(given).toUTCString() : given;
  }
  const place = placeOf(ctx, url);
  const body = sends && resource ? bodyOf(method, resource, text, headers) : { body: '' };
  return { index, fullUrl, request: { method: method === 'HEAD' ? 'GET' : method, ...place, headers, ...body } };
}

/** A patch comes as a Binary (FHIR R4 http.html#patch), everything else as itself. */
function bodyOf(
  method: string,
  resource: Record<string, unknown>,
  text: string,
  headers: Record<string, string | undefined>,
): Pick<RestRequest, 'body' | 'parsed'> {
  const { resourceType, contentType, data } = resource;
  if (method === 'PATCH' && resourceType === 'Binary' && typeof data === 'string') {
    headers['content-type'] = typeof contentType === 'string' ? contentType : undefined;
    return { body: Buffer.from(data, 'base64').toString('utf8') };
  }
  headers['content-type'] = 'application/fhir+json';
  return { body: text, parsed: resource };
}

/**
 * Path and query of an entry's url: relative to the base, or absolute on this very server.
 * @throws VitalwireError `request.invalid` for another server, and for paths that climb.
 */
function placeOf(ctx: RestContext, url: string): { path: string; query: string } {
  let rest = url;
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)) {
    if (url !== ctx.base && !url.startsWith(`${ctx.base}/`) && !url.startsWith(`${ctx.base}?`))
      throw wrong('request.url is on another server. Use addresses relative to the base of this one.');
    rest = url.slice(ctx.base.length);
  }
  const question = rest.indexOf('?');
  const path = question === -1 ? rest : rest.slice(0, question);
  if (path.startsWith('//') || path.split('/').some((part) => part === '..' || part === '.' || /^%2e/i.test(part)))
    throw wrong('request.url may not leave the base of this server.');
  return { path: path.startsWith('/') ? path : `/${path}`, query: question === -1 ? '' : rest.slice(question + 1) };
}

/** Runs the work of one entry; what goes wrong is told with the entry's place: `Bundle.entry[3].resource.status`. */
export async function inEntry<T>(index: number, work: () => MaybePromise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof VitalwireError ? placed(error, index) : error;
  }
}

function placed(error: VitalwireError, index: number): VitalwireError {
  const place = `Bundle.entry[${index}]`;
  const move = (expression: readonly string[] | undefined): string[] =>
    expression?.length ? expression.map((each) => place + withinEntry(each)) : [place];
  const { issues, expression } = error.options;
  return new VitalwireError(error.code, error.message, {
    ...error.options,
    cause: error.options.cause ?? error,
    expression: move(expression),
    ...(issues ? { issues: issues.map((issue) => ({ ...issue, expression: move(issue.expression) })) } : {}),
  });
}

/** `Patient.name[0]` → `.resource.name[0]`; what is no path into the resource is left out. */
function withinEntry(expression: string): string {
  const type = /^[A-Z][A-Za-z]*(?=$|\.)/.exec(expression)?.[0];
  return type === undefined ? '' : `.resource${expression.slice(type.length)}`;
}
