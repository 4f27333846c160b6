/**
 * Who a bearer token belongs to. On the path of every request: a verdict is kept until the token ends, is revoked, something
 * changed in the store from outside, or `tokenVerdictMsMax` has passed. No cryptography, no look-up, no promise on a hit.
 */
import type { Principal, TokenVerifier } from '../access/principal.ts';
import { isAdministrator, parseScopes } from '../access/scopes.ts';
import type { Clock } from '../base/clock.ts';
import type { Limits } from '../base/limits.ts';

/** A live token as the authorization server knows it. */
export interface TokenFacts {
  readonly clientId: string;
  readonly scope: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly grantId?: string | undefined;
  readonly patient?: string | undefined;
  readonly fhirUser?: string | undefined;
}

export interface Verifier extends TokenVerifier {
  verify(token: string): Principal | undefined | Promise<Principal | undefined>;
  /** The token was revoked. */
  drop(token: string): void;
  dropGrant(grantId: string): void;
  dropAll(): void;
  readonly size: number;
}

export interface VerifierOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  /** From the store: undefined for a token that is unknown, expired, revoked, not for this server, or of a disabled client. */
  readonly find: (token: string) => Promise<TokenFacts | undefined>;
}

/** Opaque tokens of this server: 256 random bits as base64url. */
const SHAPE = /^[A-Za-z0-9_-]{43}$/;

interface Verdict {
  readonly principal: Principal;
  readonly until: number;
}

function principalOf(facts: TokenFacts): Principal {
  const scopes = Object.freeze(parseScopes(facts.scope));
  return Object.freeze({
    clientId: facts.clientId,
    admin: isAdministrator(scopes),
    scopes,
    scopeText: facts.scope,
    patient: facts.patient,
    fhirUser: facts.fhirUser,
    grantId: facts.grantId,
  });
}

export function createVerifier({ clock, limits, find }: VerifierOptions): Verifier {
  const verdicts = new Map<string, Verdict>();
  /** Raised by everything that may end a token, so that a look-up that was under way then is not believed. */
  let round = 0;

  async function lookUp(token: string): Promise<Principal | undefined> {
    for (;;) {
      const started = round;
      const facts = await find(token);
      if (started !== round) continue;
      const now = clock.now();
      if (!facts || now >= facts.expires) return undefined;
      const hit = verdicts.get(token);
      if (hit && now < hit.until) return hit.principal;
      const principal = principalOf(facts);
      verdicts.delete(token);
      if (verdicts.size >= limits.tokenVerdictsMax) verdicts.delete(verdicts.keys().next().value as string);
      verdicts.set(token, { principal, until: Math.min(facts.expires, now + limits.tokenVerdictMsMax) });
      return principal;
    }
  }

  return {
    verify(token) {
      const hit = verdicts.get(token);
      if (hit !== undefined && clock.now() < hit.until) return hit.principal;
      return SHAPE.test(token) ? lookUp(token) : undefined;
    },
    drop(token) {
      round++;
      verdicts.delete(token);
    },
    dropGrant(grantId) {
      round++;
      for (const [token, { principal }] of verdicts) if (principal.grantId === grantId) verdicts.delete(token);
    },
    dropAll() {
      round++;
      verdicts.clear();
    },
    get size() {
      return verdicts.size;
    },
  };
}
