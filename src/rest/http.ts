/**
 * The FHIR API on a socket: reads the body itself, checks the token, routes, writes. No framework: reading a resource by its id
 * is the most frequent thing that happens here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal, TokenVerifier } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import { type PlainRequest, type PlainResponse, readBody, send } from '../base/http.ts';
import type { RestContext } from './context.ts';
import { ANY_ORIGIN, corsHeaders, preflight } from './cors.ts';
import { capabilities } from './interactions/capabilities.ts';
import { assertAcceptsJson } from './media.ts';
import { methodUnknown } from './refusals.ts';
import { refuse } from './respond.ts';
import { handle } from './router.ts';

/** Answers everything below `/fhir`, whether or not that prefix is still in front of `req.url`. */
export function fhirListener(
  ctx: RestContext,
  verifier: TokenVerifier,
): (req: IncomingMessage, res: ServerResponse) => void {
  const mounts = [new URL(ctx.base).pathname, '/fhir'];
  return (req, res) => {
    const fail = (error: unknown): void => {
      finish(req, res, refuse(ctx, error, req.method ?? ''));
    };
    try {
      const place = placeOf(ctx, mounts, req.url ?? '/');
      if (req.method === 'OPTIONS') return send(res, preflight(req));
      if (place.path === '/metadata') return send(res, metadata(ctx, req, place.query));
      assertAcceptsJson(req.headers.accept, place.query);
      const principal = principalOf(req, verifier);
      if (principal instanceof Promise) principal.then((p) => serve(ctx, req, res, place, p)).catch(fail);
      else serve(ctx, req, res, place, principal).catch(fail);
    } catch (error) {
      fail(error);
    }
  };
}

interface Place {
  readonly path: string;
  readonly query: string;
}

/** @throws VitalwireError `request.invalid` when the address is too long. */
function placeOf(ctx: RestContext, mounts: readonly string[], url: string): Place {
  if (url.length > ctx.limits.urlBytesMax)
    throw new VitalwireError(
      'request.invalid',
      `The address is longer than ${ctx.limits.urlBytesMax} bytes. Send long searches by POST to _search.`,
    );
  const question = url.indexOf('?');
  const whole = question === -1 ? url : url.slice(0, question);
  const query = question === -1 ? '' : url.slice(question + 1);
  for (const mount of mounts) {
    if (whole === mount) return { path: '/', query };
    if (whole.startsWith(mount) && whole.charCodeAt(mount.length) === 47)
      return { path: whole.slice(mount.length), query };
  }
  return { path: whole, query };
}

/** FHIR R4 http.html#capabilities: read without login, from any origin. */
function metadata(ctx: RestContext, req: IncomingMessage, query: string): PlainResponse {
  if (req.method !== 'GET' && req.method !== 'HEAD') throw methodUnknown(req.method ?? '', 'metadata', 'GET');
  assertAcceptsJson(req.headers.accept, query);
  const response = capabilities(ctx);
  return { ...response, headers: { ...response.headers, ...ANY_ORIGIN } };
}

/** @throws VitalwireError `auth.missing` or `auth.invalid` (401). RFC 6750 §3 */
function principalOf(req: IncomingMessage, verifier: TokenVerifier): Principal | Promise<Principal> {
  const header = req.headers.authorization;
  if (header === undefined || header.length < 8 || header.slice(0, 7).toLowerCase() !== 'bearer ')
    throw new VitalwireError('auth.missing', 'This address needs an access token: Authorization: Bearer <token>.', {
      headers: { 'www-authenticate': 'Bearer realm="fhir"' },
    });
  const verdict = verifier.verify(header.slice(7).trim());
  return verdict instanceof Promise ? verdict.then(held) : held(verdict);
}

function held(principal: Principal | undefined): Principal {
  if (principal) return principal;
  throw new VitalwireError('auth.invalid', 'The access token is unknown, expired or revoked. Ask for a new one.', {
    headers: { 'www-authenticate': 'Bearer realm="fhir", error="invalid_token"' },
  });
}

const withBody = (method: string): boolean => method === 'POST' || method === 'PUT' || method === 'PATCH';

async function serve(
  ctx: RestContext,
  req: IncomingMessage,
  res: ServerResponse,
  { path, query }: Place,
  principal: Principal,
): Promise<void> {
  const method = req.method === 'HEAD' ? 'GET' : (req.method ?? 'GET');
  const body = withBody(method) ? await readBody(req, ctx.limits.bodyBytesMax) : '';
  // Only Set-Cookie comes as a list, and nothing here looks at it.
  const headers = req.headers as PlainRequest['headers'];
  finish(req, res, await handle(ctx, { method, path, query, headers, body }, principal));
}

function finish(req: IncomingMessage, res: ServerResponse, response: PlainResponse): void {
  const cors = corsHeaders(req.headers.origin);
  send(res, cors ? { ...response, headers: { ...response.headers, ...cors } } : response);
}
