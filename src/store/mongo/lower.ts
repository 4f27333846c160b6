/**
 * A plan's filter as a MongoDB filter. Local parts become conditions on one document; a chain or `_has` is answered first, as
 * the ids that it leads to. What `search/predicate.ts` says in memory is said here in MongoDB's words, line by line.
 */
import type { Filter as MongoFilter } from 'mongodb';
import { VitalwireError } from '../../base/errors.ts';
import type { Limits } from '../../base/limits.ts';
import { belowStem } from '../../search/params/uri.ts';
import {
  type AccessFilter,
  and,
  type ChainFilter,
  type Comparator,
  type Filter,
  type HasFilter,
  type QuantityFilter,
} from '../../search/plan.ts';
import { ANY, BY_IDENTIFIER, joined, type ResourceDocument, resourceId, SEPARATOR, safe } from './documents.ts';

export type Condition = MongoFilter<ResourceDocument>;

/** Ids of the resources of a type that a condition finds, and the references of those. */
export interface Lookup {
  ids(type: string, condition: Condition, limit: number): Promise<readonly string[]>;
  references(type: string, condition: Condition, limit: number): Promise<readonly string[]>;
  readonly limits: Limits;
}

const EVERY: Condition = {};
const NOTHING: Condition = { _id: { $in: [] } };
/** Above every text that begins with `text`. */
const after = (text: string): string => `${text}\u{10ffff}`;
const some = (field: string, p: string, of: object): Condition =>
  ({ [field]: { $elemMatch: { p, ...of } } }) as Condition;

/** Elements of a string array that begin with a prefix: a range, so that the index answers it. */
const prefixed = (field: 'token' | 'reference' | 'stringStart', prefix: string): Condition =>
  ({ [field]: { $elemMatch: { $gte: prefix, $lt: after(prefix) } } }) as Condition;

/** Bounds of one interval; see `compareInterval`. */
function interval(comparator: Comparator, asked: { readonly low: number; readonly high: number }): object {
  const { low, high } = asked;
  const within = { low: { $gte: low }, high: { $lte: high } };
  switch (comparator) {
    case 'eq':
      return within;
    case 'ne':
      return { $or: [{ low: { $lt: low } }, { high: { $gt: high } }] };
    case 'gt':
      return { high: { $gt: high } };
    case 'lt':
      return { low: { $lt: low } };
    case 'ge':
      return { $or: [{ high: { $gt: high } }, within] };
    case 'le':
      return { $or: [{ low: { $lt: low } }, within] };
    case 'sa':
      return { low: { $gte: high } };
    case 'eb':
      return { high: { $lte: low } };
    default:
      return { low: { $lt: high }, high: { $gt: low } };
  }
}

/** Bounds of one number; see `compareNumber`. */
function number(f: {
  readonly comparator: Comparator;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}): object {
  switch (f.comparator) {
    case 'gt':
    case 'sa':
      return { value: { $gt: f.value } };
    case 'lt':
    case 'eb':
      return { value: { $lt: f.value } };
    case 'ge':
      return { value: { $gte: f.value } };
    case 'le':
      return { value: { $lte: f.value } };
    case 'ne':
      return { $or: [{ value: { $lt: f.low } }, { value: { $gte: f.high } }] };
    default:
      return { value: { $gte: f.low, $lt: f.high } };
  }
}

function quantity(f: QuantityFilter): object {
  const value = number(f);
  if (f.system !== undefined) return { ...value, system: f.system, ...(f.code === undefined ? {} : { code: f.code }) };
  if (f.code === undefined) return value;
  return { $and: [value, { $or: [{ code: f.code }, { unit: f.code }] }] };
}

const escapeRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Every text that `uri` begins with and that ends where a path segment ends: what `:above` may find. */
function stems(uri: string): string[] {
  const found = [uri];
  for (let i = 1; i < uri.length; i++) if (uri.startsWith(belowStem(uri.slice(0, i)))) found.push(uri.slice(0, i));
  return found;
}

function lastUpdated(comparator: Comparator, asked: { readonly low: number; readonly high: number }): Condition {
  // The resource's interval is [updated, updated + 1): bounds on `high` are bounds on `updated`, less one.
  const rename = (o: unknown): unknown => {
    if (Array.isArray(o)) return o.map(rename);
    const { low, high, ...rest } = o as { low?: object; high?: object };
    const updated: object[] = [];
    if (low) updated.push({ updated: low });
    if (high)
      updated.push({ updated: Object.fromEntries(Object.entries(high).map(([op, v]) => [op, (v as number) - 1])) });
    const others = Object.entries(rest).map(([op, v]) => ({ [op]: rename(v) }));
    return { $and: [...updated, ...others] };
  };
  return rename(interval(comparator, asked)) as Condition;
}

const systemOf = (system: string | undefined): string => (system === undefined ? ANY : safe(system));

