import { createHash, randomBytes } from 'node:crypto';

/** SHA-256 as lower-case hex. */
export const sha256Hex = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

/** SHA-256 as unpadded base64url (43 characters). */
export const sha256Url = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('base64url');

/** `bytes` random bytes as unpadded base64url. */
export const randomUrl = (bytes = 24): string => randomBytes(bytes).toString('base64url');

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
  return time + order + randomBytes(5).toString('hex').slice(0, 8);
}
