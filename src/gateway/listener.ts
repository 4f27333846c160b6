/** The gateway's own HTTP: readings in, status out. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, instant } from '../base/clock.ts';
import { VitalwireError } from '../base/errors.ts';
import { mediaType, readBody, send } from '../base/http.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { type Accepted, ADAPTERS, accept } from './accept.ts';
import { isLoopbackAddress, isLoopbackName } from './config.ts';
import type { DeadLetter, NewItem } from './spool.ts';
import type { GatewayStatus, View } from './view.ts';

export interface ListenerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly view: View;
  /** Bearer token of other hosts; undefined: loopback only. */
  readonly localToken: string | undefined;
  status(): GatewayStatus;
  /** Newest first. */
  deadLetters(itemsMax: number): readonly DeadLetter[];
  /** The server's time as far as it is known; stamps what says no time. */
  serverNow(): number;
  /** Resolves once synced to disk. */
  keep(items: readonly NewItem[]): Promise<void>;
}

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };
const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
};

export function createListener(options: ListenerOptions): Listener {
  return (req, res) => {
    answer(options, req, res).catch((error: unknown) => fail(options, res, error));
  };
}

async function answer(options: ListenerOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const path = (req.url ?? '/').split('?', 1)[0] as string;
  if (path === '/healthz') {
    assertMethod(req, 'GET');
    return json(res, 200, { status: 'ok' });
  }
  admit(options, req);
  if (path === '/status') {
    assertMethod(req, 'GET');
    return json(res, 200, options.status());
  }
  if (path === '/dead-letters') {
    assertMethod(req, 'GET');
    return json(res, 200, { deadLetters: shownLetters(options) });
  }
  if (path === '/') {
    assertMethod(req, 'GET');
    return send(res, { status: 200, headers: PAGE_HEADERS, body: options.view.page(options.status()) });
  }
  const adapter = /^\/ingest\/([^/]+)$/.exec(path)?.[1];
  if (adapter === undefined || !ADAPTERS.has(adapter)) throw unknownPath(adapter);
  assertMethod(req, 'POST');
  return json(res, 202, { results: await take(options, adapter, req) });
}

function shownLetters(options: ListenerOptions): readonly Record<string, unknown>[] {
  return options.deadLetters(limits.pageEntriesDefault).map(({ adapter, at, code, details, body }) => ({
    adapter,
    at: instant(at),
    issue: { code, details },
    item: JSON.parse(body) as unknown,
  }));
}

function unknownPath(adapter: string | undefined): VitalwireError {
  return new VitalwireError(
    'path.unknown',
    adapter === undefined
      ? 'There is nothing at this address. Readings go to POST /ingest/readings.'
      : `This gateway knows no adapter of that name. It takes ${[...ADAPTERS].join(', ')}.`,
  );
}

function assertMethod(req: IncomingMessage, method: 'GET' | 'POST'): void {
  if (req.method === method || (method === 'GET' && req.method === 'HEAD')) return;
  throw new VitalwireError('request.method', `This address is used with ${method}.`, { headers: { allow: method } });
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * From loopback without a login (CONTRACT §6), from other hosts with the local token. What a proxy on this machine passes on
 * comes from elsewhere, and a page that a browser was led to by another name (DNS rebinding) is no local program.
 * @throws VitalwireError `auth.missing`, `auth.invalid`, `auth.forbidden`
 */
function admit({ localToken }: ListenerOptions, req: IncomingMessage): void {
  const { forwarded, host, authorization, 'x-forwarded-for': forwardedFor } = req.headers;
  const name = (host ?? 'localhost').replace(/:\d+$/, '');
  const local = isLoopbackAddress(req.socket.remoteAddress) && forwarded === undefined && forwardedFor === undefined;
  if (local && isLoopbackName(name)) return;
  if (localToken === undefined)
    throw new VitalwireError(
      'auth.forbidden',
      'This gateway serves its own machine only. Set LOCAL_TOKEN_FILE to let other hosts in.',
    );
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined)
    throw new VitalwireError('auth.missing', 'Send the token of LOCAL_TOKEN_FILE as "Authorization: Bearer …".', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  if (!timingSafeEqual(digest(given), digest(localToken)))
    throw new VitalwireError('auth.invalid', 'The token is not that of LOCAL_TOKEN_FILE.', {
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
}

type Good = Extract<Accepted, { readonly body: string }>;

interface Result {
  readonly index: number;
  readonly status: 'queued' | 'rejected';
  readonly issue?: { readonly code: string; readonly details: string };
}

async function take(options: ListenerOptions, adapter: string, req: IncomingMessage): Promise<readonly Result[]> {
  const type = mediaType(req.headers['content-type']);
  if (type !== 'application/json' && type !== 'application/x-ndjson')
    throw new VitalwireError('request.media-type', 'Send application/json or application/x-ndjson.');
  const body = await readBody(req, limits.bodyBytesMax);
  const received = options.clock.now();
  const accepted = accept(adapter, body, type === 'application/x-ndjson', instant(options.serverNow()));
  const good = accepted.filter((a): a is Good => 'body' in a);
  if (good.length > 0) await options.keep(good.map(({ body, device }) => ({ adapter, device, received, body })));
  for (const { value } of good) options.view.saw(adapter, value, received);
  return accepted.map((a, index) =>
    'body' in a ? { index, status: 'queued' } : { index, status: 'rejected', issue: a.issue },
  );
}

function json(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  send(res, { status, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(body) });
}

function fail({ log }: ListenerOptions, res: ServerResponse, error: unknown): void {
  if (!(error instanceof VitalwireError)) {
    log.error({ err: error }, 'a request failed');
    const details = 'The gateway failed on this request. Send it again.';
    json(res, 500, { issue: { code: 'server.fault', details } });
    return;
  }
  const { status, code, message, options } = error;
  if (status >= 500) log.error({ code, err: options.private }, message);
  json(res, status, { issue: { code, details: message } }, options.headers);
}
