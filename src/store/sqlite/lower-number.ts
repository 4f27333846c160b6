/** Index look-ups of quantities, numbers and dates other than the primary one, those that are not merged yet included. */
import { NO_TERMS } from '../../fhir/terms.ts';
import type { DateFilter, NumberFilter, QuantityFilter } from '../../search/plan.ts';
import { compareInterval, compareNumber, matches } from '../../search/predicate.ts';
import { PARAM, UNIT } from './dictionary.ts';
import { type DateRange, EVERY_DATE, startsOf } from './range.ts';
import type { Reader } from './reader.ts';
import { invertedParam, SAME_AS } from './routes.ts';
import { DATE, QUANTITY } from './rows.ts';

/** SQL for the values that a comparator admits, and how many times [value, low, high] fill it. */
function valueRange(f: NumberFilter | QuantityFilter): { sql: string; args: number[] } {
  switch (f.comparator) {
    case 'gt':
    case 'sa':
      return { sql: 'value > ?', args: [f.value] };
    case 'lt':
    case 'eb':
      return { sql: 'value < ?', args: [f.value] };
    case 'ge':
      return { sql: 'value >= ?', args: [f.value] };
    case 'le':
      return { sql: 'value <= ?', args: [f.value] };
    case 'ne':
      return { sql: '(value < ? OR value >= ?)', args: [f.low, f.high] };
    default:
      return { sql: 'value >= ? AND value < ?', args: [f.low, f.high] };
  }
}

/** Numbers of the units that the filter means: there are few, each is compared. 0 is the unit of a plain number. */
function unitsOf({ dict }: Reader, f: NumberFilter | QuantityFilter): Set<number> {
  if (f.op === 'number') return new Set([0]);
  const anyValue: QuantityFilter = { ...f, comparator: 'ge', value: Number.NEGATIVE_INFINITY };
  const found = new Set<number>();
  for (const [text, id] of dict.all(UNIT)) {
    const [system = '', code = '', unit = ''] = text.split('\x1f');
    const quantity = [{ param: f.param, value: 0, system, code, unit }];
    if (matches(anyValue, { ...NO_TERMS, quantity }, { id: '', lastUpdated: 0 })) found.add(id);
  }
  return found;
}

export function numberRids(reader: Reader, type: string, f: NumberFilter | QuantityFilter, limit: number): number[] {
  const { db, dict, tail } = reader;
  const units = unitsOf(reader, f);
  const { sql, args } = valueRange(f);
  const rids = new Set<number>();
  for (const code of SAME_AS[`${type}.${f.param}`] ?? [f.param]) {
    const param = dict.find(PARAM, `${type}.${code}`);
    if (param === undefined) continue;
    for (const unit of units) {
      const query = `SELECT rid FROM quantity WHERE param = ? AND unit = ? AND ${sql} LIMIT 0 + ?`;
      for (const row of db.all(query, param, unit, ...args, limit)) rids.add(row[0] as number);
    }
    if (rids.size >= limit) break;
    tail.each(QUANTITY, param, (unit, value, rid) => {
      if (units.has(unit) && compareNumber(value, f)) rids.add(rid);
      return rids.size >= limit;
    });
  }
  return [...rids];
}

export function dateRids(reader: Reader, type: string, f: DateFilter, limit: number): number[] {
  const rids = new Set<number>();
  addDates(reader, `${type}.${f.param}`, f, startsOf(f, Number.POSITIVE_INFINITY), limit, rids);
  addDates(reader, invertedParam(type, f.param), f, EVERY_DATE, limit, rids);
  return [...rids];
}

function addDates(
  { db, dict, tail }: Reader,
  name: string,
  f: DateFilter,
  { from, to }: DateRange,
  limit: number,
  rids: Set<number>,
): void {
  const param = dict.find(PARAM, name);
  if (param === undefined) return;
  const add = (low: number, high: number, rid: number): void => {
    if (compareInterval(f.comparator, { low, high }, f)) rids.add(rid);
  };
  tail.each(DATE, param, (low, high, rid) => {
    add(low, high, rid);
    return rids.size >= limit;
  });
  const rows = db
    .statement('SELECT low, high, rid FROM date_term WHERE param = ? AND low >= ? AND low < ?')
    .iterate(param, Math.max(from, EVERY_DATE.from), to);
  for (const row of rows) {
    if (rids.size >= limit) return;
    const [low, high, rid] = row as unknown as [number, number, number];
    add(low, high, rid);
  }
}
