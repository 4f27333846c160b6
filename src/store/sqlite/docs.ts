/** Small keyed documents, counters and stamps. An expired document is gone at once; the writer takes it away later. */
import type { Clock } from '../../base/clock.ts';
import type { Doc, DocQuery } from '../store.ts';
import type { Connection, Row } from './connection.ts';
import { TAG_SEPARATOR } from './wire.ts';

/** After every key that begins with `prefix`, in the order of bytes. */
const afterPrefix = (prefix: string): string => `${prefix}\u{10FFFF}`;

function toDoc([collection, key, body, tags, expires]: Row): Doc {
  return {
    collection: collection as string,
    key: key as string,
    body: body as string,
    ...(typeof tags === 'string' ? { tags: tags.split(TAG_SEPARATOR) } : {}),
    ...(typeof expires === 'number' ? { expires } : {}),
  };
}

export class Docs {
  readonly #db: Connection;
  readonly #clock: Clock;

  constructor(db: Connection, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  get(collection: string, key: string): Doc | undefined {
    const row = this.#db.get(
      'SELECT collection, key, body, tags, expires FROM doc WHERE collection = ? AND key = ? AND (expires IS NULL OR expires > ?)',
      ...[collection, key, this.#clock.now()],
    );
    return row && toDoc(row);
  }

  /** In the order of keys. */
  list(query: DocQuery): Doc[] {
    const [tag, ...more] = query.tags ?? [];
    const by = tag === undefined ? 'd' : 't';
    const from = tag === undefined ? 'doc d' : 'doc_tag t JOIN doc d ON d.collection = t.collection AND d.key = t.key';
    const where = [`${by}.collection = ?`];
    const args: (string | number)[] = [query.collection];
    const add = (sql: string, ...values: string[]): void => {
      where.push(sql);
      args.push(...values);
    };
    if (tag !== undefined) add('t.tag = ?', tag);
    for (const other of more)
      add('EXISTS (SELECT 1 FROM doc_tag o WHERE o.collection = t.collection AND o.tag = ? AND o.key = t.key)', other);
    if (query.prefix !== undefined && query.prefix !== '')
      add(`${by}.key >= ? AND ${by}.key < ?`, query.prefix, afterPrefix(query.prefix));
    if (query.after !== undefined) add(`${by}.key > ?`, query.after);
    if (query.before !== undefined) add(`${by}.key < ?`, query.before);
    args.push(this.#clock.now(), query.limit);
    const sql = `SELECT d.collection, d.key, d.body, d.tags, d.expires FROM ${from} WHERE ${where.join(' AND ')}
      AND (d.expires IS NULL OR d.expires > ?) ORDER BY ${by}.key ${query.descending ? 'DESC' : ''} LIMIT 0 + ?`;
    return this.#db.all(sql, ...args).map(toDoc);
  }

  counters(names: readonly string[]): Record<string, number> {
    return Object.fromEntries(
      names.map((name) => [name, this.#db.number(0, 'SELECT value FROM counter WHERE name = ?', name)]),
    );
  }

  stamp(name: string): number {
    return this.#db.number(0, 'SELECT value FROM stamp WHERE name = ?', name);
  }
}
