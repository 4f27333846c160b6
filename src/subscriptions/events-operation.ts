/** `$events`: events that were numbered before, as they may be told now. Backport IG, subscription-events */
import { randomUUID } from 'node:crypto';
import type { Operation } from '../access/operation.ts';
import { VitalwireError } from '../base/errors.ts';
import { notificationBundle } from './bundle.ts';
import { findSubscription } from './caller.ts';
import { definitionOf } from './definition.ts';
import type { Follower } from './follow.ts';
import { readEvents } from './freezer.ts';
import { CONTENTS, type Content, EVENTS_OPERATION } from './names.ts';
import { fhirAnswer, numberParam, type OperationParams, operationParams } from './operation-params.ts';
import { readOwner } from './owner.ts';
import type { SubscriptionsOptions } from './room.ts';
import type { EventRecord } from './state.ts';
import { tell } from './tell.ts';

/** What the caller would like, never more than the subscription gives. */
function contentOf(params: OperationParams, most: Content): Content {
  const hint = params.get('content')?.[0];
  if (hint === undefined) return most;
  if (!CONTENTS.includes(hint as Content))
    throw new VitalwireError('request.value', `content is one of ${CONTENTS.join(', ')}.`, { expression: ['content'] });
  return CONTENTS[Math.min(CONTENTS.indexOf(hint as Content), CONTENTS.indexOf(most))] as Content;
}

interface Range {
  readonly since: number;
  readonly until: number;
}

/** Both ends included; the whole of what there is when nothing is said. */
function rangeOf(params: OperationParams, total: number): Range {
  const since = Math.max(1, numberParam(params, 'eventsSinceNumber') ?? 1);
  const until = Math.min(total, numberParam(params, 'eventsUntilNumber') ?? total);
  return { since, until };
}

async function eventsOf(options: SubscriptionsOptions, id: string, { since, until }: Range): Promise<EventRecord[]> {
  if (until < since) return [];
  const limit = Math.min(options.limits.eventsPerAnswerMax, until - since + 1);
  const found = await readEvents(options.store, id, since - 1, limit);
  const within = found.filter((event) => event.n <= until);
  if (within.length > 0) return within;
  const first = found[0]?.n ?? (await readEvents(options.store, id, 0, 1))[0]?.n;
  const left = first === undefined ? 'None is left.' : `The first that is left is ${first}.`;
  throw new VitalwireError(
    'resource.not-found',
    `Events ${since} to ${until} are no longer kept; they are for ${options.limits.subscriptionEventDaysKept} days. ${left}`,
  );
}

export function eventsOperation(options: SubscriptionsOptions, follower: Follower): Operation {
  const { store, base, limits, clock } = options;
  return {
    name: 'events',
    definition: EVENTS_OPERATION,
    type: 'Subscription',
    levels: ['instance'],
    methods: ['GET', 'POST'],
    async handle(request, principal) {
      const id = request.id ?? '';
      const { stored, resource } = await findSubscription(store, id, principal, base);
      const params = operationParams(request);
      const owner = await readOwner(store, id);
      const definition = owner && definitionOf(id, stored.version, resource, owner, base, limits);
      if (!definition)
        throw new VitalwireError(
          'auth.forbidden',
          'The owner of this subscription may no longer read what it tells of.',
        );
      const content = contentOf(params, definition.channel.content);
      const total = follower.counts.get(id)?.n ?? 0;
      const range = rangeOf(params, total);
      const events = await eventsOf(options, id, range);
      const last = events.at(-1)?.n ?? range.until;
      const next = `${base}/Subscription/${id}/$events?eventsSinceNumber=${last + 1}&eventsUntilNumber=${range.until}&content=${content}`;
      const body = notificationBundle(
        randomUUID(),
        clock.now(),
        {
          base,
          subscription: id,
          topic: definition.topic.url,
          content,
          status: definition.status,
          type: 'query-event',
          total,
          events: await tell(store, base, definition, events, content),
          trigger: definition.topic.trigger,
        },
        last < range.until ? `,"link":[{"relation":"next","url":${JSON.stringify(next)}}]` : '',
      );
      return fhirAnswer(body);
    },
  };
}
