/**
 * Ids of resources that the server names: the number of the resource (rid), put through a keyed permutation of 64 bits and
 * written in 13 characters. Finding a resource by such an id needs no index at all, a random unique index was the dearest part
 * of an insert. An id is not a secret; it only must not tell how many there are or what the next one is.
 */

/** Characters of Crockford's base 32, lower case: no i, l, o, u. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_CHARS = 13;
/** Rids lie below: a random text of 13 characters decodes to one of them with a chance of 2^-24. */
export const RID_END = 2 ** 40;
const ROUNDS = 8;
const DIGIT = new Int8Array(128).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) DIGIT[ALPHABET.charCodeAt(i)] = i;

export interface Ids {
  encode(rid: number): string;
  /** Undefined for a text that this store's permutation never makes. */
  decode(id: string): number | undefined;
}

/** A keyed mix of 32 bits (the finalizer of MurmurHash3, twice keyed). */
function mix(value: number, a: number, b: number): number {
  let h = value ^ a;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 13)) + b, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16) ^ a, 0x27d4eb2f);
  return (h ^ (h >>> 15)) | 0;
}

function write(high: number, low: number): string {
  let text = ALPHABET.charAt(high >>> 28);
  for (let shift = 23; shift >= 3; shift -= 5) text += ALPHABET.charAt((high >>> shift) & 31);
  text += ALPHABET.charAt(((high & 7) << 2) | (low >>> 30));
  for (let shift = 25; shift >= 0; shift -= 5) text += ALPHABET.charAt((low >>> shift) & 31);
  return text;
}

/** [high, low] as signed 32-bit numbers. */
function parse(id: string): [number, number] | undefined {
  if (id.length !== ID_CHARS) return undefined;
  let high = 0;
  let low = 0;
  for (let i = 0; i < ID_CHARS; i++) {
    const digit = DIGIT[id.charCodeAt(i)] ?? -1;
    if (digit < 0 || (i === 0 && digit > 15)) return undefined;
    if (i < 6) high = (high << 5) | digit;
    else if (i === 6) {
      high = (high << 3) | (digit >>> 2);
      low = digit & 3;
    } else low = (low << 5) | digit;
  }
  return [high, low];
}

/** `key` has 32 bytes and is kept in the store: with another one no id can be read any more. */
export function createIds(key: Uint8Array): Ids {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const a: number[] = [];
  const b: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    a.push(view.getInt32((round * 4) % 32) ^ Math.imul(round, 0x9e3779b1));
    b.push(view.getInt32((round * 4 + 12) % 32) ^ Math.imul(round + 1, 0x7f4a7c15));
  }
  return {
    encode(rid) {
      let left = Math.floor(rid / 2 ** 32) | 0;
      let right = rid | 0;
      for (let round = 0; round < ROUNDS; round++)
        [left, right] = [right, left ^ mix(right, a[round] as number, b[round] as number)];
      return write(left, right);
    },
    decode(id) {
      const parsed = parse(id);
      if (!parsed) return undefined;
      let [left, right] = parsed;
      for (let round = ROUNDS - 1; round >= 0; round--)
        [left, right] = [right ^ mix(left, a[round] as number, b[round] as number), left];
      const rid = (left >>> 0) * 2 ** 32 + (right >>> 0);
      return rid > 0 && rid < RID_END ? rid : undefined;
    },
  };
}
