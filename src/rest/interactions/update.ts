/** update, update as create, conditional update. FHIR R4 http.html#update, #upsert, #cond-update */
import type { Principal } from '../../access/principal.ts';
import { VitalwireError } from '../../base/errors.ts';
import type { PlainResponse } from '../../base/http.ts';
import type { ParsedResource } from '../../fhir/parse.ts';
import { splitResource } from '../../fhir/text.ts';
import type { AccessFilter } from '../../search/plan.ts';
import type { Precondition, Stored } from '../../store/store.ts';
import { permitsResult, sees } from '../access.ts';
import { resourceOf } from '../body.ts';
import { AGAIN, commitOne, retrying } from '../commit.ts';
import { findMatch, parseCondition } from '../conditional.ts';
import type { RestContext, RestRequest } from '../context.ts';
import { assertMatch, parseIfMatch } from '../etag.ts';
import { inLanes } from '../lane.ts';
import { leaves, notFound } from '../refusals.ts';
import { afterWrite } from '../respond.ts';
import { accessFor, rulesOf } from '../rules.ts';
import { type Prepared, prepare } from '../write.ts';
import { commitNew } from './create.ts';

export async function update(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
  id: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 'u', type);
  const parsed = resourceOf(ctx, request, type);
  assertSameId(parsed.resource, type, id);
  const ifMatch = parseIfMatch(request.headers['if-match']);
  return inLanes(ctx, [`${type}/${id}`], () =>
    retrying(ctx.limits, async () => {
      const done = await commitUpdate(ctx, principal, { parsed, id, access, ifMatch, preconditions: [] });
      return done === AGAIN ? AGAIN : afterWrite(ctx, principal, done.stored, done.status, request.headers['prefer']);
    }),
  );
}

/** PUT [type]?[query] */
export async function conditionalUpdate(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 'u', type);
  const condition = parseCondition(ctx, principal, type, request.query);
  const parsed = resourceOf(ctx, request, type);
  const ifMatch = parseIfMatch(request.headers['if-match']);
  const { id: ownId } = parsed.resource;
  return inLanes(ctx, [`${type}?${request.query}`], () =>
    retrying(ctx.limits, async () => {
      const { ids, precondition } = await findMatch(ctx, condition);
      const id = ids[0] ?? (typeof ownId === 'string' ? ownId : undefined);
      if (id === undefined) {
        const written = await commitNew(ctx, principal, parsed, accessFor(ctx, principal, 'c', type), [precondition]);
        return written === AGAIN ? AGAIN : afterWrite(ctx, principal, written, 201, request.headers['prefer']);
      }
      if (ownId !== undefined) assertSameId(parsed.resource, type, id);
      const done = await commitUpdate(ctx, principal, { parsed, id, access, ifMatch, preconditions: [precondition] });
      return done === AGAIN ? AGAIN : afterWrite(ctx, principal, done.stored, done.status, request.headers['prefer']);
    }),
  );
}

/** FHIR R4 http.html#update: the id of the resource is that of the URL. @throws VitalwireError `request.invalid` */
export function assertSameId(resource: Readonly<Record<string, unknown>>, type: string, id: string): void {
  if (resource['id'] === id) return;
  throw new VitalwireError('request.invalid', `The resource must have the id that the URL names: "id": "${id}".`, {
    expression: [`${type}.id`],
  });
}

export interface Proposed {
  readonly parsed: ParsedResource;
  readonly id: string;
  readonly access: AccessFilter;
  readonly ifMatch: readonly number[] | '*' | undefined;
  readonly preconditions: readonly Precondition[];
}

/**
 * What an update follows. Undefined: it creates, or revives what was deleted.
 * CONTRACT §2 administrator, more: only administrators may update an id that is not there; others get 404, as for what is hidden.
 */
export async function assertUpdatable(
  ctx: RestContext,
  principal: Principal,
  newest: Stored | undefined,
  { access, ifMatch, type, id }: Pick<Proposed, 'access' | 'ifMatch' | 'id'> & { type: string },
): Promise<void> {
  if (newest && !newest.deleted) {
    if (!(await sees(ctx, access, newest))) throw notFound(type, id);
    assertMatch(ifMatch, newest.version);
    return;
  }
  if (!principal.admin) throw notFound(type, id);
  if (ifMatch !== undefined)
    throw new VitalwireError('resource.version', `There is no ${type}/${id} that If-Match could name.`);
}

async function commitUpdate(
  ctx: RestContext,
  principal: Principal,
  { parsed, id, access, ifMatch, preconditions }: Proposed,
): Promise<{ stored: Stored; status: 200 | 201 } | typeof AGAIN> {
  const { resourceType: type, resource, text } = parsed;
  const newest = await ctx.store.read(type, id);
  await assertUpdatable(ctx, principal, newest, { access, ifMatch, type, id });
  const before = newest;
  const prepared = await prepare(ctx, { method: 'PUT', type, id, resource, text, before, caller: principal });
  if (!permitsResult(ctx, access, prepared.resource ?? resource, id)) throw leaves();
  if (newest && unchanged(ctx, newest, prepared)) return { stored: newest, status: 200 };
  const written = await commitOne(ctx, prepared, preconditions);
  return written === AGAIN ? AGAIN : { stored: written, status: newest && !newest.deleted ? 200 : 201 };
}

/**
 * The same bytes as are stored make no new version: a sender that repeats itself must not fill the history or wake subscribers.
 * Types with rules are left alone, because writing them may mean something even unchanged.
 */
export function unchanged(ctx: RestContext, newest: Stored, { write }: Prepared): boolean {
  if (newest.deleted || rulesOf(ctx, newest.type).length > 0) return false;
  const { meta, body } = splitResource(newest.text);
  return meta === write.draft.meta && body === write.draft.body;
}
