/** Where the candidates of a search come from: the smallest index that surely holds all that is found. */
import type { DateFilter, Filter, ReferenceFilter } from '../../search/plan.ts';
import { Candidate } from './candidate.ts';
import type { ClassRecord } from './classes.ts';
import { PARAM, TYPE } from './dictionary.ts';
import type { Lowered, Pick } from './lower.ts';
import { ownerOf } from './owner.ts';
import { type Found, type Prober, probe } from './probe.ts';
import { EVERY_DATE, startsWithin } from './range.ts';
import type { Reader } from './reader.ts';
import { isOwnerParam, primaryDate } from './routes.ts';
import {
  type Course,
  classRun,
  type Entry,
  listRun,
  merged,
  type Position,
  patientRun,
  pieceOf,
  type Run,
  referenceRun,
} from './runs.ts';
import { NO_DATE } from './schema.ts';
import { DELETE } from './wire.ts';

export interface Source {
  /** `candidates` gives them in the primary order. */
  readonly ordered: boolean;
  /** It may go through the whole type. */
  readonly wide: boolean;
  /** True of every candidate: it need not be judged again. */
  readonly given: Filter | undefined;
  candidates(descending: boolean, after: Position | undefined, piece: number): Iterable<Candidate>;
}

/** A list this short is better than reading a patient's rows. */
const SHORT_LIST_MAX = 200;
/** With more classes than this it is looked up which ones the patient has. */
const CLASSES_TRIED_MAX = 8;
/** Never fewer than a patient has. */
const BROAD: ReadonlySet<Filter['op']> = new Set(['quantity', 'number', 'date']);
const NO_DATES = { from: NO_DATE, to: NO_DATE + 1 };

/** `listMax`: up to here the resources of an index are taken as a list, each looked at. */
export function chooseSource(prober: Prober, lowered: Lowered, listMax: number): Source {
  const { reader } = prober;
  const dates = lowered.conjuncts.filter(
    (f): f is DateFilter => f.op === 'date' && f.param === primaryDate(lowered.type),
  );
  const owner = ownerOf(prober, lowered);
  const others = lowered.rest.filter((f) => f !== owner?.filter && !dates.includes(f as DateFilter));
  const reference = others.find((f): f is ReferenceFilter => f.op === 'reference' && !isOwnerParam(f.param));
  // Nothing else to look for: its rows are in order, and there may be many.
  if (reference && !owner && others.length === 1) return referenceSource(reader, lowered, reference);
  const worth = owner ? others.filter((f) => !BROAD.has(f.op)) : others;
  const best = shortest(prober, lowered.type, worth, owner ? Math.min(SHORT_LIST_MAX, listMax) : listMax);
  if (best) return listSource(reader, lowered, best.filter, best.found);
  if (owner) return patientSource(reader, lowered, owner.pats, owner.param, dates);
  if (reference) return referenceSource(reader, lowered, reference);
  return classSource(reader, lowered, dates);
}

function shortest(
  prober: Prober,
  type: string,
  filters: readonly Filter[],
  max: number,
): { filter: Filter; found: Found } | undefined {
  let best: { filter: Filter; found: Found } | undefined;
  for (const filter of filters) {
    const found = probe(prober, type, filter, max + 1);
    if (found?.complete && (!best || found.rids.length < best.found.rids.length)) best = { filter, found };
    if (best && best.found.rids.length <= 1) break;
  }
  return best;
}

const candidate = (reader: Reader, cls: ClassRecord, e: Entry): Candidate =>
  new Candidate(reader, e.rid, cls, e.date, e.high, e.pat);

/** Those without a date come last, whatever the direction. */
function* inPhases(
  descending: boolean,
  after: Position | undefined,
  runs: (undated: boolean, after: Position | undefined) => Run[],
): Generator<Entry, void> {
  const past = after !== undefined && after.date === NO_DATE;
  if (!past) yield* merged(runs(false, after), descending);
  yield* merged(runs(true, past ? after : undefined), descending);
}

/** The runs of one class; none when a date is asked for and it has none. */
function rangeOf(
  cls: ClassRecord,
  dates: readonly DateFilter[],
  undated: boolean,
): { from: number; to: number } | undefined {
  if ((cls.span === 'none') !== undated) return undefined;
  if (undated) return dates.length > 0 ? undefined : NO_DATES;
  return startsWithin(dates, cls.span);
}

