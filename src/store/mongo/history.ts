/** Versions, newest first, of one resource, a type or the system; each is shown only when its own content is within the access. */
import { extract } from '../../fhir/extract.ts';
import type { AccessFilter } from '../../search/plan.ts';
import type { HistoryPage, HistoryQuery, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { type ChangeDocument, resourceId, versionId } from './documents.ts';
import { finds } from './judge.ts';
import { read } from './read.ts';
import type { Finder } from './search.ts';
import { storedOf } from './walk.ts';

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
  const standing: Standing = new Map();
  let before = query.before;
  for (;;) {
    const rows = await changes(room.db, query, filters, before);
    const stored = await versionsOf(room.db, rows);
    for (const row of rows) {
      before = row._id;
      const version = stored.get(versionId(row.type, row.id, row.version));
      if (!version || !(await permitted(room, version, filters.get(row.type) as AccessFilter, standing))) continue;
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

/** Whether the resource as it stands is within the access, by id; each is looked at once a page. */
type Standing = Map<string, boolean>;

/** A version is shown when it is within the access itself, and the resource as it stands is too. */
async function permitted(room: Room, version: Stored, access: AccessFilter, standing: Standing): Promise<boolean> {
  if (access.filter.op === 'all') return true;
  if (!(await within(room, version, access))) return false;
  const id = resourceId(version.type, version.id);
  let stands = standing.get(id);
  if (stands === undefined) {
    const newest = await read(room.db, version.type, version.id);
    stands = newest !== undefined && (await within(room, newest, access));
    standing.set(id, stands);
  }
  return stands;
}

/** A delete has no content of its own: it is judged by the last version that lived. */
async function within(room: Room, version: Stored, { filter }: AccessFilter): Promise<boolean> {
  let judged: Stored | undefined = version;
  while (judged?.deleted) judged = await before(room.db, judged);
  if (!judged) return false;
  const terms = extract(JSON.parse(judged.text) as Record<string, unknown>, room.base);
  const { type, id, lastUpdated } = judged;
  return finds(filter, { type, id, lastUpdated: Date.parse(lastUpdated), terms }, room.finder);
}

async function before(db: Connection, version: Stored): Promise<Stored | undefined> {
  const found = await db.versions.findOne({ _id: versionId(version.type, version.id, version.version - 1) });
  return found ? storedOf(found) : undefined;
}
