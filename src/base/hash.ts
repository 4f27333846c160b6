import { hash, randomBytes } from 'node:crypto';

/** SHA-256 as lower-case hex. */
export const sha256Hex = (text: string | Uint8Array): string => hash('sha256', text, 'hex');

/** SHA-256 as unpadded base64url (43 characters). */
export const sha256Url = (text: string | Uint8Array): string => hash('sha256', text, 'base64url');

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * HMAC-SHA-256 (RFC 2104) under one key, for texts that are signed on hot paths: two one-shot digests over prepared blocks are
 * seven times cheaper than `createHmac`.
 */
export function hmacSha256(key: Uint8Array): (text: string) => Buffer {
  const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
  const block = (pad: number): Buffer => Buffer.alloc(BLOCK_BYTES).map((_, i) => (short[i] ?? 0) ^ pad) as Buffer;
  const inner = block(0x36);
  const outer = Buffer.concat([block(0x5c), Buffer.alloc(DIGEST_BYTES)]);
  return (text) => {
    hash('sha256', Buffer.concat([inner, Buffer.from(text)]), 'buffer').copy(outer, BLOCK_BYTES);
    return hash('sha256', outer, 'buffer');
  };
}

/** `bytes` random bytes as unpadded base64url. */
export const randomUrl = (bytes = 24): string => randomBytes(bytes).toString('base64url');

const POOL_BYTES = 4096;
const KEY_RANDOM_BYTES = 4;
let pool = Buffer.alloc(0);
let taken = 0;
/** 8 hexadecimal digits. Asking the generator for a few bytes at a time costs more than the rest of a key. */
function random8(): string {
  if (taken + KEY_RANDOM_BYTES > pool.length) {
    pool = randomBytes(POOL_BYTES);
    taken = 0;
  }
  taken += KEY_RANDOM_BYTES;
  return pool.toString('hex', taken - KEY_RANDOM_BYTES, taken);
}

let lastMs = 0;
let counter = 0;
/** A key that sorts by time of creation within this process: 10 characters of time, 4 of order, 8 random. Lower-case base36. */
export function timeKey(ms: number): string {
  if (ms > lastMs) {
    lastMs = ms;
    counter = 0;
  } else counter++;
  const time = lastMs.toString(36).padStart(10, '0');
  const order = counter.toString(36).padStart(4, '0');
  return time + order + random8();
}
