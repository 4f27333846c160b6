/** /ingest over HTTP: its own reader and its own head, no framework. Who asks is known before the body is read. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal, TokenVerifier } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import { type PlainResponse, readBody, send } from '../base/http.ts';
import type { Limits } from '../base/limits.ts';
import type { Ingest } from './index.ts';

const PREFIX = '/ingest';

function unauthorised(sent: boolean): VitalwireError {
  return sent
    ? new VitalwireError('auth.invalid', 'The token is not valid, or not any more. Ask for a new one.', {
        headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
      })
    : new VitalwireError('auth.missing', 'This takes an access token: Authorization: Bearer <token>.', {
        headers: { 'www-authenticate': 'Bearer' },
      });
}

async function bearer(req: IncomingMessage, verifier: TokenVerifier): Promise<Principal> {
  const token = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  if (token === undefined) throw unauthorised(false);
  const found = verifier.verify(token);
  const principal = found instanceof Promise ? await found : found;
  if (!principal) throw unauthorised(true);
  return principal;
}

/** Path below `/ingest`, and the query without its question mark. */
function target(url: string): { path: string; query: string } {
  const mark = url.indexOf('?');
  const whole = mark === -1 ? url : url.slice(0, mark);
  return {
    path: whole === PREFIX || whole.startsWith(`${PREFIX}/`) ? whole.slice(PREFIX.length) : whole,
    query: mark === -1 ? '' : url.slice(mark + 1),
  };
}

async function answer(
  req: IncomingMessage,
  ingest: Ingest,
  verifier: TokenVerifier,
  limits: Limits,
): Promise<PlainResponse> {
  const url = req.url ?? '/';
  if (url.length > limits.urlBytesMax)
    throw new VitalwireError('request.invalid', `The address is longer than ${limits.urlBytesMax} bytes.`);
  const principal = await bearer(req, verifier);
  const headers = req.headers as Record<string, string | undefined>;
  const request = { method: req.method ?? 'GET', ...target(url), headers };
  const refused = ingest.refuse(request, principal);
  if (refused) return refused;
  const body = request.method === 'POST' ? await readBody(req, limits.bodyBytesMax) : '';
  return ingest.handle({ ...request, body }, principal);
}

/** For a server that mounts it at `/ingest`, with or without the prefix in `req.url`. */
export function ingestListener(
  ingest: Ingest,
  verifier: TokenVerifier,
  limits: Limits,
): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    answer(req, ingest, verifier, limits)
      .catch((error: unknown) => ingest.failure(error))
      .then((response) => {
        send(res, response);
        // What was refused before it was read must not hold the connection.
        req.resume();
      })
      .catch(() => res.destroy());
  };
}
