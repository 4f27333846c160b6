/** create and conditional create. FHIR R4 http.html#create, #ccreate */
import type { Principal } from '../../access/principal.ts';
import type { PlainResponse } from '../../base/http.ts';
import type { ParsedResource } from '../../fhir/parse.ts';
import type { AccessFilter } from '../../search/plan.ts';
import type { Precondition, Stored } from '../../store/store.ts';
import { permitsResult } from '../access.ts';
import { resourceOf } from '../body.ts';
import { AGAIN, commitOne, retrying } from '../commit.ts';
import { findMatch, parseCondition } from '../conditional.ts';
import type { RestContext, RestRequest } from '../context.ts';
import { leaves } from '../refusals.ts';
import { afterWrite } from '../respond.ts';
import { accessFor } from '../rules.ts';
import { prepare } from '../write.ts';

export async function create(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 'c', type);
  const noneExist = request.headers['if-none-exist'];
  const condition = noneExist === undefined ? undefined : parseCondition(ctx, principal, type, noneExist);
  const parsed = resourceOf(ctx, request, type);
  return retrying(ctx.limits, async () => {
    const matches = condition && (await findMatch(ctx, condition));
    const existing = matches?.ids[0];
    if (existing !== undefined) {
      const found = await ctx.store.read(type, existing);
      // Deleted since the search: look again.
      if (!found || found.deleted) return AGAIN;
      return afterWrite(ctx, principal, found, 200, request.headers['prefer']);
    }
    const written = await commitNew(ctx, principal, parsed, access, matches ? [matches.precondition] : []);
    return written === AGAIN ? AGAIN : afterWrite(ctx, principal, written, 201, request.headers['prefer']);
  });
}

/** A new resource under an id of the server; the client's id, version and instant are ignored. */
export async function commitNew(
  ctx: RestContext,
  principal: Principal,
  { resourceType, resource, text }: ParsedResource,
  access: AccessFilter,
  preconditions: readonly Precondition[],
): Promise<Stored | typeof AGAIN> {
  const id = ctx.store.newId();
  const prepared = await prepare(ctx, { method: 'POST', type: resourceType, id, resource, text, caller: principal });
  if (!permitsResult(ctx, access, prepared.resource ?? resource, id)) throw leaves();
  return commitOne(ctx, prepared, preconditions);
}
