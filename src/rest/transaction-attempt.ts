/** One attempt at a transaction: decide on what is there now, prepare every write, commit them together. */
import type { Principal } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import { parseResource } from '../fhir/parse.ts';
import type { Precondition, Stored, Written } from '../store/store.ts';
import { permitsResult } from './access.ts';
import { inEntry } from './bundle-entries.ts';
import { conditionalsOf, Links, parseConditional } from './bundle-links.ts';
import { responseEntry } from './bundle-text.ts';
import { AGAIN } from './commit.ts';
import { findMatch, parseCondition } from './conditional.ts';
import type { RestContext } from './context.ts';
import { operationsOf } from './interactions/patch.ts';
import { assertSameId, unchanged } from './interactions/update.ts';
import { patchText } from './json-patch.ts';
import { parsePrefer } from './prefer.ts';
import { leaves } from './refusals.ts';
import { bodyAfterWrite, stored, versionPath } from './respond.ts';
import { type Step, type Target, targetOf, type WriteMethod } from './transaction-steps.ts';
import { merge, type Prepared, prepare, type WriteRequest } from './write.ts';

/** The answer of one entry. */
export interface Outcome {
  readonly index: number;
  readonly text: string;
}

/** FHIR R4 http.html#trules: deletes, then creates, then updates and patches. */
const ORDER: Readonly<Record<WriteMethod, number>> = { DELETE: 0, POST: 1, PUT: 2, PATCH: 2 };

export async function attempt(
  ctx: RestContext,
  principal: Principal,
  steps: readonly Step[],
  prefer: string,
): Promise<Outcome[] | typeof AGAIN> {
  const targets = await targetsOf(ctx, principal, steps);
  assertDistinct(targets);
  const preconditions: Precondition[] = targets.flatMap((target) => target.preconditions);
  const links = await linksOf(ctx, principal, targets, preconditions);
  const writing = targets
    .filter((target) => target.action === 'write')
    .sort((a, b) => ORDER[a.step.method] - ORDER[b.step.method]);
  const prepared = await prepareAll(ctx, principal, writing, links);
  const changing = writing.map((target, n) => ({ target, prepared: prepared[n] as Prepared })).filter(changes(ctx));
  const written = await commitAll(ctx, changing, preconditions);
  if (written === AGAIN) return AGAIN;
  const after = new Map(changing.map(({ target }, n) => [target, written[n] as Stored]));
  return Promise.all(targets.map((target) => outcomeOf(ctx, principal, target, after.get(target), prefer)));
}

async function targetsOf(ctx: RestContext, principal: Principal, steps: readonly Step[]): Promise<Target[]> {
  const targets: Target[] = [];
  const creates = new Map<string, Target>();
  for (const step of steps) {
    // The same conditional create twice in one Bundle means one resource, as it would in two Bundles.
    const key =
      step.method === 'POST' && step.conditionText !== undefined ? `${step.type}?${step.conditionText}` : undefined;
    const same = key === undefined ? undefined : creates.get(key);
    const target = same
      ? { step, id: same.id, action: 'none' as const, preconditions: [] }
      : await inEntry(step.entry.index, () => targetOf(ctx, principal, step));
    if (key !== undefined && !same) creates.set(key, target);
    targets.push(target);
  }
  return targets;
}

/** FHIR R4 http.html#trules: one resource may be written once in a transaction. */
function assertDistinct(targets: readonly Target[]): void {
  const seen = new Map<string, number>();
  for (const { step, id, action } of targets) {
    if (action === 'none') continue;
    const key = `${step.type}/${id}`;
    const other = seen.get(key);
    if (other !== undefined)
      throw new VitalwireError('request.invalid', `Entries ${other} and ${step.entry.index} both write ${key}.`, {
        expression: [`Bundle.entry[${step.entry.index}]`],
      });
    seen.set(key, step.entry.index);
  }
}

/** What entries are called in the Bundle, and what conditional references mean; these become preconditions. */
async function linksOf(
  ctx: RestContext,
  principal: Principal,
  targets: readonly Target[],
  preconditions: Precondition[],
): Promise<Links> {
  const links = new Links();
  for (const { step, id } of targets) {
    const { fullUrl, index } = step.entry;
    const here = `${step.type}/${id}`;
    if (fullUrl === undefined || step.method === 'DELETE' || fullUrl === `${ctx.base}/${here}`) continue;
    await inEntry(index, () => links.add(fullUrl, here));
  }
  const asked = new Set<string>();
  for (const { step, action } of targets) {
    if (action === 'none' || step.method === 'PATCH' || step.method === 'DELETE') continue;
    for (const value of conditionalsOf(step.entry.request.body)) {
      if (asked.has(value)) continue;
      asked.add(value);
      await inEntry(step.entry.index, async () => links.add(value, await meant(ctx, principal, value, preconditions)));
    }
  }
  return links;
}

