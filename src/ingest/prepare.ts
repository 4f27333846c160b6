/** The stages that need nothing but the message: decode, normalise, time. */
import { instant } from '../base/clock.ts';
import type { Limits } from '../base/limits.ts';
import { canonicalIdentity } from '../devices/identity.ts';
import { identifiersKey } from '../devices/index.ts';
import type { Adapter } from './adapter.ts';
import type { Message } from './body.ts';
import type { Candidate, DeviceGroup, Item } from './candidate.ts';
import { contentOf } from './identity.ts';
import { type Issue, issue } from './issue.ts';
import type { Identifier, Measurement } from './measurement.ts';
import { normalise } from './normalise.ts';
import { momentOf } from './time.ts';
import { isIssue } from './wire.ts';

/** One object for each device that is named in a request, so that it is looked up once. */
export class DeviceGroups {
  private readonly byKey = new Map<string, DeviceGroup>();
  of(identifiers: readonly Identifier[]): DeviceGroup {
    const key = identifiersKey(identifiers);
    let group = this.byKey.get(key);
    if (!group) {
      group = { identifiers, identities: [...new Set(identifiers.map(canonicalIdentity))] };
      this.byKey.set(key, group);
    }
    return group;
  }
  all(): Iterable<DeviceGroup> {
    return this.byKey.values();
  }
}

export interface Reception {
  readonly adapter: Adapter;
  readonly limits: Limits;
  readonly groups: DeviceGroups;
  /** Milliseconds since 1970: when the message came, and now. They differ in a replay. */
  readonly receivedAt: number;
  readonly now: number;
}

function future(m: Measurement, to: Reception): Issue | undefined {
  const last = m.end ?? m.time;
  if (!last || last.ms <= to.now + to.limits.readingFutureMsMax) return undefined;
  return issue(
    'time.future',
    `The time ${last.text} is more than 5 minutes ahead of the server. Set the device's clock.`,
  );
}

function candidate(m: Measurement, to: Reception): Candidate {
  const made: Candidate = {
    measurement: m,
    moment: m.time ?? momentOf(to.receivedAt, instant(to.receivedAt)),
    group: to.groups.of(m.device),
  };
  // What takes a record back need not say again what was in it.
  if (m.retracted) {
    made.content = '';
    return made;
  }
  const normal = normalise(m);
  if (isIssue(normal)) made.refused = normal;
  else {
    made.normal = normal;
    const late = future(m, to);
    if (late) made.refused = late;
    else made.content = contentOf(m, normal);
  }
  return made;
}

export function prepare(message: Message, to: Reception): Item {
  const { receivedAt } = to;
  const found = message.broken ?? to.adapter.decode(message.value, message.source);
  if (isIssue(found)) return { message, receivedAt, refused: found, candidates: [] };
  return { message, receivedAt, candidates: found.map((m) => candidate(m, to)) };
}