function patientSource(
  reader: Reader,
  { picks }: Lowered,
  pats: readonly number[],
  param: string,
  dates: readonly DateFilter[],
): Source {
  const usable = new Map<number, Pick>();
  for (const [id, pick] of picks) if (pick.cls.owners.includes(param)) usable.set(id, pick);
  const runs = (undated: boolean, course: Course): Run[] => {
    const made: Run[] = [];
    for (const pat of pats) {
      for (const cls of classesOf(reader, pat, usable)) {
        const range = rangeOf(cls, dates, undated);
        if (range) made.push(patientRun(reader, pat, cls.id, range, course));
      }
      const waiting = waitingOf(reader, pat, usable, undated);
      if (waiting.length > 0) made.push(listRun(waiting, course));
    }
    return made;
  };
  return {
    ordered: true,
    wide: false,
    given: undefined,
    *candidates(descending, after, piece) {
      const each = pieceOf(piece, Math.min(usable.size, CLASSES_TRIED_MAX) * pats.length);
      for (const e of inPhases(descending, after, (undated, from) =>
        runs(undated, { descending, after: from, piece: each }),
      ))
        yield candidate(reader, (usable.get(e.cls) as Pick).cls, e);
    },
  };
}

/** The classes of a patient among those that are asked for. */
function classesOf(reader: Reader, pat: number, usable: ReadonlyMap<number, Pick>): ClassRecord[] {
  if (usable.size <= CLASSES_TRIED_MAX) return [...usable.values()].map((p) => p.cls);
  const found: ClassRecord[] = [];
  const sql = 'SELECT cls FROM by_patient WHERE pat = ? AND cls > ? ORDER BY cls LIMIT 1';
  for (let cls = reader.db.number(0, sql, pat, 0); cls > 0; cls = reader.db.number(0, sql, pat, cls)) {
    const pick = usable.get(cls);
    if (pick) found.push(pick.cls);
  }
  return found;
}

function waitingOf(reader: Reader, pat: number, usable: ReadonlyMap<number, Pick>, undated: boolean): Entry[] {
  const found: Entry[] = [];
  reader.tail.eachOfPatient(pat, (rows, at) => {
    const cls = rows[at] as number;
    const pick = usable.get(cls);
    if (pick && (pick.cls.span === 'none') === undated)
      found.push({ cls, date: rows[at + 1] as number, rid: rows[at + 2] as number, high: rows[at + 3] as number, pat });
  });
  return found;
}

function classSource(reader: Reader, { picks }: Lowered, dates: readonly DateFilter[]): Source {
  const runs = (undated: boolean, course: Course): Run[] => {
    const made: Run[] = [];
    for (const { cls } of picks.values()) {
      const range = rangeOf(cls, dates, undated);
      if (range) made.push(classRun(reader, cls.id, range, course));
    }
    return made;
  };
  return {
    ordered: true,
    wide: true,
    given: undefined,
    *candidates(descending, after, piece) {
      const each = pieceOf(piece, picks.size);
      for (const e of inPhases(descending, after, (undated, from) =>
        runs(undated, { descending, after: from, piece: each }),
      ))
        yield candidate(reader, (picks.get(e.cls) as Pick).cls, e);
    },
  };
}

/** For a parameter like `device`: its rows are in order of the primary date too. */
function referenceSource(reader: Reader, lowered: Lowered, filter: ReferenceFilter): Source {
  const param = reader.dict.find(PARAM, `${lowered.type}.${filter.param}`) ?? 0;
  const targets = reader.refs.codes(filter);
  const runs = (undated: boolean, course: Course): Run[] =>
    targets.flatMap((target) => {
      const rows = reader.tail.reference(target);
      const waiting: Entry[] = [];
      for (let i = 0; i < rows.length; i += 3)
        if (rows[i] === param && (rows[i + 1] === NO_DATE) === undated) {
          const [date, rid] = [rows[i + 1] as number, rows[i + 2] as number];
          waiting.push({ cls: 0, date, rid, high: Number.NaN, pat: Number.NaN });
        }
      return [referenceRun(reader, param, target, undated ? NO_DATES : EVERY_DATE, course), listRun(waiting, course)];
    });
  return {
    ordered: true,
    wide: false,
    given: filter,
    *candidates(descending, after, piece) {
      for (const e of inPhases(descending, after, (undated, from) =>
        runs(undated, { descending, after: from, piece }),
      )) {
        const row = reader.row(e.rid);
        const pick = row && lowered.picks.get(row.cls);
        if (row && pick && row.method !== DELETE) yield Candidate.of(reader, row, pick.cls, e.date);
      }
    },
  };
}

function listSource(reader: Reader, { type, picks }: Lowered, given: Filter, found: Found): Source {
  return {
    ordered: false,
    wide: false,
    given,
    *candidates() {
      const typeId = reader.dict.find(TYPE, type);
      for (const rid of found.rids) {
        const row = reader.row(rid);
        const pick = row && picks.get(row.cls);
        if (row && pick && row.type === typeId && row.method !== DELETE)
          yield Candidate.of(reader, row, pick.cls, found.dates?.get(rid));
      }
    },
  };
}
