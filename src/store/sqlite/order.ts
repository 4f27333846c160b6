/** Orders of a page, the values that a cursor holds, and where a resource stood when the first page was cut. */
import { type Plan, PRIMARY_DATE, type SortKey } from '../../search/plan.ts';
import { Candidate } from './candidate.ts';
import { dated } from './classes.ts';
import type { Reader, ResourceRow } from './reader.ts';
import { NO_DATE } from './schema.ts';
import { DELETE } from './wire.ts';

/**
 * - primary: by the primary date, or by creation where the type has none. The indexes are in this order
 * - updated: by lastUpdated. The change log is in this order
 * - keys: anything else; what is found is sorted in memory
 */
export type Order =
  | { readonly kind: 'primary' | 'updated'; readonly descending: boolean }
  | { readonly kind: 'keys'; readonly descending: true; readonly keys: readonly SortKey[] };

/** One for each key, then the rid. */
export type Values = readonly (string | number | null)[];

export function orderOf(plan: Plan): Order {
  const [key, another] = plan.sort;
  if (!key) return { kind: 'primary', descending: true };
  if (!another && key.param === PRIMARY_DATE[plan.type]) return { kind: 'primary', descending: key.descending };
  if (!another && key.param === '_lastUpdated') return { kind: 'updated', descending: key.descending };
  return { kind: 'keys', descending: true, keys: plan.sort };
}

export function dateOf(c: Candidate): number {
  if (!Number.isNaN(c.date)) return c.date;
  if (c.cls.span === 'none') return NO_DATE;
  return c.cls.span === 'creation' ? 0 : dated(c.cls.type, c.terms, NO_DATE).date;
}

export function valuesOf(order: Order, c: Candidate): Values {
  if (order.kind === 'primary') return [dateOf(c), c.rid];
  if (order.kind !== 'keys') return [c.row.seq, c.rid];
  return [...order.keys.map((key) => keyValue(key, c)), c.rid];
}

function keyValue(key: SortKey, c: Candidate): string | number | null {
  if (key.param === '_id') return c.id;
  if (key.param === '_lastUpdated') return c.row.updated;
  const of = <T extends { param: string }, V>(list: readonly T[], value: (term: T) => V): V[] =>
    list.filter((t) => t.param === key.param).map(value);
  const { terms } = c;
  const values: readonly (string | number)[] = {
    token: () => of(terms.token, (t) => t.code),
    string: () => of(terms.string, (t) => t.folded),
    date: () => of(terms.date, (t) => t.low),
    number: () => of(terms.number, (t) => t.value),
    quantity: () => of(terms.quantity, (t) => t.value),
    // A reference by identifier alone leads nowhere: no value.
    reference: () => of(terms.reference, (t) => t.id).filter((id) => id !== ''),
    uri: () => of(terms.uri, (t) => t.value),
    composite: () => [],
    special: () => [],
  }[key.type]();
  // Of several values the smallest counts ascending, the largest descending.
  let best: string | number | null = null;
  for (const value of values) {
    const order = best === null ? -1 : compare(value, best);
    if (key.descending ? order > 0 || best === null : order < 0) best = value;
  }
  return best;
}

const SURROGATE = /[\ud800-\udfff]/;
/** Texts by their UTF-8 bytes, which is the order of code points. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (SURROGATE.test(String(a)) || SURROGATE.test(String(b)))
    return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Below 0 when a comes first. Without a value last, both ways; equals by creation, in the direction of the first key. */
export function compareValues(order: Order, a: Values, b: Values): number {
  for (let i = 0; i < a.length - 1; i++) {
    const x = absent(order, a[i]);
    const y = absent(order, b[i]);
    if (x === null && y === null) continue;
    if (x === null) return 1;
    if (y === null) return -1;
    const by = compare(x, y);
    const descending = order.kind === 'keys' ? order.keys[i]?.descending : order.descending;
    if (by !== 0) return descending ? -by : by;
  }
  const by = (a.at(-1) as number) - (b.at(-1) as number);
  return order.descending ? -by : by;
}

const absent = (order: Order, value: string | number | null | undefined): string | number | null =>
  value === undefined || (order.kind === 'primary' && value === NO_DATE) ? null : value;

/** The version that was the newest at a change number; undefined when there was none, or it was deleted. */
export function rowAt(reader: Reader, row: ResourceRow, snapshot: number): ResourceRow | undefined {
  if (row.seq <= snapshot) return row;
  const version = reader.db.number(0, 'SELECT max(version) FROM history WHERE rid = ? AND seq <= ?', row.rid, snapshot);
  const former = version > 0 ? reader.formerRow(row.rid, version, row.id) : undefined;
  return former?.method === DELETE ? undefined : former;
}

/**
 * Where a resource stands in a walk that began at `snapshot`; undefined when it is not part of it. Each keeps the place that it
 * had when the first page was cut, so that an update in between shows it neither twice nor not at all.
 */
export function valuesAt(reader: Reader, order: Order, c: Candidate, snapshot: number | undefined): Values | undefined {
  if (snapshot === undefined || c.row.seq <= snapshot) return valuesOf(order, c);
  const row = rowAt(reader, c.row, snapshot);
  if (!row) return undefined;
  const then = Candidate.of(reader, row, c.cls);
  if (order.kind !== 'primary') return valuesOf(order, then);
  return [dated(c.cls.type, then.terms, NO_DATE).date, c.rid];
}
