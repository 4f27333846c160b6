/**
 * The index rows that a resource really has, found by going through all of them. That takes long and is only done when its text
 * does not give the rows that it was stored with: an older release extracted other terms, or a caller gave terms of its own.
 */
import type { Reader, ResourceRow } from './reader.ts';
import { BY_PATIENT, DATE, type IndexRows, QUANTITY, REFERENCE, STRING, type TextRow, TOKEN, URI } from './rows.ts';

const NUMBERS: readonly (readonly [kind: number, sql: string])[] = [
  [BY_PATIENT, 'SELECT pat, cls, date, rid, high FROM by_patient WHERE rid = ?'],
  [REFERENCE, 'SELECT param, target, date, rid FROM reference WHERE rid = ?'],
  [QUANTITY, 'SELECT param, unit, value, rid FROM quantity WHERE rid = ?'],
  [DATE, 'SELECT param, low, high, rid FROM date_term WHERE rid = ?'],
];
const TEXTS: readonly (readonly [table: number, sql: string])[] = [
  [TOKEN, "SELECT param, system, code, '' FROM token WHERE rid = ?"],
  [STRING, 'SELECT param, 0, folded, text FROM string WHERE rid = ?'],
  [URI, "SELECT param, 0, value, '' FROM uri WHERE rid = ?"],
];

export function strayRows({ db, tail }: Reader, { rid, cls }: ResourceRow): IndexRows {
  const place = db.get('SELECT date, high, pat FROM by_class WHERE cls = ? AND rid = ?', cls, rid);
  const log: number[] = [...tail.recordsOf(rid)];
  for (const [kind, sql] of NUMBERS)
    for (const row of db.all(sql, rid))
      log.push(kind * 2, ...row.map((n) => (n === null ? Number.NaN : (n as number))));
  const texts: TextRow[] = TEXTS.flatMap(([table, sql]) =>
    db.all(sql, rid).map(([param, system, first, second]) => ({
      table,
      param: param as number,
      system: system as number,
      first: first as string,
      second: second as string,
    })),
  );
  const [date = 0, high = null, pat = 0] = (place ?? []) as (number | null)[];
  return { place: { cls, date: date ?? 0, high: high ?? Number.NaN, pat: pat ?? 0 }, log, texts };
}
