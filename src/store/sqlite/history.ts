/**
 * History, newest first. A version is shown when it is within the access filter itself, and the resource as it stands is too:
 * what was moved to another patient is not shown to the former one. A deletion is judged by the version before it.
 */
import { NO_TERMS } from '../../fhir/terms.ts';
import type { AccessFilter } from '../../search/plan.ts';
import type { HistoryPage, HistoryQuery, Stored } from '../store.ts';
import { Candidate } from './candidate.ts';
import { type ClassRecord, NO_CLASS } from './classes.ts';
import { TYPE } from './dictionary.ts';
import { Judge, type Others } from './judge.ts';
import type { Reader, ResourceRow } from './reader.ts';
import { OBSERVATION_TYPE } from './schema.ts';
import { DELETE } from './wire.ts';

const PIECE_ROWS = 200;
type Entry = Stored & { readonly seq: number };

export function history(
  reader: Reader,
  others: Others,
  query: HistoryQuery,
  access: AccessFilter | readonly AccessFilter[],
): HistoryPage {
  return reader.snapshot(() => {
    const filters = new Map((Array.isArray(access) ? access : [access as AccessFilter]).map((a) => [a.type, a]));
    const gate = new Gate(reader, others, filters);
    const entries: Entry[] = [];
    for (const row of versions(reader, query)) {
      if (query.since !== undefined && row.updated < query.since) break;
      if (!gate.shows(row)) continue;
      entries.push({ ...reader.stored(row), seq: row.seq });
      if (entries.length > query.count) break;
    }
    const shown = entries.slice(0, query.count);
    return { entries: shown, next: entries.length > shown.length ? shown.at(-1)?.seq : undefined };
  });
}

function* versions(reader: Reader, query: HistoryQuery): Generator<ResourceRow, void> {
  const { type, id } = query;
  if (type !== undefined && id !== undefined) {
    const row = reader.resolve(type, id);
    for (let version = row?.version ?? 0; row && version > 0; version--) {
      const one = version === row.version ? row : reader.formerRow(row.rid, version, row.id);
      if (one && one.seq < (query.before ?? Number.POSITIVE_INFINITY)) yield one;
    }
    return;
  }
  const typeId = type === undefined ? 0 : (reader.dict.find(TYPE, type) ?? -1);
  // The index of rare types is used only when its condition is written out.
  const rare =
    type !== undefined && typeId !== OBSERVATION_TYPE ? `type = ? AND type <> ${OBSERVATION_TYPE}` : undefined;
  const where = rare ?? (type === undefined ? '? = 0' : 'type = ?');
  const sql = `SELECT seq, rid, version FROM change WHERE ${where} AND seq < ? ORDER BY seq DESC LIMIT ${PIECE_ROWS}`;
  let before = query.before ?? Number.MAX_SAFE_INTEGER;
  for (;;) {
    const rows = reader.db.all(sql, typeId, before) as unknown as [number, number, number][];
    for (const [seq, rid, version] of rows) {
      before = seq;
      const newest = reader.row(rid);
      if (!newest) continue;
      const row = newest.version === version ? newest : reader.formerRow(rid, version, newest.id);
      if (row) yield row;
    }
    if (rows.length < PIECE_ROWS) return;
  }
}

/** Decides which versions are shown. */
class Gate {
  readonly #reader: Reader;
  readonly #judge: Judge;
  readonly #filters: ReadonlyMap<string, AccessFilter>;
  readonly #current = new Map<number, boolean>();

  constructor(reader: Reader, others: Others, filters: ReadonlyMap<string, AccessFilter>) {
    this.#reader = reader;
    this.#judge = new Judge(reader, others);
    this.#filters = filters;
  }

  shows(row: ResourceRow): boolean {
    const access = this.#filters.get(this.#reader.typeOf(row));
    if (!access) return false;
    if (access.filter.op === 'all') return true;
    return this.#within(access, row) && this.#stands(access, row.rid);
  }

  #stands(access: AccessFilter, rid: number): boolean {
    let stands = this.#current.get(rid);
    if (stands === undefined) {
      const newest = this.#reader.row(rid);
      stands = newest !== undefined && this.#within(access, newest);
      this.#current.set(rid, stands);
    }
    return stands;
  }

  #within(access: AccessFilter, row: ResourceRow): boolean {
    const live = this.#live(row);
    return (
      live !== undefined && this.#judge.finds(access.filter, Candidate.of(this.#reader, live, undecided(access.type)))
    );
  }

  #live(row: ResourceRow): ResourceRow | undefined {
    let live: ResourceRow | undefined = row;
    while (live && live.method === DELETE) live = this.#reader.formerRow(row.rid, live.version - 1, row.id);
    return live;
  }
}

/** Former versions are judged by their text. */
const undecided = (type: string): ClassRecord => ({
  id: NO_CLASS,
  type,
  typeId: 0,
  span: 'many',
  owners: [],
  shared: false,
  open: true,
  terms: NO_TERMS,
});
