/** Client metadata as it is given (RFC 7591 and SMART) and what is wrong with it, sentence by sentence. */
import { parseScope } from '../access/scopes.ts';
import { ASSERTION_ALGS, checkJwks, type PublicJwk } from './jwks.ts';

export const AUTH_METHODS = ['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const GRANTS = ['authorization_code', 'client_credentials', 'refresh_token', DEVICE_GRANT];

/** RFC 7591 §2, OpenID Connect Registration §2 and SMART; what is not among them is a warning. */
const KNOWN = new Set(
  [
    'client_id client_name client_uri client_secret client_id_issued_at client_secret_expires_at redirect_uris',
    'token_endpoint_auth_method token_endpoint_auth_signing_alg grant_types response_types scope contacts logo_uri tos_uri',
    'policy_uri jwks jwks_uri software_id software_version software_statement application_type subject_type',
    'initiate_login_uri launch_uris post_logout_redirect_uris default_max_age require_auth_time default_acr_values',
    'id_token_signed_response_alg',
  ].flatMap((line) => line.split(' ')),
);
/** Scopes that are not for resources. SMART App Launch 2.2 scopes-and-launch-context. */
const OTHER_SCOPES = new Set(
  'openid fhirUser profile launch launch/patient launch/encounter offline_access online_access'.split(' '),
);

type Given = Readonly<Record<string, unknown>>;

export interface Findings {
  readonly mistakes: string[];
  readonly warnings: string[];
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function textList(given: Given, name: string, at: string, found: Findings): readonly string[] {
  const value = given[name];
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every(isText)) return [...new Set(value)];
  found.mistakes.push(`${at}.${name} must be a list of texts.`);
  return [];
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** Whether this is an `http:` address of the machine itself. */
export const isLoopbackHttp = (uri: string): boolean => {
  const url = URL.parse(uri);
  return url?.protocol === 'http:' && LOOPBACK.test(url.hostname);
};

function uriMistake(uri: string, native: boolean): string | undefined {
  const url = URL.parse(uri);
  if (!url) return 'is not an absolute URL';
  if (uri.includes('#')) return 'must not have a fragment';
  if (url.protocol === 'https:' || isLoopbackHttp(uri)) return undefined;
  if (url.protocol === 'http:') return 'must begin with https: (http: only on loopback)';
  // RFC 8252 §7.1: a private scheme has the shape of a reversed domain name.
  return native && url.protocol.includes('.') ? undefined : `has the scheme ${url.protocol} that is not allowed`;
}

export function uriList(given: Given, name: string, at: string, native: boolean, found: Findings): readonly string[] {
  const uris = textList(given, name, at, found);
  for (const uri of uris) {
    const mistake = uriMistake(uri, native);
    if (mistake !== undefined) found.mistakes.push(`${at}.${name}: ${uri} ${mistake}.`);
  }
  return uris;
}

export function checkClientId(given: Given, at: string, found: Findings): string {
  const id = given['client_id'];
  if (id === undefined || id === '') found.mistakes.push(`${at} needs a client_id.`);
  else if (typeof id !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(id))
    found.mistakes.push(`${at}.client_id must be 1 to 200 printable ASCII characters without spaces.`);
  else return id;
  return '';
}

export function checkUnknown(given: Given, at: string, found: Findings): void {
  for (const name of Object.keys(given))
    if (!KNOWN.has(name)) found.warnings.push(`${at}: unknown field ${name} is ignored.`);
}

export interface Credentials {
  readonly method: AuthMethod;
  readonly keys?: readonly PublicJwk[];
  readonly jwksUri?: string;
  readonly secret?: string;
}

function checkJwksUri(value: unknown, at: string, found: Findings): string | undefined {
  if (value === undefined) return undefined;
  const url = isText(value) ? URL.parse(value) : null;
  if (url && /^https?:$/.test(url.protocol) && url.hash === '' && url.username === '') return value as string;
  found.mistakes.push(`${at}.jwks_uri must be an https: address.`);
  return undefined;
}

/** CONTRACT §2 a registered client: keys → private_key_jwt, a secret → basic or post, neither → public. */
export function checkCredentials(given: Given, at: string, found: Findings): Credentials {
  const { jwks, client_secret: secret, token_endpoint_auth_method: asked } = given;
  const jwksUri = checkJwksUri(given['jwks_uri'], at, found);
  let keys: readonly PublicJwk[] | undefined;
  if (jwks !== undefined) {
    const checked = checkJwks(jwks, `${at}.jwks`);
    found.mistakes.push(...checked.mistakes);
    found.warnings.push(...checked.warnings);
    keys = checked.keys;
  }
  if (jwks !== undefined && given['jwks_uri'] !== undefined)
    found.mistakes.push(`${at} must have jwks or jwks_uri, not both.`);
  if (secret !== undefined && (!isText(secret) || !/^[\x20-\x7e]+$/.test(secret)))
    found.mistakes.push(`${at}.client_secret must be a text of printable ASCII characters.`);
  else if (isText(secret) && secret.length < 24)
    found.warnings.push(`${at}.client_secret is shorter than 24 characters; make it long and random.`);
  const hasKeys = jwks !== undefined || given['jwks_uri'] !== undefined;
  const fallback: AuthMethod = hasKeys ? 'private_key_jwt' : secret !== undefined ? 'client_secret_basic' : 'none';
  const method = AUTH_METHODS.find((m) => m === (asked ?? fallback));
  if (!method) found.mistakes.push(`${at}.token_endpoint_auth_method must be one of ${AUTH_METHODS.join(', ')}.`);
  if (method === 'private_key_jwt' && !hasKeys)
    found.mistakes.push(`${at} needs jwks or jwks_uri for private_key_jwt.`);
  if (method?.startsWith('client_secret') && secret === undefined)
    found.mistakes.push(`${at} needs a client_secret for ${method}.`);
  if (method === 'none' && (hasKeys || secret !== undefined))
    found.mistakes.push(`${at} has keys or a secret, but token_endpoint_auth_method none.`);
  if (method === 'private_key_jwt' && secret !== undefined)
    found.warnings.push(`${at}.client_secret is not used: the client signs with its key.`);
  const used = method?.startsWith('client_secret') && isText(secret) ? { secret } : {};
  return { method: method ?? fallback, ...(keys ? { keys } : {}), ...(jwksUri ? { jwksUri } : {}), ...used };
}

export function checkSigningAlg(given: Given, at: string, found: Findings): string | undefined {
  const alg = given['token_endpoint_auth_signing_alg'];
  if (alg === undefined) return undefined;
  if (ASSERTION_ALGS.some((known) => known === alg)) return alg as string;
  found.mistakes.push(`${at}.token_endpoint_auth_signing_alg must be one of ${ASSERTION_ALGS.join(', ')}.`);
  return undefined;
}

/** `redirects` and `keys`: whether the client has any. */
export function checkGrants(
  given: Given,
  at: string,
  has: { redirects: boolean; method: AuthMethod },
  found: Findings,
): readonly string[] {
  const asked = textList(given, 'grant_types', at, found);
  for (const grant of asked)
    if (!GRANTS.includes(grant)) found.mistakes.push(`${at}.grant_types: ${grant} is not one of ${GRANTS.join(', ')}.`);
  const backend = has.method === 'private_key_jwt' && !has.redirects;
  // RFC 7591 §2 takes the code grant when nothing is said; a client with keys and no redirect is a backend service.
  const grants = asked.length > 0 ? asked : backend ? ['client_credentials'] : ['authorization_code', 'refresh_token'];
  if (grants.includes('authorization_code') && !has.redirects)
    found.mistakes.push(`${at} needs redirect_uris for the grant authorization_code.`);
  if (grants.includes('client_credentials') && has.method !== 'private_key_jwt')
    found.warnings.push(
      `${at}: the grant client_credentials needs private_key_jwt (SMART Backend Services); the client will not get it.`,
    );
  return grants;
}

export function checkScope(given: Given, at: string, grants: readonly string[], found: Findings): string {
  const scope = given['scope'];
  if (scope === undefined) {
    found.warnings.push(`${at} has no scope, so it gets no token.`);
    return '';
  }
  if (typeof scope !== 'string') {
    found.mistakes.push(`${at}.scope must be one text with scopes separated by spaces.`);
    return '';
  }
  const words = scope.split(/\s+/).filter((word) => word !== '');
  for (const word of words) {
    const parsed = parseScope(word);
    if (!parsed && !OTHER_SCOPES.has(word) && !word.startsWith('__'))
      found.warnings.push(`${at}.scope: ${word} is not a scope of this server and is never granted.`);
    else if (parsed && parsed.level !== 'system' && grants.every((grant) => grant === 'client_credentials'))
      found.warnings.push(`${at}.scope: ${word} needs a signed-in user; the grant client_credentials never gives it.`);
  }
  return words.join(' ');
}
