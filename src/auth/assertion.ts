/**
 * What SMART demands of a client assertion beyond RFC 7523, after its signature was verified and before its `jti` is spent.
 * SMART App Launch 2.2 client-confidential-asymmetric.
 */
import type { Limits } from '../base/limits.ts';
import { fits, type PublicJwk } from './jwks.ts';

export interface AssertionContext {
  readonly clientId: string;
  /** The only audience: the URL of the token endpoint, as text. */
  readonly tokenUrl: string;
  readonly jwksUri: string | undefined;
  /** Keys of the client that were candidates. */
  readonly keys: readonly PublicJwk[];
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly limits: Limits;
}

type Members = Readonly<Record<string, unknown>>;

function headerMistake(header: Members, context: AssertionContext): string | undefined {
  const { alg, kid, typ, jku } = header;
  if (typ !== undefined && String(typ).toUpperCase() !== 'JWT') return 'The typ of the assertion must be JWT.';
  if (typeof kid !== 'string' || kid === '') return 'The header of the assertion must name its key in kid.';
  // The address of the keys is what was registered, never what a caller says.
  if (jku !== undefined && jku !== context.jwksUri) return 'The jku of the assertion is not the registered jwks_uri.';
  const candidates = context.keys.filter((key) => key.kid === kid && fits(key, String(alg)));
  if (candidates.length !== 1)
    return `${candidates.length} keys of the client have this kid and fit the alg; one must.`;
  return undefined;
}

/** A sentence, safe to show to the client; undefined when the assertion is good. */
export function assertionMistake(header: Members, claims: Members, context: AssertionContext): string | undefined {
  const { iss, sub, aud, exp, jti } = claims;
  const wrongHeader = headerMistake(header, context);
  if (wrongHeader !== undefined) return wrongHeader;
  if (iss !== context.clientId || sub !== context.clientId)
    return 'iss and sub of the assertion must be the client_id.';
  if (aud !== context.tokenUrl) return `aud of the assertion must be ${context.tokenUrl}, as one string.`;
  if (typeof exp !== 'number') return 'The assertion needs exp.';
  const { assertionMsMax, clockSkewMsMax } = context.limits;
  if (exp * 1000 > context.now + assertionMsMax + clockSkewMsMax)
    return `exp of the assertion is more than ${assertionMsMax / 60_000} minutes ahead.`;
  if (exp * 1000 <= context.now - clockSkewMsMax) return 'The assertion has expired.';
  if (typeof jti !== 'string' || jti === '') return 'The assertion needs a jti.';
  return undefined;
}
