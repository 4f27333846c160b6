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

const live = (now: number): Filter<StoredDoc> => ({ $or: [{ expires: null }, { expires: { $gt: new Date(now) } }] });

export async function doc(db: Connection, now: number, collection: string, key: string): Promise<Doc | undefined> {
  const found = await db.docs.findOne({ _id: docId(collection, key), ...live(now) });
  return found ? docOf(found) : undefined;
}

/** Above every key that begins with the prefix. */
const end = (prefix: string): string => `${prefix}\u{10ffff}`;

export async function docs(db: Connection, now: number, query: DocQuery): Promise<Doc[]> {
  const key: Record<string, string>[] = [];
  if (query.prefix !== undefined) key.push({ $gte: query.prefix }, { $lt: end(query.prefix) });
  if (query.after !== undefined) key.push({ $gt: query.after });
  if (query.before !== undefined) key.push({ $lt: query.before });
  const conditions: Filter<StoredDoc>[] = [
    { c: query.collection },
    live(now),
    ...key.map((k) => ({ k }) as Filter<StoredDoc>),
    ...(query.tags ?? []).map((tags) => ({ tags }) as Filter<StoredDoc>),
  ];
  const found = await db.docs
    .find({ $and: conditions })
    .sort({ k: query.descending ? -1 : 1 })
    .limit(query.limit)
    .toArray();
  return found.map(docOf);
}
