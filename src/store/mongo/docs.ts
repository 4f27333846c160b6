/** Small keyed documents. Expired ones are gone for readers at once; MongoDB removes them within a minute or so. */
import type { Filter } from 'mongodb';
import type { Doc, DocQuery } from '../store.ts';
import type { Connection } from './connection.ts';
import { docId, type StoredDoc } from './documents.ts';

const docOf = (found: StoredDoc): Doc => ({
  collection: found.c,
  key: found.k,
  body: found.body,
  ...(found.tags.length > 0 ? { tags: found.tags } : {}),
  ...(found.expires ? { expires: found.expires.getTime() } : {}),
});

/** Expired ones are sorted out here: the database needs no condition beside the range, and reads no more than it gives. */
const isLive = (found: StoredDoc, now: number): boolean => !found.expires || found.expires.getTime() > now;

export async function doc(db: Connection, now: number, collection: string, key: string): Promise<Doc | undefined> {
  const found = await db.docs.findOne({ _id: docId(collection, key) });
  return found && isLive(found, now) ? docOf(found) : undefined;
}

/** Above every key that begins with the prefix. */
const end = (prefix: string): string => `${prefix}\u{10ffff}`;

/** In the order of the database: by UTF-8 bytes. */
const isBelow = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;

/** One range of keys, of which `text` makes what is compared. */
function rangeOf({ prefix = '', after, before }: DocQuery, text: (key: string) => string): Record<string, string> {
  const last = end(prefix);
  return {
    ...(after !== undefined && !isBelow(after, prefix) ? { $gt: text(after) } : { $gte: text(prefix) }),
    $lt: text(before !== undefined && isBelow(before, last) ? before : last),
  };
}

function conditionOf(query: DocQuery): Filter<StoredDoc> {
  const { collection, tags = [] } = query;
  const [tag, ...others] = tags;
  if (tag === undefined) return { _id: rangeOf(query, (key) => docId(collection, key)) } as Filter<StoredDoc>;
  const one = { c: collection, tags: tag, k: rangeOf(query, (key) => key) };
  return (others.length === 0 ? one : { ...one, $and: others.map((t) => ({ tags: t })) }) as Filter<StoredDoc>;
}

export async function docs(db: Connection, now: number, query: DocQuery): Promise<Doc[]> {
  const found: Doc[] = [];
  let from = query;
  for (;;) {
    const sort = { [query.tags?.length ? 'k' : '_id']: query.descending ? -1 : 1 } as const;
    const page = await db.docs.find(conditionOf(from)).sort(sort).limit(query.limit).toArray();
    for (const one of page) if (found.length < query.limit && isLive(one, now)) found.push(docOf(one));
    const last = page.at(-1);
    if (!last || page.length < query.limit || found.length >= query.limit) return found;
    from = { ...from, ...(query.descending ? { before: last.k } : { after: last.k }) };
  }
}
