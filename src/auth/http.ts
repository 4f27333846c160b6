/**
 * Everything below `/auth`. The library is reached by the addresses in one table and by no other; what needs a person is
 * answered here. No body is read before the library reads it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { send } from '../base/http.ts';
import { type Addresses, ROUTES } from './addresses.ts';
import { DEVICE_GRANT } from './metadata.ts';
import { authorizePage, logoutPage, managePage, PAGE_HEADERS } from './pages.ts';

export type Listener = (req: IncomingMessage, res: ServerResponse) => void;

const MOUNT = '/auth';
/** RFC 8414 §3.1: for an issuer with a path the document is also found here. */
const WELL_KNOWN = '/.well-known/oauth-authorization-server';
const METADATA = ['/.well-known/openid-configuration', WELL_KNOWN];

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' };

type Answer = (req: IncomingMessage, res: ServerResponse, path: string) => void;

const answerJson =
  (status: number, error: string, description: string, headers: Record<string, string> = {}): Answer =>
  (req, res) => {
    req.resume();
    const body = JSON.stringify({ error, error_description: description });
    send(res, { status, headers: { ...JSON_HEADERS, ...headers }, body });
  };

const answerPage =
  (status: number, html: string): Answer =>
  (req, res) => {
    req.resume();
    send(res, { status, headers: PAGE_HEADERS, body: html });
  };

const notFound = answerJson(404, 'not_found', 'There is nothing at this address of the authorization server.');

const notAllowed = (methods: Iterable<string>): Answer =>
  answerJson(405, 'invalid_request', 'This address does not take that method.', { allow: [...methods].join(', ') });

/** By path below the mount, then by method. */
function table(provider: Listener): ReadonlyMap<string, ReadonlyMap<string, Answer>> {
  // The library looks for its mount in `originalUrl`, as express leaves it.
  const toProvider: Answer = (req, res, path) => {
    const query = (req.url ?? '').indexOf('?');
    Object.assign(req, { originalUrl: req.url });
    req.url = path + (query === -1 ? '' : (req.url as string).slice(query));
    provider(req, res);
  };
  const post = new Map([
    ['POST', toProvider],
    ['OPTIONS', toProvider],
  ]);
  const get = new Map([
    ['GET', toProvider],
    ['HEAD', toProvider],
    ['OPTIONS', toProvider],
  ]);
  const pages = (status: number, html: string): ReadonlyMap<string, Answer> =>
    new Map(['GET', 'HEAD', 'POST'].map((method) => [method, answerPage(status, html)]));
  const register = answerJson(
    401,
    'invalid_token',
    'Registration needs an initial access token, and this one is not valid. The operator of this server registers clients.',
    { 'www-authenticate': 'Bearer error="invalid_token"' },
  );
  const device = answerJson(
    400,
    'unauthorized_client',
    `No client may use ${DEVICE_GRANT} on this server: it offers no sign-in for people yet.`,
  );
  return new Map<string, ReadonlyMap<string, Answer>>([
    [ROUTES.token, post],
    [ROUTES.introspection, post],
    [ROUTES.revocation, post],
    [ROUTES.jwks, get],
    ...METADATA.map((path) => [path, get] as const),
    [ROUTES.authorization, pages(400, authorizePage)],
    [ROUTES.management, pages(200, managePage)],
    [ROUTES.end_session, pages(200, logoutPage)],
    [ROUTES.registration, new Map([['POST', register]])],
    [ROUTES.device_authorization, new Map([['POST', device]])],
  ]);
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

/** @param provider listener of the library, for paths below its mount. */
export function authListener(provider: Listener, addresses: Addresses): Listener {
  const routes = table(provider);
  const rooted = WELL_KNOWN + new URL(addresses.issuer).pathname;
  return (req, res) => {
    const full = pathOf(req.url ?? '/');
    const path = full === rooted ? WELL_KNOWN : full.startsWith(`${MOUNT}/`) ? full.slice(MOUNT.length) : '';
    const methods = routes.get(path);
    if (!methods) return notFound(req, res, path);
    const answer = methods.get(req.method ?? 'GET') ?? notAllowed(methods.keys());
    return answer(req, res, path);
  };
}
