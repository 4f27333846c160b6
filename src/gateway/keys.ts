/** The two secrets of a gateway: what encrypts its spool and what signs its client assertions. */
import { createPrivateKey, type JsonWebKey, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { parseSecretKey, SECRET_KEY_BYTES } from '../base/secret.ts';

/** SMART App Launch 2.2 client-confidential-asymmetric: RS384 and ES384; ES256 where the key is on P-256. */
export type AssertionAlgorithm = 'ES384' | 'ES256' | 'RS384';

export interface SigningKey {
  readonly key: KeyObject;
  readonly kid: string | undefined;
  readonly algorithm: AssertionAlgorithm;
}

function readText(path: string, variable: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new StartError(`${variable} ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? cause}.`);
  }
}

function algorithmOf(jwk: Record<string, unknown>): AssertionAlgorithm | undefined {
  const fits = jwk['kty'] === 'RSA' ? 'RS384' : { 'P-384': 'ES384', 'P-256': 'ES256' }[String(jwk['crv'])];
  if (jwk['alg'] !== undefined && jwk['alg'] !== fits) return undefined;
  return fits as AssertionAlgorithm | undefined;
}

/** @throws StartError when the file holds no private JWK for RS384, ES384 or ES256. */
export function readSigningKey(path: string): SigningKey {
  const text = readText(path, 'PRIVATE_KEY_FILE');
  try {
    const jwk = JSON.parse(text) as Record<string, unknown>;
    const algorithm = algorithmOf(jwk);
    if (!algorithm || typeof jwk['d'] !== 'string')
      throw new Error('it is not a private key for ES384, RS384 or ES256');
    const key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });
    return { key, kid: typeof jwk['kid'] === 'string' ? jwk['kid'] : undefined, algorithm };
  } catch (cause) {
    // The message of a JSON parser quotes the text, and the text is a private key.
    const why = cause instanceof SyntaxError ? 'it is not JSON' : (cause as Error).message;
    throw new StartError(`PRIVATE_KEY_FILE ${path} must hold one private JWK (EC P-384, EC P-256 or RSA): ${why}.`);
  }
}

/**
 * The key of the spool: of SPOOL_KEY_FILE, or made once in the data folder.
 * @throws StartError when the file cannot be read or is no key. A key is never replaced: what it sealed would be lost.
 */
export function readSpoolKey(file: string | undefined, dataDir: string, log: Logger): Uint8Array {
  const path = file ?? join(dataDir, 'spool.key');
  if (file === undefined && !existsSync(path)) {
    if (existsSync(join(dataDir, 'spool.db')))
      throw new StartError(
        `${path} is missing, but there is a spool in ${dataDir} that it encrypted. Put the key back, or set SPOOL_KEY_FILE.`,
      );
    writeFileSync(path, randomBytes(SECRET_KEY_BYTES).toString('hex'), { mode: 0o600, flag: 'wx', flush: true });
    log.warn({ file: 'spool.key' }, 'SPOOL_KEY_FILE is not set: the key is kept in DATA_DIR, beside what it protects');
  }
  const key = parseSecretKey(readText(path, 'SPOOL_KEY_FILE'));
  if (!key)
    throw new StartError(`${path} must hold 32 bytes as hex or base64. Make a key with "openssl rand -hex 32".`);
  return key;
}

/** The bearer token of other hosts. @throws StartError when the file is unreadable or the token is shorter than 16 characters. */
export function readLocalToken(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const token = readText(path, 'LOCAL_TOKEN_FILE').trim();
  if (!/^[\x21-\x7e]{16,}$/.test(token))
    throw new StartError(`LOCAL_TOKEN_FILE ${path} must hold one token of at least 16 visible ASCII characters.`);
  return token;
}
