/** Versions, newest first, of one resource, a type or the system; each is shown only when its own content is within the access. */
import { extract } from '../../fhir/extract.ts';
import type { AccessFilter } from '../../search/plan.ts';
import { isLocal, matches } from '../../search/predicate.ts';
import type { HistoryPage, HistoryQuery, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { type ChangeDocument, resourceId, versionId } from './documents.ts';
import { type Finder, storedOf } from './search.ts';

/** Change rows that are looked at in one go. */
const CHUNK = 200;

interface Room {
  readonly db: Connection;
  readonly finder: Finder;
  /** FHIR base, for references of the server to itself. */
  readonly base: string;
}

export async function history(
  room: Room,
  query: HistoryQuery,
  access: AccessFilter | readonly AccessFilter[],
): Promise<HistoryPage> {
  const filters = new Map(
    (Array.isArray(access) ? (access as readonly AccessFilter[]) : [access as AccessFilter]).map((a) => [a.type, a]),
  );
  const entries: (Stored & { seq: number })[] = [];
  let before = query.before;
  for (;;) {
    const rows = await changes(room.db, query, filters, before);
    const stored = await versionsOf(room.db, rows);
    for (const row of rows) {
      before = row._id;
      const version = stored.get(versionId(row.type, row.id, row.version));
      if (!version || !(await permitted(room, version, filters.get(row.type) as AccessFilter))) continue;
      if (entries.length === query.count) return { entries, next: (entries.at(-1) as { seq: number }).seq };
      entries.push({ ...version, seq: row._id });
    }
    if (rows.length < CHUNK) return { entries };
  }
}

async function changes(
  db: Connection,
  query: HistoryQuery,
  filters: ReadonlyMap<string, AccessFilter>,
  before: number | undefined,
): Promise<ChangeDocument[]> {
  return db.changes
    .find({
      type: query.type ?? { $in: [...filters.keys()] },
      ...(query.id === undefined ? {} : { id: query.id }),
      ...(before === undefined ? {} : { _id: { $lt: before } }),
      ...(query.since === undefined ? {} : { at: { $gte: query.since } }),
    })
    .sort({ _id: -1 })
    .limit(CHUNK)
    .toArray();
}

async function versionsOf(db: Connection, rows: readonly ChangeDocument[]): Promise<Map<string, Stored>> {
  const found = new Map<string, Stored>();
  const add = (s: Stored): void => void found.set(versionId(s.type, s.id, s.version), s);
  const newest = [...new Set(rows.map((r) => resourceId(r.type, r.id)))];
  for await (const r of db.resources.find({ _id: { $in: newest } })) add(storedOf(r));
  // Read last: what was the newest a moment ago may be a former version by now.
  for await (const v of db.versions.find({ _id: { $in: rows.map((r) => versionId(r.type, r.id, r.version)) } }))
    add(storedOf(v));
  return found;
}

/** A delete has no content of its own: it is judged by the version before it. */
async function permitted(room: Room, version: Stored, access: AccessFilter): Promise<boolean> {
  const { filter } = access;
  if (filter.op === 'all') return true;
  if (!isLocal(filter)) return room.finder.visible(version.type, version.id, access);
  const judged = version.deleted ? await before(room.db, version) : version;
  if (!judged || judged.text === '') return false;
  const resource = JSON.parse(judged.text) as Record<string, unknown>;
  return matches(filter, extract(resource, room.base), { id: judged.id, lastUpdated: Date.parse(judged.lastUpdated) });
}

async function before(db: Connection, version: Stored): Promise<Stored | undefined> {
  const found = await db.versions.findOne({ _id: versionId(version.type, version.id, version.version - 1) });
  return found ? storedOf(found) : undefined;
}
