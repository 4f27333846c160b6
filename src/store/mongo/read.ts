/** Single resources, versions and keys. */
import type { KeyHolder, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { resourceId, versionId } from './documents.ts';
import { storedOf } from './walk.ts';

const FIELDS = { type: 1, id: 1, version: 1, seq: 1, updated: 1, method: 1, deleted: 1, text: 1, origin: 1 } as const;

export async function read(db: Connection, type: string, id: string): Promise<Stored | undefined> {
  const found = await db.resources.findOne({ _id: resourceId(type, id) }, { projection: FIELDS });
  return found ? storedOf(found) : undefined;
}

export async function readVersion(
  db: Connection,
  type: string,
  id: string,
  version: number,
): Promise<Stored | undefined> {
  const former = await db.versions.findOne({ _id: versionId(type, id, version) });
  if (former) return storedOf(former);
  const newest = await db.resources.findOne({ _id: resourceId(type, id), version }, { projection: FIELDS });
  if (newest) return storedOf(newest);
  // Between the two look-ups it may have become a former version.
  const again = await db.versions.findOne({ _id: versionId(type, id, version) });
  return again ? storedOf(again) : undefined;
}

export async function readMany(
  db: Connection,
  refs: readonly { readonly type: string; readonly id: string }[],
): Promise<Stored[]> {
  if (refs.length === 0) return [];
  const _id = { $in: [...new Set(refs.map((r) => resourceId(r.type, r.id)))] };
  return (await db.resources.find({ _id, deleted: false }, { projection: FIELDS }).toArray()).map(storedOf);
}

export async function keyHolders(db: Connection, keys: readonly string[]): Promise<KeyHolder[]> {
  if (keys.length === 0) return [];
  const held = await db.keys.find({ _id: { $in: [...new Set(keys)] } }).toArray();
  const ids = [...new Set(held.map((k) => resourceId(k.type, k.id)))];
  const versions = new Map<string, number>();
  for await (const r of db.resources.find({ _id: { $in: ids } }, { projection: { version: 1 } }))
    versions.set(r._id, r.version);
  return held.map((k) => ({
    key: k._id,
    type: k.type,
    id: k.id,
    note: k.note,
    version: versions.get(resourceId(k.type, k.id)) ?? 0,
  }));
}
