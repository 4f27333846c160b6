/** Searches over resources in memory, for tests: the reference engine with the real parser and extractor. */
import { limits } from '../../src/base/limits.ts';
import { extract } from '../../src/fhir/extract.ts';
import { type MemoryPage, type MemoryRow, search } from '../../src/search/memory.ts';
import { type AccessFilter, ALL, type Filter } from '../../src/search/plan.ts';
import { type ParsedQuery, parseQuery, type QueryOptions } from '../../src/search/query.ts';
import { BASE } from './arbitrary.ts';

/** An access filter as `access/` would make it. */
export const accessOf = (type: string, filter: Filter = ALL): AccessFilter =>
  ({ type, filter }) as unknown as AccessFilter;

export const queryOptions = (over: Partial<QueryOptions> = {}): QueryOptions => ({
  base: BASE,
  limits,
  strict: true,
  secret: new Uint8Array(32),
  binding: 'client',
  accessFor: (type) => accessOf(type),
  ...over,
});

export const parse = (type: string, query: string, over: Partial<QueryOptions> = {}): ParsedQuery =>
  parseQuery(type, query, queryOptions(over));

/** Created in this order, a second apart, at version 1. */
export const rowsOf = (resources: readonly object[]): MemoryRow[] =>
  resources.map((resource, i) => {
    const { resourceType, id } = resource as { resourceType: string; id?: string };
    return {
      type: resourceType,
      id: id ?? String(i),
      version: 1,
      lastUpdated: Date.UTC(2026, 0, 1) + i * 1000,
      created: i + 1,
      terms: extract(resource as Record<string, unknown>, BASE),
    };
  });

/** The page that a query string finds. */
export const page = (type: string, query: string, resources: readonly object[], access?: AccessFilter): MemoryPage =>
  search(parse(type, query).plan, access, rowsOf(resources));

/** Ids in the order of the page, joined by a space. What has no id is called by its place: 0, 1, 2 … */
export const find = (type: string, query: string, resources: readonly object[]): string =>
  page(type, query, resources)
    .entries.map((row) => row.id)
    .join(' ');
