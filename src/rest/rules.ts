/** The rules of single types, found quickly; and the access filters that they narrow. */
import { authorize, mayEver, narrow } from '../access/authorize.ts';
import type { Letter, Principal } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import type { MaybePromise } from '../base/types.ts';
import type { AccessFilter } from '../search/plan.ts';
import type { WriteRule } from '../store/rules.ts';
import type { Stored } from '../store/store.ts';
import type { RestContext } from './context.ts';

type Rules = readonly WriteRule<Principal>[];
const NO_RULES: Rules = [];
const tables = new WeakMap<RestContext, ReadonlyMap<string, Rules>>();

export function rulesOf(ctx: RestContext, type: string): Rules {
  let table = tables.get(ctx);
  if (!table) {
    table = Map.groupBy(ctx.rules, (rule) => rule.type);
    tables.set(ctx, table);
  }
  return table.get(type) ?? NO_RULES;
}

/**
 * What the token may do with a type, decided before anything is looked up.
 * @throws VitalwireError `auth.forbidden`
 */
export function accessFor(ctx: RestContext, principal: Principal, letter: Letter, type: string): AccessFilter {
  let access = authorize(principal, letter, type, ctx.base);
  for (const rule of rulesOf(ctx, type)) {
    const seen = rule.visibility?.(principal);
    if (seen) access = narrow(access, seen);
  }
  return access;
}

/** The same as a question: undefined when no scope allows it. */
export function accessIfAny(
  ctx: RestContext,
  principal: Principal,
  letter: Letter,
  type: string,
): AccessFilter | undefined {
  if (!mayEver(principal, letter, type)) return undefined;
  try {
    return accessFor(ctx, principal, letter, type);
  } catch (error) {
    if (error instanceof VitalwireError && error.code === 'auth.forbidden') return undefined;
    throw error;
  }
}

/** The text of a stored resource as this caller may see it. */
export function presented(ctx: RestContext, stored: Stored, principal: Principal): MaybePromise<string> {
  for (const rule of rulesOf(ctx, stored.type)) if (rule.present) return rule.present(stored, principal);
  return stored.text;
}
