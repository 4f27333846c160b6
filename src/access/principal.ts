import type { Caller } from '../base/caller.ts';

export type Letter = 'c' | 'r' | 'u' | 'd' | 's';
export type Level = 'patient' | 'user' | 'system';

/** One SMART scope for resources. SMART App Launch 2.2, scopes-and-launch-context. */
export interface Scope {
  /** As granted: a v1 scope stays v1. */
  readonly text: string;
  readonly level: Level;
  /** A resource type or `*`. */
  readonly type: string;
  readonly letters: ReadonlySet<Letter>;
  /** Granular restriction, decoded, ANDed. */
  readonly params: readonly (readonly [name: string, value: string])[];
}

/** The bearer of a valid token. Frozen; one object per token while its verdict is cached, so it may key a WeakMap. */
export interface Principal extends Caller {
  readonly scopes: readonly Scope[];
  /** The granted scope text, `openid` and launch scopes included. */
  readonly scopeText: string;
  /** Patient in context, bare id. */
  readonly patient?: string | undefined;
  /** `Practitioner/1`. */
  readonly fhirUser?: string | undefined;
  readonly grantId?: string | undefined;
}

/** Answers who a bearer token belongs to; undefined when it is unknown, expired or revoked, or its client disabled. */
export interface TokenVerifier {
  verify(token: string): Principal | undefined | Promise<Principal | undefined>;
}
