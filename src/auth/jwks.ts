/** JWK Sets of clients: what is a usable public key, and what is wrong with one. RFC 7517; SMART client-confidential-asymmetric. */
import { createPublicKey } from 'node:crypto';

/** A public key with which a client signs assertions. Only the members that verification needs. */
export interface PublicJwk {
  readonly kty: 'RSA' | 'EC';
  readonly kid: string;
  readonly n?: string;
  readonly e?: string;
  readonly crv?: 'P-256' | 'P-384';
  readonly x?: string;
  readonly y?: string;
  readonly alg?: string;
}

/** Signature algorithms of assertions: SMART's two, and ES256 for secure elements that know only P-256. */
export const ASSERTION_ALGS = ['RS384', 'ES384', 'ES256'] as const;
export type AssertionAlg = (typeof ASSERTION_ALGS)[number];
const FITS: Readonly<Record<AssertionAlg, string>> = { RS384: 'RSA', ES384: 'EC P-384', ES256: 'EC P-256' };

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const RSA_BITS_MIN = 2048;
const KEYS_MAX = 100;

export interface CheckedKeys {
  readonly keys: readonly PublicJwk[];
  /** Reasons to refuse the set, each beginning with the place. */
  readonly mistakes: readonly string[];
  /** Keys that are left out and why. */
  readonly warnings: readonly string[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a key can have made a signature with this algorithm. */
export function fits(key: PublicJwk, alg: string): boolean {
  const kind = key.kty === 'RSA' ? 'RSA' : `EC ${key.crv}`;
  return FITS[alg as AssertionAlg] === kind && (key.alg === undefined || key.alg === alg);
}

type OneKey = { key: PublicJwk } | { mistake: string } | { unusable: string };

function checkMaterial(jwk: Record<string, unknown>): string | undefined {
  try {
    const key = createPublicKey({ key: jwk as Record<string, string>, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength;
    return bits !== undefined && bits < RSA_BITS_MIN
      ? `is an RSA key of ${bits} bits; use ${RSA_BITS_MIN} or more`
      : undefined;
  } catch {
    return 'is not a valid public key';
  }
}

function checkKey(jwk: unknown): OneKey {
  if (!isObject(jwk)) return { mistake: 'must be a JSON Web Key' };
  const leaked = PRIVATE_MEMBERS.filter((name) => jwk[name] !== undefined);
  if (leaked.length > 0)
    return { mistake: `holds private key material (${leaked.join(', ')}); register the public key only` };
  const { kty, kid, use, alg, crv } = jwk;
  if (kty !== 'RSA' && kty !== 'EC')
    return { unusable: `has kty ${String(kty)}; assertions are signed with RSA or EC keys` };
  if (kty === 'EC' && crv !== 'P-256' && crv !== 'P-384')
    return { unusable: `has curve ${String(crv)}; use P-384 or P-256` };
  if (use !== undefined && use !== 'sig') return { unusable: `is for use "${String(use)}", not for signatures` };
  if (Array.isArray(jwk['key_ops']) && !jwk['key_ops'].includes('verify'))
    return { unusable: 'has key_ops without "verify"' };
  if (alg !== undefined && !ASSERTION_ALGS.includes(alg as AssertionAlg))
    return { unusable: `has alg ${String(alg)}; use ${ASSERTION_ALGS.join(', ')}` };
  const wrong = checkMaterial(jwk);
  if (wrong !== undefined) return { mistake: wrong };
  // SMART App Launch 2.2: the header of an assertion names its key, so a key without a name can never be chosen.
  if (typeof kid !== 'string' || kid === '') return { mistake: 'needs a kid' };
  const { n, e, x, y } = jwk as Record<string, string>;
  const named = { kid, ...(typeof alg === 'string' ? { alg } : {}) };
  const key = kty === 'RSA' ? { kty, n, e, ...named } : { kty, crv, x, y, ...named };
  return { key: Object.freeze(key) as PublicJwk };
}

/** @param at place of the set in what was given, e.g. `clients[1].jwks`. */
export function checkJwks(jwks: unknown, at: string): CheckedKeys {
  const list = isObject(jwks) ? jwks['keys'] : undefined;
  if (!Array.isArray(list) || list.length === 0 || list.length > KEYS_MAX)
    return {
      keys: [],
      mistakes: [`${at} must be a JWK Set: an object with "keys", a list of 1 to ${KEYS_MAX} public keys.`],
      warnings: [],
    };
  const keys: PublicJwk[] = [];
  const mistakes: string[] = [];
  const warnings: string[] = [];
  list.forEach((jwk: unknown, i) => {
    const checked = checkKey(jwk);
    const place = `${at}.keys[${i}]`;
    if ('mistake' in checked) mistakes.push(`${place} ${checked.mistake}.`);
    else if ('unusable' in checked) warnings.push(`${place} ${checked.unusable}; it is left out.`);
    else if (keys.some((k) => k.kid === checked.key.kid && k.kty === checked.key.kty))
      mistakes.push(`${place} has the kid ${checked.key.kid} of another key of the set; each needs its own.`);
    else keys.push(checked.key);
  });
  if (keys.length === 0 && mistakes.length === 0)
    mistakes.push(`${at} has no key that can be used: ${warnings.join(' ')}`);
  return { keys, mistakes, warnings };
}

/**
 * The usable keys of a set that came from a `jwks_uri`. Unlike a registration nobody is there to correct it: wrong keys are
 * left out, but doubles stay, so that choosing between them fails.
 */
export function usableKeys(jwks: unknown): readonly PublicJwk[] {
  const list = isObject(jwks) ? jwks['keys'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.slice(0, KEYS_MAX).flatMap((jwk: unknown) => {
    const checked = checkKey(jwk);
    return 'key' in checked ? [checked.key] : [];
  });
}
