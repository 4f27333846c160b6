/** A stored Subscription as the stages of this room need it: which changes it is told of, how, and by whose right. */
import type { Principal } from '../access/principal.ts';
import { VitalwireError } from '../base/errors.ts';
import type { Limits } from '../base/limits.ts';
import type { AccessFilter, Filter } from '../search/plan.ts';
import { type Channel, readChannel } from './channel.ts';
import { filterOptions, readCriteria } from './criteria.ts';
import { FILTER_CRITERIA, list, type Obj, obj, type SubscriptionStatus, str, timeOf } from './names.ts';
import { type OwnerRecord, ownerAccess, principalOf } from './owner.ts';
import { type Topic, topics } from './topics.ts';

export interface Interest {
  readonly type: string;
  /** The client's filter; the owner's access is a term of its own. */
  readonly filter: Filter;
  readonly access: AccessFilter;
}

export interface Definition {
  readonly id: string;
  /** Version of the Subscription that this was read from. */
  readonly version: number;
  readonly status: SubscriptionStatus;
  readonly topic: Topic;
  readonly channel: Channel;
  readonly owner: OwnerRecord;
  readonly principal: Principal;
  readonly interests: readonly Interest[];
  /** Milliseconds since 1970, after which it is off. */
  readonly end?: number | undefined;
}

/** The texts of the filter-criteria extensions, and where they stand in `_criteria.extension`. */
export function criteriaTexts(resource: Obj): readonly { readonly text: string; readonly at: number }[] {
  return list(obj(resource['_criteria'])['extension']).flatMap((extension, at) =>
    extension['url'] === FILTER_CRITERIA ? [{ text: str(extension['valueString']) ?? '', at }] : [],
  );
}

/**
 * Reads an accepted Subscription.
 * @returns undefined when it can no longer be followed: its topic is gone, or its owner may no longer read what it tells of.
 */
export function definitionOf(
  id: string,
  version: number,
  resource: Obj,
  owner: OwnerRecord,
  base: string,
  limits: Limits,
): Definition | undefined {
  const topic = topics().get(str(resource['criteria']) ?? '');
  if (!topic) return undefined;
  const texts = criteriaTexts(resource).map((criterion) => criterion.text);
  const { filters, problems } = readCriteria(topic, texts, filterOptions(base, limits));
  if (problems.length > 0) return undefined;
  const principal = principalOf(owner);
  try {
    return {
      id,
      version,
      status: resource['status'] as SubscriptionStatus,
      topic,
      channel: readChannel(resource, limits),
      owner,
      principal,
      interests: [...filters].map(([type, filter]) => ({
        type,
        filter,
        access: ownerAccess(owner, principal, type, base),
      })),
      end: timeOf(resource['end']),
    };
  } catch (error) {
    if (error instanceof VitalwireError && error.code === 'auth.forbidden') return undefined;
    throw error;
  }
}
