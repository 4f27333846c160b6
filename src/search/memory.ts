/**
 * A reference engine over an array, slow and plain: what the stores are compared with in property tests.
 *
 * Order. Without `plan.sort`: by `PRIMARY_DATE` of the type, descending, where there is one, then newest created first. With
 * it: key after key, then newest created first. Of several values of one parameter the smallest counts ascending, the largest
 * descending; without a value last, both ways. Compared are: token code, reference id, uri and folded string by UTF-8 bytes;
 * the low end of a date; the number of a quantity, whatever its unit.
 */
import type { ParamType, Terms } from '../fhir/terms.ts';
import type { AccessFilter, Cursor, Filter, Plan, SortKey } from './plan.ts';
import { PRIMARY_DATE } from './plan.ts';
import { matches } from './predicate.ts';

/** The newest version of a resource that is not deleted. */
export interface MemoryRow {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly lastUpdated: number;
  /** Rises with every creation: 1, 2, 3 … */
  readonly created: number;
  readonly terms: Terms;
}

export interface MemoryPage {
  readonly entries: readonly MemoryRow[];
  readonly next?: Cursor | undefined;
  readonly total?: number | undefined;
}

type Value = string | number | null;
type Sortable = Pick<MemoryRow, 'id' | 'lastUpdated' | 'terms'>;

/** Whether a row is found, chains and `_has` included. */
export function finds(filter: Filter, row: MemoryRow, rows: readonly MemoryRow[]): boolean {
  switch (filter.op) {
    case 'and':
      return filter.of.every((f) => finds(f, row, rows));
    case 'or':
      return filter.of.some((f) => finds(f, row, rows));
    case 'not':
      return !finds(filter.of, row, rows);
    case 'chain':
      return rows.some(
        (to) =>
          to.type === filter.type && refers(row, filter.param, to) && seen(filter.filter, filter.access, to, rows),
      );
    case 'has':
      return rows.some(
        (from) =>
          from.type === filter.type &&
          refers(from, filter.param, row) &&
          seen(filter.filter, filter.access, from, rows),
      );
    default:
      return matches(filter, row.terms, row);
  }
}

const seen = (filter: Filter, access: AccessFilter | undefined, row: MemoryRow, rows: readonly MemoryRow[]): boolean =>
  finds(filter, row, rows) && (access === undefined || finds(access.filter, row, rows));

const refers = (from: MemoryRow, param: string, to: MemoryRow): boolean =>
  from.terms.reference.some((t) => t.param === param && t.type === to.type && t.id === to.id);

function valuesOf(row: Sortable, param: string, type: ParamType): (string | number)[] {
  if (param === '_id') return [row.id];
  if (param === '_lastUpdated') return [row.lastUpdated];
  const of = <T extends { param: string }>(list: readonly T[]): T[] => list.filter((t) => t.param === param);
  switch (type) {
    case 'token':
      return of(row.terms.token).map((t) => t.code);
    case 'string':
      return of(row.terms.string).map((t) => t.folded);
    case 'date':
      return of(row.terms.date).map((t) => t.low);
    case 'number':
      return of(row.terms.number).map((t) => t.value);
    case 'quantity':
      return of(row.terms.quantity).map((t) => t.value);
    case 'reference':
      // A reference by identifier alone leads nowhere: no value.
      return of(row.terms.reference).flatMap((t) => t.id || []);
    case 'uri':
      return of(row.terms.uri).map((t) => t.value);
    default:
      return [];
  }
}

const compare = (a: string | number, b: string | number): number =>
  typeof a === 'number' && typeof b === 'number'
    ? a - b
    : Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));

/** What a resource is sorted by under one key; null without a value. */
export function sortValue(row: Sortable, key: SortKey): Value {
  const sorted = valuesOf(row, key.param, key.type).sort(compare);
  return (key.descending ? sorted.at(-1) : sorted[0]) ?? null;
}

/** Below 0 when a comes first. Both hold a value for each key, then the number of the creation. */
export function compareKeys(a: readonly Value[], b: readonly Value[], keys: readonly SortKey[]): number {
  for (const [i, key] of keys.entries()) {
    const x = a[i] ?? null;
    const y = b[i] ?? null;
    if (x === null && y === null) continue;
    if (x === null) return 1;
    if (y === null) return -1;
    const order = compare(x, y);
    if (order !== 0) return key.descending ? -order : order;
  }
  // The last value is the number of the creation.
  return (b.at(-1) as number) - (a.at(-1) as number);
}

/** What a plan is sorted by before the creation. */
export function sortKeys(plan: Plan): readonly SortKey[] {
  if (plan.sort.length > 0) return plan.sort;
  const primary = PRIMARY_DATE[plan.type];
  return primary === undefined ? [] : [{ param: primary, type: 'date', descending: true }];
}

/** `access` undefined: everything. */
export function search(plan: Plan, access: AccessFilter | undefined, rows: readonly MemoryRow[]): MemoryPage {
  const keys = sortKeys(plan);
  const snapshot = plan.cursor?.snapshot ?? rows.reduce((last, row) => Math.max(last, row.created), 0);
  const found = rows.filter(
    (row) => row.type === plan.type && row.created <= snapshot && seen(plan.filter, access, row, rows),
  );
  const ordered = found
    .map((row) => ({ row, values: [...keys.map((key) => sortValue(row, key)), row.created] as Value[] }))
    .sort((a, b) => compareKeys(a.values, b.values, keys));
  const after = plan.cursor?.values;
  const left = after ? ordered.filter((o) => compareKeys(o.values, after, keys) > 0) : ordered;
  const page = left.slice(0, plan.count);
  const last = page.at(-1);
  return {
    entries: page.map((o) => o.row),
    next: left.length > page.length && last ? { values: last.values, snapshot } : undefined,
    total: plan.total ? found.length : undefined,
  };
}
