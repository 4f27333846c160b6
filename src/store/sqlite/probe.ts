/** What the indexes say about one filter: the resources that it finds, when there are not too many of them. */
import type { Filter, LastUpdatedFilter, MissingFilter } from '../../search/plan.ts';
import { compareInterval } from '../../search/predicate.ts';
import type { Candidate } from './candidate.ts';
import { PARAM, TYPE } from './dictionary.ts';
import { dateRids, numberRids } from './lower-number.ts';
import { chainFound, hasFound, referenceFound } from './lower-reference.ts';
import { identifierRids, stringRids, tokenRids, uriRids } from './lower-text.ts';
import type { Reader } from './reader.ts';
import { identifierParam, invertedParam, primaryDate, SAME_AS, tokenRoute, uriRoute } from './routes.ts';
import { DATE, QUANTITY } from './rows.ts';
import { DELETE } from './wire.ts';

export interface Found {
  readonly rids: readonly number[];
  /** Primary dates, where the index has them. */
  readonly dates?: ReadonlyMap<number, number> | undefined;
  /** Not cut off at the limit: whatever is not in it is not found. */
  readonly complete: boolean;
}

/** How a search asks for other resources. */
export interface Prober {
  readonly reader: Reader;
  /** At most `limit`, in no order. */
  find(type: string, filter: Filter, limit: number): Candidate[];
}

const found = (rids: readonly number[], limit: number): Found => ({ rids, complete: rids.length < limit });

/** Undefined: no index answers it. Rids may be of deleted resources or of another type only where `reader.row` will tell. */
export function probe(prober: Prober, type: string, filter: Filter, limit: number): Found | undefined {
  const { reader } = prober;
  switch (filter.op) {
    case 'none':
      return { rids: [], complete: true };
    case 'token':
      return tokenRoute(type, filter.param) === 'table'
        ? found(tokenRids(reader, type, filter, limit), limit)
        : undefined;
    case 'uri':
      return uriRoute(filter.param) === 'table' ? found(uriRids(reader, type, filter, limit), limit) : undefined;
    case 'string':
      return found(stringRids(reader, type, filter, limit), limit);
    case 'quantity':
    case 'number':
      return found(numberRids(reader, type, filter, limit), limit);
    case 'date':
      return filter.param === primaryDate(type) ? undefined : found(dateRids(reader, type, filter, limit), limit);
    case 'reference':
      return referenceFound(reader, type, filter, limit);
    case 'reference-identifier':
      return found(identifierRids(reader, type, filter, limit), limit);
    case 'id':
      return idFound(reader, type, filter.ids);
    case 'last-updated':
      return updatedFound(reader, type, filter, limit);
    case 'chain':
      return chainFound(prober, type, filter, limit);
    case 'has':
      return hasFound(prober, type, filter);
    case 'or':
      return union(prober, type, filter.of, limit);
    default:
      return undefined;
  }
}

function idFound(reader: Reader, type: string, ids: readonly string[]): Found {
  const rids = new Set<number>();
  for (const id of ids) {
    const row = reader.resolve(type, id);
    if (row && row.method !== DELETE) rids.add(row.rid);
  }
  return { rids: [...rids], complete: true };
}

function union(prober: Prober, type: string, parts: readonly Filter[], limit: number): Found | undefined {
  const rids = new Set<number>();
  let complete = true;
  for (const part of parts) {
    const one = probe(prober, type, part, limit);
    if (!one) return undefined;
    for (const rid of one.rids) rids.add(rid);
    complete &&= one.complete;
    if (!complete) break;
  }
  return { rids: [...rids], complete };
}

/** The first change at or after a moment; the change log is in order of time. */
export function seqAt(reader: Reader, at: number): number {
  let low = 1;
  let high = reader.lastSeq() + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = reader.db.number(Number.POSITIVE_INFINITY, 'SELECT at FROM change WHERE seq >= ? LIMIT 1', middle);
    if (found < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Change numbers [from, to) between which the newest version lies: a superset. */
export function seqRange(reader: Reader, f: LastUpdatedFilter): { from: number; to: number } {
  const all = { from: 1, to: Number.MAX_SAFE_INTEGER };
  switch (f.comparator) {
    case 'gt':
    case 'sa':
    case 'ge':
      return { ...all, from: seqAt(reader, f.low) };
    case 'lt':
    case 'eb':
    case 'le':
      return { ...all, to: seqAt(reader, f.high + 1) };
    case 'ne':
      return all;
    default:
      return { from: seqAt(reader, f.low), to: seqAt(reader, f.high + 1) };
  }
}

function updatedFound(reader: Reader, type: string, f: LastUpdatedFilter, limit: number): Found {
  const { from, to } = seqRange(reader, f);
  const end = Math.min(to, reader.lastSeq() + 1);
  if (end - from > limit) return { rids: [], complete: false };
  const rows = reader.db.all(
    `SELECT c.rid, c.at FROM change c JOIN resource r ON r.rid = c.rid
     WHERE c.seq >= ? AND c.seq < ? AND r.seq = c.seq AND r.type = ?`,
    ...[from, end, reader.dict.find(TYPE, type) ?? 0],
  );
  const within = rows.filter(([, at]) =>
    compareInterval(f.comparator, { low: at as number, high: (at as number) + 1 }, f),
  );
  return { rids: within.map((r) => r[0] as number), complete: true };
}

const TABLE_OF: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'quantity',
  quantity: 'quantity',
  date: 'date_term',
  reference: 'reference',
  token: 'token',
  uri: 'uri',
};

/**
 * All resources for which a filter that the class leaves open is true, of a `missing` those that have a value. Undefined when
 * only the text knows.
 */
export function setOf(prober: Prober, type: string, filter: Filter): ReadonlySet<number> | undefined {
  if (filter.op === 'missing') return present(prober.reader, type, filter);
  const all = probe(prober, type, filter, Number.MAX_SAFE_INTEGER);
  return all?.complete ? new Set(all.rids) : undefined;
}

function present({ db, dict, tail }: Reader, type: string, f: MissingFilter): ReadonlySet<number> | undefined {
  const table = TABLE_OF[f.type];
  if (table === undefined) return undefined;
  const rids = new Set<number>();
  const names = (SAME_AS[`${type}.${f.param}`] ?? [f.param]).map((code) => `${type}.${code}`);
  if (f.type === 'date') names.push(invertedParam(type, f.param));
  for (const name of names) {
    const param = dict.find(PARAM, name);
    if (param === undefined) continue;
    for (const row of db.all(`SELECT rid FROM ${table} WHERE param = ?`, param)) rids.add(row[0] as number);
    const add = (_a: number, _b: number, rid: number): boolean => {
      rids.add(rid);
      return false;
    };
    if (table === 'quantity') tail.each(QUANTITY, param, add);
    if (table === 'date_term') tail.each(DATE, param, add);
    if (table !== 'reference') continue;
    const waiting = tail.references();
    for (let i = 0; i < waiting.length; i += 3) if (waiting[i] === param) rids.add(waiting[i + 2] as number);
  }
  if (f.type === 'reference') {
    const logical = dict.find(PARAM, identifierParam(type, f.param));
    if (logical !== undefined)
      for (const row of db.all('SELECT rid FROM token WHERE param = ?', logical)) rids.add(row[0] as number);
  }
  return rids;
}
