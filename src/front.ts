/** The front door: which room answers which address. Hot paths are reached without a framework. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { send } from './base/http.ts';
import type { Logger } from './base/log.ts';

export type Listener = (req: IncomingMessage, res: ServerResponse) => void;

export interface State {
  status: 'starting' | 'ready' | 'stopping';
  reason: string;
}

export interface FrontDoor {
  readonly state: State;
  readonly log: Logger;
  readonly fhir: Listener;
  readonly ingest: Listener;
  readonly auth: Listener;
  readonly pages: Listener;
  /** JSON texts, made once. */
  readonly discovery: string;
  readonly webhookKeys: string;
  readonly brands: string;
  readonly metrics: (req: IncomingMessage) => Promise<{ status: number; type: string; body: string }>;
  /** Rejects when the store cannot serve. */
  readonly ping: () => Promise<void>;
}

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };
const OPEN_JSON = { ...JSON_HEADERS, 'access-control-allow-origin': '*' };

const json = (
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = JSON_HEADERS,
): void => send(res, { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

const retry = { ...JSON_HEADERS, 'retry-after': '1' };

/** Before the store is open: alive, but not ready. */
export function notReady(state: State): Listener {
  return (req, res) => {
    if (pathOf(req) === '/healthz') return json(res, 200, { status: 'ok' });
    return json(res, 503, { status: state.status, reason: state.reason }, retry);
  };
}

function pathOf(req: IncomingMessage): string {
  const url = req.url ?? '/';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

const below = (url: string, prefix: string): boolean =>
  url.startsWith(prefix) && (url.length === prefix.length || url[prefix.length] === '/' || url[prefix.length] === '?');

export function ready(door: FrontDoor): Listener {
  const small = smallRoutes(door);
  return (req, res) => {
    const url = req.url ?? '/';
    const fixed = small.get(pathOf(req));
    if (fixed) return fixed(req, res);
    if (below(url, '/fhir')) return door.fhir(req, res);
    if (below(url, '/ingest')) return door.ingest(req, res);
    if (below(url, '/auth') || below(url, '/.well-known/oauth-authorization-server')) return door.auth(req, res);
    return door.pages(req, res);
  };
}

function smallRoutes(door: FrontDoor): ReadonlyMap<string, Listener> {
  const readOnly =
    (answer: Listener): Listener =>
    (req, res) => {
      if (req.method === 'OPTIONS')
        return send(res, {
          status: 204,
          headers: {
            'access-control-allow-origin': '*',
            'access-control-allow-methods': 'GET',
            'access-control-allow-headers': '*',
          },
        });
      if (req.method === 'GET' || req.method === 'HEAD') return answer(req, res);
      return json(res, 405, { error: 'This address is read with GET.' });
    };
  return new Map<string, Listener>([
    ['/healthz', readOnly((_req, res) => json(res, 200, { status: 'ok' }))],
    ['/readyz', readOnly((_req, res) => void readiness(door, res))],
    ['/metrics', readOnly((req, res) => void metrics(door, req, res))],
    // SMART App Launch 2.2 conformance: application/json whatever is accepted, any origin, no login.
    ['/fhir/.well-known/smart-configuration', readOnly((_req, res) => json(res, 200, door.discovery, OPEN_JSON))],
    ['/.well-known/webhook-keys', readOnly((_req, res) => json(res, 200, door.webhookKeys, OPEN_JSON))],
    [
      '/brands',
      readOnly((_req, res) =>
        send(res, {
          status: 200,
          headers: { ...OPEN_JSON, 'content-type': 'application/fhir+json' },
          body: door.brands,
        }),
      ),
    ],
  ]);
}

async function readiness(door: FrontDoor, res: ServerResponse): Promise<void> {
  if (door.state.status !== 'ready')
    return json(res, 503, { status: door.state.status, reason: door.state.reason }, retry);
  try {
    await door.ping();
    return json(res, 200, { status: 'ready' });
  } catch (error) {
    door.log.error({ err: error }, 'the store does not answer');
    return json(res, 503, { status: 'unavailable', reason: 'the store does not answer' }, retry);
  }
}

async function metrics(door: FrontDoor, req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    const { status, type, body } = await door.metrics(req);
    send(res, { status, headers: { 'content-type': type, 'cache-control': 'no-store' }, body });
  } catch (error) {
    door.log.error({ err: error }, 'the metrics could not be read');
    json(res, 503, { status: 'unavailable', reason: 'the store does not answer' }, retry);
  }
}
