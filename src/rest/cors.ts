/** Browser apps of other origins. The API takes bearer tokens and no cookies, so an origin by itself gives nobody any right. */
import type { IncomingMessage } from 'node:http';
import type { PlainResponse } from '../base/http.ts';

const EXPOSED = 'ETag, Location, Content-Location, Last-Modified, Retry-After, WWW-Authenticate';

/** For answers that anyone may read: the CapabilityStatement. */
export const ANY_ORIGIN: Readonly<Record<string, string>> = Object.freeze({
  'access-control-allow-origin': '*',
  'access-control-expose-headers': EXPOSED,
});

/** Undefined when the request does not come from a browser app. */
export function corsHeaders(origin: string | undefined): Record<string, string> | undefined {
  if (origin === undefined) return undefined;
  return { 'access-control-allow-origin': origin, vary: 'Origin', 'access-control-expose-headers': EXPOSED };
}

/** A preflight carries no token, so it is answered for everyone; the real request is judged. */
export function preflight(req: IncomingMessage): PlainResponse {
  return {
    status: 204,
    headers: {
      ...(corsHeaders(req.headers.origin) ?? {}),
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers':
        'Authorization, Content-Type, Content-Encoding, Accept, Prefer, If-Match, If-None-Match, If-None-Exist, If-Modified-Since',
      'access-control-max-age': '600',
      allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
    },
  };
}
