/** Paging tokens: where a page ended, signed, and bound to who may go on with it. */
import { timingSafeEqual } from 'node:crypto';
import { VitalwireError } from '../base/errors.ts';
import { hmacSha256, sha256Url } from '../base/hash.ts';
import type { Cursor } from './plan.ts';

const MAC_BYTES = 16;
const BINDING_CHARS = 16;

const macs = new WeakMap<Uint8Array, (text: string) => Buffer>();
function mac(payload: string, secret: Uint8Array): Buffer {
  let sign = macs.get(secret);
  if (!sign) {
    sign = hmacSha256(secret);
    macs.set(secret, sign);
  }
  return sign(`vitalwire cursor\n${payload}`).subarray(0, MAC_BYTES);
}
const bindingHash = (binding: string): string => sha256Url(binding).slice(0, BINDING_CHARS);

/**
 * `binding` is the client, its access filter, and what else the walk belongs to; only its hash is in the token. The token is
 * readable but cannot be changed: base64url(JSON) `.` base64url(MAC).
 */
export function encodeCursor(next: Cursor, secret: Uint8Array, binding: string): string {
  const payload = Buffer.from(JSON.stringify([bindingHash(binding), next.snapshot, next.values])).toString('base64url');
  return `${payload}.${mac(payload, secret).toString('base64url')}`;
}

/**
 * @throws VitalwireError `request.value` for what this server did not make, `resource.not-found` for the token of someone else
 *   or of another search.
 */
export function decodeCursor(text: string, secret: Uint8Array, binding: string): Cursor {
  const [payload = '', given = ''] = text.split('.');
  const theirs = Buffer.from(given, 'base64url');
  if (theirs.length !== MAC_BYTES || !timingSafeEqual(theirs, mac(payload, secret)))
    throw new VitalwireError(
      'request.value',
      '_cursor is not a paging token of this server. Follow the next link as it is.',
      {
        expression: ['http._cursor'],
      },
    );
  const [bound, snapshot, values] = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as [
    string,
    number,
    (string | number | null)[],
  ];
  if (bindingHash(binding) !== bound)
    throw new VitalwireError('resource.not-found', 'There is no such page. Begin the search again.');
  return { values, snapshot };
}
