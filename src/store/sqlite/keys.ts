/** Idempotency keys: who holds them, for ever. The index has a hash; the row itself says whether it is really that key. */
import { hash } from 'node:crypto';
import type { KeyHolder } from '../store.ts';
import type { Reader } from './reader.ts';

const PLAIN_CHARS_MAX = 24;
const DIGEST_MARK = '#';
const DIGEST_CHARS = 22;
const ABSENT_ENTRIES_MAX = 50_000;
const MANY_KEYS = 4;

/** What is stored of a key: itself when it is short, else 128 bits of its SHA-256. */
export const storedKey = (key: string): string =>
  key.length <= PLAIN_CHARS_MAX && !key.startsWith(DIGEST_MARK)
    ? key
    : DIGEST_MARK + hash('sha256', key, 'base64url').slice(0, DIGEST_CHARS);

/** 53 bits. Collisions cost a look at a row, nothing else. */
export function keyHash(stored: string): number {
  let a = 0x811c9dc5;
  let b = 0x9e3779b1;
  for (let i = 0; i < stored.length; i++) {
    const c = stored.charCodeAt(i);
    a = Math.imul(a ^ c, 0x01000193);
    b = Math.imul(b ^ c, 0x85ebca6b) + 1;
  }
  a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
  b = Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  return ((a ^ (a >>> 16)) >>> 0) * 2 ** 21 + ((b ^ (b >>> 16)) >>> 11);
}

export class Keys {
  readonly #reader: Reader;
  /** Hashes that were looked for in the table and not found; rows come into the table only by a merge. */
  #absent = new Set<number>();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** A merge has ended, or another process wrote. */
  forget(): void {
    this.#absent = new Set();
  }

  /** Looks for many keys with one query; those that nobody holds need no other one. */
  lookUp(keys: readonly string[]): void {
    const unknown = keys.map((key) => keyHash(storedKey(key))).filter((hashed) => !this.#absent.has(hashed));
    if (unknown.length < MANY_KEYS) return;
    const sql = 'SELECT hash FROM key WHERE hash IN (SELECT value FROM json_each(?))';
    const present = new Set(this.#reader.db.all(sql, `[${unknown.join()}]`).map((row) => row[0] as number));
    if (this.#absent.size + unknown.length > ABSENT_ENTRIES_MAX) this.forget();
    for (const hashed of unknown) if (!present.has(hashed)) this.#absent.add(hashed);
  }

  #rids(hashed: number): readonly number[] {
    const waiting = this.#reader.tail.key(hashed);
    if (this.#absent.has(hashed)) return waiting;
    const rows = this.#reader.db.all('SELECT rid FROM key WHERE hash = ?', hashed);
    if (rows.length > 0) return [...rows.map((r) => r[0] as number), ...waiting];
    if (this.#absent.size >= ABSENT_ENTRIES_MAX) this.forget();
    this.#absent.add(hashed);
    return waiting;
  }

  holder(key: string): KeyHolder | undefined {
    const stored = storedKey(key);
    for (const rid of this.#rids(keyHash(stored))) {
      const note = this.#noteOf(rid, stored);
      const row = note === undefined ? undefined : this.#reader.row(rid);
      if (row)
        return {
          key,
          type: this.#reader.typeOf(row),
          id: this.#reader.idOf(row),
          version: row.version,
          note: note ?? '',
        };
    }
    return undefined;
  }

  /** Undefined: it does not hold that key. */
  #noteOf(rid: number, stored: string): string | null | undefined {
    const { db } = this.#reader;
    const row = db.get('SELECT key, note FROM resource WHERE rid = ?', rid);
    if (row?.[0] === stored) return row[1] as string | null;
    const former = db.get('SELECT rid, note FROM key_former WHERE key = ?', stored);
    return former?.[0] === rid ? (former[1] as string | null) : undefined;
  }
}
