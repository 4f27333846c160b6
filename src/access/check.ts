/** The access filter on a resource in memory: what a write would leave behind, what is about to be delivered. */
import { extract } from '../fhir/extract.ts';
import type { Terms } from '../fhir/terms.ts';
import type { AccessFilter, Filter } from '../search/plan.ts';
import { isLocal, matches } from '../search/predicate.ts';
import { isUnrestricted } from './authorize.ts';

interface Meta {
  readonly id: string;
  readonly lastUpdated: number;
}

/** True only when the resource alone shows it: what would take another resource to know (chain, has) is not shown. */
function shown(filter: Filter, terms: Terms, meta: Meta): boolean {
  if (isLocal(filter)) return matches(filter, terms, meta);
  if (filter.op === 'and') return filter.of.every((part) => shown(part, terms, meta));
  if (filter.op === 'or') return filter.of.some((part) => shown(part, terms, meta));
  return false;
}

/** Like `permits`, for a caller that has the terms already. `type` and `id` are the resource's own. */
export function permitsTerms(access: AccessFilter, type: string, terms: Terms, meta: Meta): boolean {
  return type === access.type && (isUnrestricted(access) || shown(access.filter, terms, meta));
}

/**
 * Whether the resource, as it is or would become, is within the access filter. False when that cannot be told from the
 * resource alone.
 * @param base `{BASE_URL}/fhir`.
 */
export function permits(access: AccessFilter, resource: Readonly<Record<string, unknown>>, base: string): boolean {
  const { resourceType, id, meta } = resource;
  if (resourceType !== access.type) return false;
  if (isUnrestricted(access)) return true;
  const instant = (meta as { lastUpdated?: unknown } | undefined)?.lastUpdated;
  const lastUpdated = typeof instant === 'string' ? Date.parse(instant) : Number.NaN;
  return shown(access.filter, extract(resource, base), { id: typeof id === 'string' ? id : '', lastUpdated });
}
