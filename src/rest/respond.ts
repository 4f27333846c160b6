/** Answers of single interactions, as text and headers. */
import type { Principal } from '../access/principal.ts';
import type { PlainResponse } from '../base/http.ts';
import { outcome, outcomeOf } from '../fhir/outcome.ts';
import type { Stored, Written } from '../store/store.ts';
import { permitsVersion, sees } from './access.ts';
import type { RestContext } from './context.ts';
import { etag, httpDate } from './etag.ts';
import { parsePrefer } from './prefer.ts';
import { accessIfAny, presented } from './rules.ts';

export const FHIR_JSON = 'application/fhir+json; charset=utf-8';

/** For a body that says nothing about one version: a Bundle, an OperationOutcome. CONTRACT §3: answers are no-store. */
export const BODY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-type': FHIR_JSON,
  'cache-control': 'no-store',
});

export const bodyResponse = (body: string, status = 200): PlainResponse => ({ status, headers: BODY_HEADERS, body });

export function versionHeaders(version: number, lastUpdated: string): Record<string, string> {
  return {
    'content-type': FHIR_JSON,
    'cache-control': 'no-store',
    etag: etag(version),
    'last-modified': httpDate(lastUpdated),
  };
}

/** `Patient/1/_history/2`, below the base. */
export const versionPath = (type: string, id: string, version: number): string => `${type}/${id}/_history/${version}`;

export function stored(written: Written, method: Stored['method']): Stored {
  const { type, id, version, lastUpdated, text } = written;
  return { type, id, version, lastUpdated, method, deleted: method === 'DELETE', text };
}

/**
 * The body after a write. FHIR R4 http.html#ops (Prefer: return); CONTRACT §3 FHIR choices: without Prefer the resource, if
 * the token may read it; with `minimal` nothing. What the token may not read it does not get by writing either.
 */
export async function bodyAfterWrite(
  ctx: RestContext,
  principal: Principal,
  written: Stored,
  prefer: string | undefined,
): Promise<string> {
  const wanted = parsePrefer(prefer).return ?? 'representation';
  if (wanted === 'minimal') return '';
  if (wanted === 'OperationOutcome')
    return outcome(
      'information',
      'informational',
      `${written.type}/${written.id} is stored as version ${written.version}.`,
    );
  const access = accessIfAny(ctx, principal, 'r', written.type);
  if (!access) return '';
  if (!permitsVersion(ctx, access, written) && !(await sees(ctx, access, written))) return '';
  return presented(ctx, written, principal);
}

/** 201 or 200 after a create or update, with Location where something is new. FHIR R4 http.html#create */
export async function afterWrite(
  ctx: RestContext,
  principal: Principal,
  written: Stored,
  status: 200 | 201,
  prefer: string | undefined,
): Promise<PlainResponse> {
  const headers = versionHeaders(written.version, written.lastUpdated);
  headers['location'] = `${ctx.base}/${versionPath(written.type, written.id, written.version)}`;
  return { status, headers, body: await bodyAfterWrite(ctx, principal, written, prefer) };
}

const RETRY: ReadonlySet<number> = new Set([429, 503]);

/** The one place where an error becomes an answer. Faults are logged here, without bodies, ids or query strings. */
export function refuse(ctx: RestContext, error: unknown, method: string): PlainResponse {
  const { status, headers, body } = outcomeOf(error);
  if (status >= 500) ctx.log.error({ err: error, method, status }, 'a FHIR request failed');
  const all: Record<string, string> = { ...BODY_HEADERS, ...headers, 'content-type': FHIR_JSON };
  if (RETRY.has(status)) all['retry-after'] ??= '1';
  return { status, headers: all, body };
}