/** @throws VitalwireError `resource.multiple` (412) unless exactly one resource is meant. */
async function meant(
  ctx: RestContext,
  principal: Principal,
  value: string,
  preconditions: Precondition[],
): Promise<string> {
  const { type, query } = parseConditional(value) as { type: string; query: string };
  const { ids, precondition } = await findMatch(ctx, parseCondition(ctx, principal, type, query));
  if (ids[0] === undefined)
    throw new VitalwireError(
      'resource.multiple',
      `A conditional reference to a ${type} matches none. It must match one.`,
    );
  preconditions.push(precondition);
  return `${type}/${ids[0]}`;
}

async function prepareAll(
  ctx: RestContext,
  principal: Principal,
  writing: readonly Target[],
  links: Links,
): Promise<Prepared[]> {
  const requests: WriteRequest[] = [];
  for (const target of writing)
    requests.push(await inEntry(target.step.entry.index, () => requestOf(ctx, principal, target, links)));
  const prepared: Prepared[] = [];
  for (const [n, request] of requests.entries()) {
    const { step, id } = writing[n] as Target;
    prepared.push(
      await inEntry(step.entry.index, async () => {
        const one = await prepare(ctx, request, requests);
        if (one.resource && !permitsResult(ctx, step.access, one.resource, id)) throw leaves();
        return one;
      }),
    );
  }
  return prepared;
}

function requestOf(ctx: RestContext, principal: Principal, target: Target, links: Links): WriteRequest {
  const { step, id, before } = target;
  const { type, method, entry } = step;
  const common = { method, type, id, before, caller: principal };
  if (method === 'DELETE') return { ...common, text: '' };
  if (method === 'PATCH') {
    const text = patchText(before?.text ?? '', operationsOf(entry.request), ctx.limits.bodyBytesMax);
    const { resource } = parseResource(text, ctx.limits, type);
    assertSameId(resource, type, id);
    return { ...common, text, resource };
  }
  const text = links.apply(entry.request.body, entry.fullUrl, ctx.base);
  const resource = text === entry.request.body ? entry.request.parsed : (JSON.parse(text) as Record<string, unknown>);
  return { ...common, text, resource };
}

interface Changing {
  readonly target: Target;
  readonly prepared: Prepared;
}

const changes =
  (ctx: RestContext) =>
  ({ target, prepared }: Changing): boolean =>
    !(target.before && prepared.resource && unchanged(ctx, target.before, prepared));

async function commitAll(
  ctx: RestContext,
  changing: readonly Changing[],
  preconditions: readonly Precondition[],
): Promise<Stored[] | typeof AGAIN> {
  if (changing.length === 0) return [];
  const batch = merge([{ preconditions }, ...changing.map(({ prepared }) => prepared.batch)]);
  const committed = await ctx.store.commit({ ...batch, writes: changing.map(({ prepared }) => prepared.write) });
  if (!committed.ok) return AGAIN;
  for (const { prepared } of changing) prepared.committed();
  return committed.written.map((written: Written, n) =>
    stored(written, (changing[n] as Changing).prepared.write.method),
  );
}

async function outcomeOf(
  ctx: RestContext,
  principal: Principal,
  target: Target,
  after: Stored | undefined,
  prefer: string,
): Promise<Outcome> {
  const { step, before } = target;
  const { index } = step.entry;
  if (step.method === 'DELETE') return { index, text: responseEntry({ status: 204, version: after?.version }) };
  const version = after ?? before ?? (await ctx.store.read(step.type, target.id));
  if (!version) return { index, text: responseEntry({ status: 200 }) };
  const status = after && (!before || before.deleted) ? 201 : 200;
  const body = await bodyAfterWrite(ctx, principal, version, prefer);
  const isOutcome = parsePrefer(prefer).return === 'OperationOutcome';
  return {
    index,
    text: responseEntry({
      status,
      location: versionPath(version.type, version.id, version.version),
      version: version.version,
      lastUpdated: version.lastUpdated,
      resource: isOutcome ? undefined : body,
      outcome: isOutcome ? body : undefined,
    }),
  };
}
