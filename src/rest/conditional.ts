/**
 * Conditions: what If-None-Exist, conditional update, patch and delete look for. The query runs under the caller's own search
 * filter, else it would tell what exists. What was found is a precondition of the commit, so that no other write slips between.
 * FHIR R4 http.html#ccreate, #cond-update
 */
import type { Principal } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import type { AccessFilter, Plan } from '../search/plan.ts';
import { parseQuery } from '../search/query.ts';
import type { Precondition } from '../store/store.ts';
import type { RestContext } from './context.ts';
import { queryOptions } from './query-options.ts';
import { accessFor } from './rules.ts';

export interface Matches {
  readonly ids: readonly string[];
  /** That it is still so when the write is committed. */
  readonly precondition: Precondition;
}

export interface Condition {
  readonly plan: Plan;
  readonly access: AccessFilter;
}

/**
 * CONTRACT §3 conditions: an unknown or empty parameter is 400 even when lenient.
 * @throws VitalwireError `request.*`, `auth.forbidden` without the `s` scope.
 */
export function parseCondition(ctx: RestContext, principal: Principal, type: string, query: string): Condition {
  const access = accessFor(ctx, principal, 's', type);
  const { plan } = parseQuery(type, query, { ...queryOptions(ctx, principal, true), conditional: true });
  if (plan.filter.op === 'all')
    throw new VitalwireError('request.invalid', `The condition has no search parameter. Say which ${type} is meant.`);
  return { plan, access };
}

/** @throws VitalwireError `resource.multiple` (412) when more than one resource matches. */
export async function findMatch(ctx: RestContext, condition: Condition): Promise<Matches> {
  const { plan, access } = condition;
  const found = await ctx.store.search({ ...plan, sort: [], count: 2, total: false, cursor: undefined }, access);
  const ids = found.entries.map((entry) => entry.id);
  if (ids.length > 1)
    throw new VitalwireError(
      'resource.multiple',
      `More than one ${plan.type} matches the condition. Narrow it until one is meant.`,
    );
  return { ids, precondition: { kind: 'query', type: plan.type, filter: plan.filter, access, ids } };
}
