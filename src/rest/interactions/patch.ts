/** JSON Patch, also conditional. FHIR R4 http.html#patch */
import type { Principal } from '../../access/principal.ts';
import { VitalwireError } from '../../base/errors.ts';
import { mediaType, type PlainResponse } from '../../base/http.ts';
import { parseResource } from '../../fhir/parse.ts';
import type { AccessFilter } from '../../search/plan.ts';
import type { Precondition, Stored } from '../../store/store.ts';
import { permitsResult, sees } from '../access.ts';
import { AGAIN, commitOne, retrying } from '../commit.ts';
import { findMatch, parseCondition } from '../conditional.ts';
import type { RestContext, RestRequest } from '../context.ts';
import { assertMatch, parseIfMatch } from '../etag.ts';
import { type PatchOperation, parsePatch, patchText } from '../json-patch.ts';
import { inLanes } from '../lane.ts';
import { leaves, notFound } from '../refusals.ts';
import { afterWrite } from '../respond.ts';
import { accessFor } from '../rules.ts';
import { type Prepared, prepare } from '../write.ts';
import { assertSameId, unchanged } from './update.ts';

export const JSON_PATCH = 'application/json-patch+json';

export async function patch(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
  id: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 'u', type);
  const operations = operationsOf(request);
  return inLanes(ctx, [`${type}/${id}`], () =>
    retrying(ctx.limits, () =>
      commitPatch(ctx, request, principal, { type, id, access, operations, preconditions: [] }),
    ),
  );
}

/** PATCH [type]?[query] */
export async function conditionalPatch(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 'u', type);
  const condition = parseCondition(ctx, principal, type, request.query);
  const operations = operationsOf(request);
  return inLanes(ctx, [`${type}?${request.query}`], () =>
    retrying(ctx.limits, async () => {
      const { ids, precondition } = await findMatch(ctx, condition);
      const id = ids[0];
      // FHIR R4 http.html#patch: no match is 404.
      if (id === undefined) throw new VitalwireError('resource.not-found', `No ${type} matches the condition.`);
      return commitPatch(ctx, request, principal, { type, id, access, operations, preconditions: [precondition] });
    }),
  );
}

/** @throws VitalwireError `request.media-type`, or what is wrong with the patch document. */
export function operationsOf(request: RestRequest): PatchOperation[] {
  if (mediaType(request.headers['content-type']) !== JSON_PATCH)
    throw new VitalwireError('request.media-type', `A patch is sent as ${JSON_PATCH}; other kinds are not supported.`);
  return parsePatch(request.body);
}

interface ProposedPatch {
  readonly type: string;
  readonly id: string;
  readonly access: AccessFilter;
  readonly operations: readonly PatchOperation[];
  readonly preconditions: readonly Precondition[];
}

async function commitPatch(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  { type, id, access, operations, preconditions }: ProposedPatch,
): Promise<PlainResponse | typeof AGAIN> {
  const before = await ctx.store.read(type, id);
  if (!before || before.deleted || !(await sees(ctx, access, before))) throw notFound(type, id);
  assertMatch(parseIfMatch(request.headers['if-match']), before.version);
  const prepared = await preparePatch(ctx, principal, before, operations, access);
  if (unchanged(ctx, before, prepared)) return afterWrite(ctx, principal, before, 200, request.headers['prefer']);
  const written = await commitOne(ctx, prepared, preconditions);
  return written === AGAIN ? AGAIN : afterWrite(ctx, principal, written, 200, request.headers['prefer']);
}

async function preparePatch(
  ctx: RestContext,
  principal: Principal,
  before: Stored,
  operations: readonly PatchOperation[],
  access: AccessFilter,
): Promise<Prepared> {
  const { type, id } = before;
  const { resource, text } = parseResource(
    patchText(before.text, operations, ctx.limits.bodyBytesMax),
    ctx.limits,
    type,
  );
  assertSameId(resource, type, id);
  const prepared = await prepare(ctx, { method: 'PATCH', type, id, resource, text, before, caller: principal });
  if (!permitsResult(ctx, access, prepared.resource ?? resource, id)) throw leaves();
  return prepared;
}