/** A filter without chain and `_has`. */
function local(type: string, filter: Filter): Condition {
  switch (filter.op) {
    case 'all':
      return EVERY;
    case 'none':
      return NOTHING;
    case 'token':
      if (filter.code === undefined)
        return filter.system === undefined
          ? { has: filter.param }
          : prefixed('token', joined(filter.param, safe(filter.system), ''));
      return { token: joined(filter.param, systemOf(filter.system), safe(filter.code)) };
    case 'string':
      if (filter.mode === 'exact') return some('string', filter.param, { text: filter.value });
      if (filter.mode === 'starts') return prefixed('stringStart', joined(filter.param, safe(filter.value)));
      return some('string', filter.param, { folded: { $regex: escapeRegex(filter.value) } });
    case 'date':
      return some('date', filter.param, interval(filter.comparator, filter));
    case 'number':
      return some('number', filter.param, number(filter));
    case 'quantity':
      return some('quantity', filter.param, quantity(filter));
    case 'reference':
      return { reference: joined(filter.param, filter.type ?? ANY, safe(filter.id)) };
    case 'reference-identifier':
      return filter.value === undefined
        ? prefixed(
            'reference',
            filter.param +
              SEPARATOR +
              BY_IDENTIFIER +
              (filter.system === undefined ? '' : safe(filter.system) + SEPARATOR),
          )
        : { reference: joined(filter.param, BY_IDENTIFIER + systemOf(filter.system), safe(filter.value)) };
    case 'uri':
      if (filter.mode === 'exact') return some('uri', filter.param, { value: filter.value });
      if (filter.mode === 'above') return some('uri', filter.param, { value: { $in: stems(filter.value) } });
      return some('uri', filter.param, {
        $or: [
          { value: filter.value },
          { value: { $gte: belowStem(filter.value), $lt: after(belowStem(filter.value)) } },
        ],
      });
    case 'missing':
      return filter.missing ? { has: { $ne: filter.param } } : { has: filter.param };
    case 'id':
      return { _id: { $in: filter.ids.map((id) => resourceId(type, id)) } };
    case 'last-updated':
      return lastUpdated(filter.comparator, filter);
    case 'composite':
      return some('composite', filter.param, { $and: filter.parts.map((part) => local(type, part)) });
    default:
      throw new Error(`${filter.op} is not a local filter`);
  }
}

const tooMany = (limit: number): VitalwireError =>
  new VitalwireError(
    'request.too-many',
    `A chained part of the search leads to more than ${limit} resources. Narrow it.`,
  );

async function chain(filter: ChainFilter, lookup: Lookup): Promise<Condition> {
  const limit = lookup.limits.chainResourcesMax;
  const condition = await lower(filter.type, seen(filter.filter, filter.access), lookup);
  const ids = await lookup.ids(filter.type, condition, limit + 1);
  if (ids.length > limit) throw tooMany(limit);
  return { reference: { $in: ids.map((id) => joined(filter.param, filter.type, id)) } };
}

async function has(type: string, filter: HasFilter, lookup: Lookup): Promise<Condition> {
  const limit = lookup.limits.chainResourcesMax;
  const condition = await lower(filter.type, seen(filter.filter, filter.access), lookup);
  const prefix = joined(filter.param, type, '');
  const references = await lookup.references(
    filter.type,
    { $and: [condition, prefixed('reference', prefix)] },
    limit + 1,
  );
  if (references.length > limit) throw tooMany(limit);
  const ids = new Set(references.filter((r) => r.startsWith(prefix)).map((r) => r.slice(prefix.length)));
  return { _id: { $in: [...ids].map((id) => resourceId(type, id)) } };
}

/** What a chain or `_has` asks of the other resource, access included. */
export const seen = (filter: Filter, access: AccessFilter | undefined): Filter =>
  access === undefined ? filter : and(filter, access.filter);

/** The condition that a filter is, for resources of `type` (which the caller adds, with `deleted: false`). */
export async function lower(type: string, filter: Filter, lookup: Lookup): Promise<Condition> {
  switch (filter.op) {
    case 'and':
      return { $and: await each(type, filter.of, lookup) } as Condition;
    case 'or':
      return { $or: await each(type, filter.of, lookup) } as Condition;
    case 'not':
      return { $nor: [await lower(type, filter.of, lookup)] } as Condition;
    case 'chain':
      return chain(filter, lookup);
    case 'has':
      return has(type, filter, lookup);
    default:
      return local(type, filter);
  }
}

async function each(type: string, filters: readonly Filter[], lookup: Lookup): Promise<Condition[]> {
  const conditions: Condition[] = [];
  // One after the other: inside a transaction a session runs one command at a time.
  for (const filter of filters) conditions.push(await lower(type, filter, lookup));
  return conditions;
}
