/** Questions about one resource that the access filter answers: the same filter that is ANDed into searches. */
import { isUnrestricted } from '../access/authorize.ts';
import { permits } from '../access/check.ts';
import type { MaybePromise } from '../base/types.ts';
import type { AccessFilter } from '../search/plan.ts';
import type { Stored } from '../store/store.ts';
import type { RestContext } from './context.ts';

/** Whether the newest version, which lives, is within the filter. */
export function sees(ctx: RestContext, access: AccessFilter, stored: Stored): MaybePromise<boolean> {
  return isUnrestricted(access) || ctx.store.visible(stored.type, stored.id, access);
}

/** Whether this one version is within the filter, by its own text. */
export function permitsVersion(ctx: RestContext, access: AccessFilter, version: Stored): boolean {
  return isUnrestricted(access) || permits(access, JSON.parse(version.text) as Record<string, unknown>, ctx.base);
}

/** Whether what a write would leave behind is within the filter. */
export function permitsResult(
  ctx: RestContext,
  access: AccessFilter,
  resource: Readonly<Record<string, unknown>>,
  id: string,
): boolean {
  return isUnrestricted(access) || permits(access, { ...resource, id }, ctx.base);
}

/**
 * Whether the caller may know that a resource is or was there: the newest version if it lives, else the last one that did,
 * so that 410 says no more than the reads before it.
 */
export async function known(ctx: RestContext, access: AccessFilter, newest: Stored): Promise<boolean> {
  if (isUnrestricted(access)) return true;
  if (!newest.deleted) return ctx.store.visible(newest.type, newest.id, access);
  const last = await ctx.store.readVersion(newest.type, newest.id, newest.version - 1);
  return last !== undefined && !last.deleted && permitsVersion(ctx, access, last);
}
