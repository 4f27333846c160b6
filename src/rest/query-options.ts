/** How a query string of this caller is read. */
import type { Principal } from '../access/principal.ts';
import { sha256Url } from '../base/hash.ts';
import type { QueryOptions } from '../search/query.ts';
import type { RestContext } from './context.ts';
import { accessIfAny } from './rules.ts';

const bindings = new WeakMap<Principal, string>();

/** What a cursor is bound to: the client and all that its access filters are made of. */
export function bindingOf(principal: Principal): string {
  let binding = bindings.get(principal);
  if (binding === undefined) {
    const { clientId, scopeText, patient = '', fhirUser = '' } = principal;
    binding = sha256Url(JSON.stringify([clientId, scopeText, patient, fhirUser]));
    bindings.set(principal, binding);
  }
  return binding;
}

export function queryOptions(ctx: RestContext, principal: Principal, strict: boolean): QueryOptions {
  return {
    base: ctx.base,
    limits: ctx.limits,
    strict,
    secret: ctx.secret,
    binding: bindingOf(principal),
    // A chain looks into another type: it needs the right to search there.
    accessFor: (type) => accessIfAny(ctx, principal, 's', type),
  };
}
