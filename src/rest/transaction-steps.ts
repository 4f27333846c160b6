/** The entries of a transaction as steps: what each is, who may do it, what it is done to. FHIR R4 http.html#trules */
import type { Principal } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import { isResourceType } from '../fhir/definitions.ts';
import type { AccessFilter } from '../search/plan.ts';
import type { Precondition, Stored } from '../store/store.ts';
import { sees } from './access.ts';
import type { Entry } from './bundle-entries.ts';
import { type Condition, findMatch, parseCondition } from './conditional.ts';
import type { RestContext } from './context.ts';
import { assertMatch, parseIfMatch } from './etag.ts';
import { assertSameId, assertUpdatable } from './interactions/update.ts';
import { notFound, pathUnknown } from './refusals.ts';
import { assertId, segments } from './route.ts';
import { accessFor } from './rules.ts';

export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is known from the entry alone: checked and authorised before anything is looked up. */
export interface Step {
  readonly entry: Entry;
  readonly method: WriteMethod;
  readonly type: string;
  /** Absent: the server gives one, or the condition finds it. */
  readonly id?: string | undefined;
  readonly access: AccessFilter;
  readonly condition?: Condition | undefined;
  /** The condition as it was written, to tell that two entries mean the same. */
  readonly conditionText?: string | undefined;
  readonly ifMatch: readonly number[] | '*' | undefined;
}

/** What a step is done to, as the store stands now. */
export interface Target {
  readonly step: Step;
  readonly id: string;
  readonly before?: Stored | undefined;
  /** `none`: there is nothing to do (a conditional create that found one, a delete of nothing). */
  readonly action: 'write' | 'none';
  readonly preconditions: readonly Precondition[];
}

const LETTER = { POST: 'c', PUT: 'u', PATCH: 'u', DELETE: 'd' } as const;

/** @throws VitalwireError `auth.forbidden` before any look-up; `request.*`, `path.unknown` */
export function stepOf(ctx: RestContext, principal: Principal, entry: Entry): Step {
  const { request } = entry;
  const method = request.method as WriteMethod;
  const [type = '', id, more] = segments(request.path);
  if (!isResourceType(type) || more !== undefined || id?.startsWith('$') || id?.startsWith('_'))
    throw pathUnknown(request.path);
  const access = accessFor(ctx, principal, LETTER[method], type);
  if (method === 'POST' && id !== undefined)
    throw new VitalwireError('request.method', `POST goes to a type. To replace ${type}/${id} use PUT.`);
  if (id !== undefined) assertId(id);
  const conditionText =
    method === 'POST' ? request.headers['if-none-exist'] : id === undefined ? request.query : undefined;
  const step: Step = {
    entry,
    method,
    type,
    id,
    access,
    conditionText,
    condition: conditionText === undefined ? undefined : parseCondition(ctx, principal, type, conditionText),
    ifMatch: parseIfMatch(request.headers['if-match']),
  };
  if (method === 'POST' || method === 'PUT') assertResource(step);
  return step;
}

function assertResource({ entry, method, type, id }: Step): void {
  const { parsed } = entry.request;
  if (!parsed) throw new VitalwireError('request.invalid', `A ${method} needs a resource.`);
  if (parsed['resourceType'] !== type)
    throw new VitalwireError('request.invalid', `The resource is not a ${type}, which request.url names.`, {
      expression: [`${type}.resourceType`],
    });
  if (method === 'PUT' && id !== undefined) assertSameId(parsed, type, id);
}

/** @throws VitalwireError as the single interaction would. */
export async function targetOf(ctx: RestContext, principal: Principal, step: Step): Promise<Target> {
  const { type, condition, method } = step;
  const found = condition && (await findMatch(ctx, condition));
  const preconditions = found ? [found.precondition] : [];
  const id = step.id ?? found?.ids[0];
  if (method === 'POST') return postTarget(ctx, step, id, preconditions);
  if (method === 'PUT') return putTarget(ctx, principal, step, id, preconditions);
  if (id === undefined) {
    if (method === 'PATCH') throw new VitalwireError('resource.not-found', `No ${type} matches the condition.`);
    return { step, id: '', action: 'none', preconditions };
  }
  const before = await ctx.store.read(type, id);
  const there = before !== undefined && !before.deleted && (await sees(ctx, step.access, before));
  if (!there && method === 'PATCH') throw notFound(type, id);
  if (!there) return { step, id, action: 'none', preconditions };
  assertMatch(step.ifMatch, before.version);
  return { step, id, before, action: 'write', preconditions };
}

async function postTarget(
  ctx: RestContext,
  step: Step,
  existing: string | undefined,
  preconditions: readonly Precondition[],
): Promise<Target> {
  if (existing === undefined) return { step, id: ctx.store.newId(), action: 'write', preconditions };
  const before = await ctx.store.read(step.type, existing);
  return { step, id: existing, before, action: 'none', preconditions };
}

async function putTarget(
  ctx: RestContext,
  principal: Principal,
  step: Step,
  given: string | undefined,
  preconditions: readonly Precondition[],
): Promise<Target> {
  const { type, access, ifMatch, entry } = step;
  const own = entry.request.parsed?.['id'];
  const id = given ?? (typeof own === 'string' ? own : undefined);
  if (id === undefined) {
    // A conditional update that matches nothing creates: it takes the right to create.
    const create: Step = { ...step, method: 'POST', access: accessFor(ctx, principal, 'c', type) };
    return { step: create, id: ctx.store.newId(), action: 'write', preconditions };
  }
  if (own !== undefined) assertSameId(entry.request.parsed ?? {}, type, id);
  const before = await ctx.store.read(type, id);
  await assertUpdatable(ctx, principal, before, { access, ifMatch, type, id });
  return { step, id, before, action: 'write', preconditions };
}
