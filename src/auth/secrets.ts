/** Client secrets and how they are kept: salted and hashed, and that sealed, so that a copy of the store gives nothing away. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Sealer } from '../base/secret.ts';

const hash = (salt: string, secret: string): string =>
  createHash('sha256').update(`${salt}\n${secret}`).digest('base64url');

/** `sha256:<salt>:<hash>`. A fast hash suffices: guesses are counted, and the hash itself is sealed. */
export function hashSecret(secret: string): string {
  const salt = randomBytes(16).toString('base64url');
  return `sha256:${salt}:${hash(salt, secret)}`;
}

export function secretMatches(hashed: string, given: string): boolean {
  const [kind, salt = '', expected = ''] = hashed.split(':');
  if (kind !== 'sha256') return false;
  const a = Buffer.from(hash(salt, given));
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

export const sealSecret = (secret: string, sealer: Sealer): string => sealer.seal(hashSecret(secret));
