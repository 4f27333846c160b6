/** Index look-ups of references, by patient and by every other parameter; chains and `_has`, which look at other resources. */
import type { ChainFilter, HasFilter, ReferenceFilter } from '../../search/plan.ts';
import type { Candidate } from './candidate.ts';
import { PARAM } from './dictionary.ts';
import { within } from './judge.ts';
import type { Found, Prober } from './probe.ts';
import type { Reader } from './reader.ts';
import { isOwnerParam } from './routes.ts';
import { DELETE } from './wire.ts';

/** More targets than this are not gone through one by one. */
const TARGETS_MAX = 2_000;

export function referenceFound(reader: Reader, type: string, f: ReferenceFilter, limit: number): Found {
  return pointing(reader, type, f.param, reader.refs.codes(f), limit);
}

/** Resources of the type whose `code` leads to one of the targets, with their dates. */
function pointing(reader: Reader, type: string, code: string, targets: readonly number[], limit: number): Found {
  const { db, dict, tail } = reader;
  const dates = new Map<number, number>();
  const param = dict.find(PARAM, `${type}.${code}`);
  let complete = true;
  for (const target of targets) {
    if (param !== undefined) {
      const rows = db.all(
        'SELECT rid, date FROM reference WHERE param = ? AND target = ? LIMIT 0 + ?',
        param,
        target,
        limit,
      );
      for (const row of rows) dates.set(row[0] as number, row[1] as number);
      if (rows.length >= limit) complete = false;
      const waiting = tail.reference(target);
      for (let i = 0; i < waiting.length; i += 3)
        if (waiting[i] === param) dates.set(waiting[i + 2] as number, waiting[i + 1] as number);
    }
    if (isOwnerParam(code) && !ownedBy(reader, type, code, target, limit, dates)) complete = false;
    if (dates.size >= limit) complete = false;
    if (!complete) break;
  }
  return { rids: [...dates.keys()], dates, complete };
}

/** False when there are more. */
function ownedBy(
  reader: Reader,
  type: string,
  code: string,
  pat: number,
  limit: number,
  dates: Map<number, number>,
): boolean {
  const add = (cls: number, date: number, rid: number): void => {
    const record = reader.classes.get(cls);
    if (record.type === type && record.owners.includes(code)) dates.set(rid, date);
  };
  const rows = reader.db.all('SELECT cls, date, rid FROM by_patient WHERE pat = ? LIMIT 0 + ?', pat, limit);
  for (const row of rows) add(row[0] as number, row[1] as number, row[2] as number);
  reader.tail.eachOfPatient(pat, (waiting, at) =>
    add(waiting[at] as number, waiting[at + 1] as number, waiting[at + 2] as number),
  );
  return rows.length < limit;
}

/** The numbers of the resources that a chain leads to; undefined when there are too many of them. */
export function chainTargets(prober: Prober, f: ChainFilter, targetsMax = TARGETS_MAX): number[] | undefined {
  const targets = prober.find(f.type, within(f), targetsMax + 1);
  if (targets.length > targetsMax) return undefined;
  return targets.map((c) => prober.reader.refs.find(f.type, c.id)).filter((code) => code !== undefined);
}

export function chainFound(prober: Prober, type: string, f: ChainFilter, limit: number): Found | undefined {
  const targets = chainTargets(prober, f);
  return targets && pointing(prober.reader, type, f.param, targets, limit);
}

/** What the resources that `_has` looks at point to. */
export function hasFound(prober: Prober, type: string, f: HasFilter): Found | undefined {
  const pointers: Candidate[] = prober.find(f.type, within(f), TARGETS_MAX + 1);
  if (pointers.length > TARGETS_MAX) return undefined;
  const rids = new Set<number>();
  for (const pointer of pointers)
    for (const term of pointer.terms.reference) {
      if (term.param !== f.param || term.type !== type) continue;
      const row = prober.reader.resolve(type, term.id);
      if (row && row.method !== DELETE) rids.add(row.rid);
    }
  return { rids: [...rids], complete: true };
}
