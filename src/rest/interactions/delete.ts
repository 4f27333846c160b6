/** delete and conditional delete (single). FHIR R4 http.html#delete, #3.1.0.7.1 */
import type { Principal } from '../../access/principal.ts';
import type { PlainResponse } from '../../base/http.ts';
import type { AccessFilter } from '../../search/plan.ts';
import type { Precondition } from '../../store/store.ts';
import { sees } from '../access.ts';
import { AGAIN, commitOne, retrying } from '../commit.ts';
import { findMatch, parseCondition } from '../conditional.ts';
import type { RestContext, RestRequest } from '../context.ts';
import { assertMatch, etag, parseIfMatch } from '../etag.ts';
import { inLanes } from '../lane.ts';
import { accessFor } from '../rules.ts';
import { prepare } from '../write.ts';

/** CONTRACT §3 FHIR choices: DELETE of what is not there is 204; so is that of what is hidden, which is left alone. */
const DONE: PlainResponse = Object.freeze({ status: 204, headers: Object.freeze({ 'cache-control': 'no-store' }) });

export async function remove(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
  id: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 'd', type);
  const ifMatch = parseIfMatch(request.headers['if-match']);
  return inLanes(ctx, [`${type}/${id}`], () =>
    retrying(ctx.limits, () => commitDelete(ctx, principal, { type, id, access, ifMatch, preconditions: [] })),
  );
}

/** DELETE [type]?[query] */
export async function conditionalRemove(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 'd', type);
  const condition = parseCondition(ctx, principal, type, request.query);
  const ifMatch = parseIfMatch(request.headers['if-match']);
  return inLanes(ctx, [`${type}?${request.query}`], () =>
    retrying(ctx.limits, async () => {
      const { ids, precondition } = await findMatch(ctx, condition);
      const id = ids[0];
      if (id === undefined) return DONE;
      return commitDelete(ctx, principal, { type, id, access, ifMatch, preconditions: [precondition] });
    }),
  );
}

interface ProposedDelete {
  readonly type: string;
  readonly id: string;
  readonly access: AccessFilter;
  readonly ifMatch: readonly number[] | '*' | undefined;
  readonly preconditions: readonly Precondition[];
}

async function commitDelete(
  ctx: RestContext,
  principal: Principal,
  { type, id, access, ifMatch, preconditions }: ProposedDelete,
): Promise<PlainResponse | typeof AGAIN> {
  const before = await ctx.store.read(type, id);
  if (!before || before.deleted || !(await sees(ctx, access, before))) return DONE;
  assertMatch(ifMatch, before.version);
  const prepared = await prepare(ctx, { method: 'DELETE', type, id, text: '', before, caller: principal });
  const written = await commitOne(ctx, prepared, preconditions);
  if (written === AGAIN) return AGAIN;
  return { status: 204, headers: { ...DONE.headers, etag: etag(written.version) } };
}
