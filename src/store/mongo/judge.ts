/** Whether terms that are at hand are within a filter: for former versions, which no index has. */
import type { Terms } from '../../fhir/terms.ts';
import { and, type ChainFilter, type Filter, type HasFilter } from '../../search/plan.ts';
import { type Meta, matches } from '../../search/predicate.ts';
import { joined, safe } from './documents.ts';
import { type Lookup, lower, seen } from './lower.ts';

export interface Judged extends Meta {
  readonly type: string;
  readonly terms: Terms;
}

export async function finds(filter: Filter, of: Judged, lookup: Lookup): Promise<boolean> {
  switch (filter.op) {
    case 'and':
      for (const part of filter.of) if (!(await finds(part, of, lookup))) return false;
      return true;
    case 'or':
      for (const part of filter.of) if (await finds(part, of, lookup)) return true;
      return false;
    case 'not':
      return !(await finds(filter.of, of, lookup));
    case 'chain':
      return leads(filter, of, lookup);
    case 'has':
      return pointedAt(filter, of, lookup);
    default:
      return matches(filter, of.terms, of);
  }
}

async function leads(filter: ChainFilter, { terms }: Judged, lookup: Lookup): Promise<boolean> {
  const ids = terms.reference.filter((r) => r.param === filter.param && r.type === filter.type).map((r) => r.id);
  if (ids.length === 0) return false;
  const wanted = and(seen(filter.filter, filter.access), { op: 'id', ids });
  return (await lookup.ids(filter.type, await lower(filter.type, wanted, lookup), 1)).length > 0;
}

async function pointedAt(filter: HasFilter, { type, id }: Judged, lookup: Lookup): Promise<boolean> {
  const wanted = await lower(filter.type, seen(filter.filter, filter.access), lookup);
  const pointing = { reference: joined(filter.param, type, safe(id)) };
  return (await lookup.ids(filter.type, { $and: [wanted, pointing] }, 1)).length > 0;
}
