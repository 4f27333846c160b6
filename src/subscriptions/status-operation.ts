/** `$status`: how subscriptions are doing, from the stored resource and the durable counters. Backport IG, subscription-status */
import { randomUUID } from 'node:crypto';
import { narrow } from '../access/authorize.ts';
import type { Operation } from '../access/operation.ts';
import type { Principal } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import type { PlainRequest } from '../base/http.ts';
import { and, type Filter, or } from '../search/plan.ts';
import { statusParameters } from './bundle.ts';
import { findSubscription, type Seen, seen, subscriptionAccess } from './caller.ts';
import type { Follower } from './follow.ts';
import { type Content, STATUS_OPERATION, type SubscriptionStatus, str } from './names.ts';
import { fhirAnswer, type OperationParams, operationParams } from './operation-params.ts';
import { visibility } from './owner.ts';
import type { Registry } from './registry.ts';
import type { SubscriptionsOptions } from './room.ts';

export interface StatusSources {
  readonly options: SubscriptionsOptions;
  readonly registry: Registry;
  readonly follower: Follower;
}

const STATUSES: readonly SubscriptionStatus[] = ['requested', 'active', 'error', 'off'];

function parametersOf({ options, registry, follower }: StatusSources, { stored, resource }: Seen): string {
  const status = resource['status'] as SubscriptionStatus;
  const failing = registry.lanes.get(stored.id)?.record.error;
  // The topic belongs to the caller's own subscription, so it is told whatever content notifications have.
  const content: Content = 'id-only';
  return statusParameters(randomUUID(), {
    base: options.base,
    subscription: stored.id,
    topic: str(resource['criteria']) ?? '',
    content,
    status,
    type: 'query-status',
    total: follower.counts.get(stored.id)?.n ?? 0,
    error: failing,
  });
}

/** Ids that were named, else everything the caller may see, up to one page. */
async function several(sources: StatusSources, params: OperationParams, principal: Principal): Promise<Seen[]> {
  const { store, base, limits } = sources.options;
  const statuses = (params.get('status') ?? []).flatMap((value) => value.split(','));
  const wrong = statuses.find((status) => !STATUSES.includes(status as SubscriptionStatus));
  if (wrong !== undefined)
    throw new VitalwireError('request.value', `status is one of ${STATUSES.join(', ')}.`, { expression: ['status'] });
  const ids = (params.get('id') ?? []).flatMap((value) => value.split(','));
  const access = subscriptionAccess(principal, ids.length > 0 ? 'r' : 's', base);
  const wanted = or(...statuses.map((code): Filter => ({ op: 'token', param: 'status', code })));
  const filter = and(
    ...(statuses.length > 0 ? [wanted] : []),
    ...(ids.length > 0 ? [{ op: 'id', ids } satisfies Filter] : []),
  );
  const own = visibility(principal);
  const plan = { type: 'Subscription', filter, sort: [], count: limits.pageEntriesMax, total: false };
  const page = await store.search(plan, own ? narrow(access, own) : access);
  return page.entries.flatMap((stored) => seen(stored, principal, access, base) ?? []);
}

export function statusOperation(sources: StatusSources): Operation {
  const { store, base } = sources.options;
  return {
    name: 'status',
    definition: STATUS_OPERATION,
    type: 'Subscription',
    levels: ['type', 'instance'],
    methods: ['GET', 'POST'],
    async handle(request: PlainRequest & { readonly id?: string | undefined }, principal) {
      const found =
        request.id === undefined
          ? await several(sources, operationParams(request), principal)
          : [await findSubscription(store, request.id, principal, base)];
      const entries = found.map(
        (one) =>
          `{"fullUrl":"urn:uuid:${randomUUID()}","resource":${parametersOf(sources, one)},"search":{"mode":"match"}}`,
      );
      const list = entries.length > 0 ? `,"entry":[${entries.join(',')}]` : '';
      return fhirAnswer(
        `{"resourceType":"Bundle","id":"${randomUUID()}","type":"searchset","total":${entries.length}${list}}`,
      );
    },
  };
}
