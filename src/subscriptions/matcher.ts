/** Which subscriptions a change concerns. Triggers are judged once per topic, filters only where the index leads. */
import type { Limits } from '../base/limits.ts';
import type { Terms } from '../fhir/terms.ts';
import { parseFilter } from '../search/filter.ts';
import { type AccessFilter, ALL, and, type Filter } from '../search/plan.ts';
import { isLocal, matches } from '../search/predicate.ts';
import type { Change } from '../store/store.ts';
import { filterOptions } from './criteria.ts';
import type { Definition, Interest } from './definition.ts';
import type { Obj } from './names.ts';
import { PredicateIndex } from './predicate-index.ts';
import { type Interaction, interactionOf, type Topic } from './topics.ts';
import { predicate } from './triggers.ts';

/** The version that a change is judged by: the one it made; for a delete the one before. R5 "Filter timing". */
export interface Subject {
  readonly terms: Terms;
  /** Parsed; present when `needsResource`. */
  readonly resource?: Obj | undefined;
}

export interface Match {
  readonly subscription: string;
  /** Set when it takes another resource to know whether the owner may see it: the store has to be asked. */
  readonly ask?: AccessFilter | undefined;
}

interface Compiled {
  readonly interactions: ReadonlySet<Interaction>;
  readonly filter: Filter;
  readonly predicate?: ((resource: Obj) => boolean) | undefined;
}
/** One topic on one type. */
interface Desk {
  readonly triggers: readonly Compiled[];
  readonly index: PredicateIndex<Match>;
}

export class Matcher {
  readonly #base: string;
  readonly #limits: Limits;
  /** type → topic URL → desk; only those that somebody subscribed to. */
  readonly #types = new Map<string, Map<string, Desk>>();
  readonly #members = new Map<string, { type: string; topic: string; filter: Filter; match: Match }[]>();

  constructor(base: string, limits: Limits) {
    this.#base = base;
    this.#limits = limits;
  }

  watches(type: string): boolean {
    return this.#types.has(type);
  }

  /** Whether some trigger on this type looks at more than search terms. */
  needsResource(type: string): boolean {
    for (const desk of this.#types.get(type)?.values() ?? []) if (desk.triggers.some((t) => t.predicate)) return true;
    return false;
  }

  /** Replaces what was known of the same subscription. */
  add(definition: Definition): void {
    this.remove(definition.id);
    const members = definition.interests.map((interest) => {
      const { filter, match } = memberOf(definition.id, interest);
      this.#desk(definition.topic, interest.type).index.add(filter, match);
      return { type: interest.type, topic: definition.topic.url, filter, match };
    });
    this.#members.set(definition.id, members);
  }

  remove(subscription: string): void {
    for (const { type, topic, filter, match } of this.#members.get(subscription) ?? []) {
      const desks = this.#types.get(type);
      const desk = desks?.get(topic);
      desk?.index.remove(filter, match);
      if (desk?.index.size === 0) desks?.delete(topic);
      if (desks?.size === 0) this.#types.delete(type);
    }
    this.#members.delete(subscription);
  }

  match(change: Change, subject: Subject): Match[] {
    const found: Match[] = [];
    const meta = { id: change.id, lastUpdated: change.at };
    const interaction = interactionOf(change.method, change.version);
    for (const desk of this.#types.get(change.type)?.values() ?? []) {
      const fires = desk.triggers.some(
        (trigger) =>
          trigger.interactions.has(interaction) &&
          matches(trigger.filter, subject.terms, meta) &&
          (!trigger.predicate || trigger.predicate(subject.resource ?? {})),
      );
      if (fires) found.push(...desk.index.match(subject.terms, meta));
    }
    return found;
  }

  #desk(topic: Topic, type: string): Desk {
    let desks = this.#types.get(type);
    if (!desks) {
      desks = new Map();
      this.#types.set(type, desks);
    }
    let desk = desks.get(topic.url);
    if (!desk) {
      desk = { triggers: this.#compile(topic, type), index: new PredicateIndex() };
      desks.set(topic.url, desk);
    }
    return desk;
  }

  #compile(topic: Topic, type: string): Compiled[] {
    const options = filterOptions(this.#base, this.#limits);
    return topic.triggers
      .filter((trigger) => trigger.resource === type)
      .map((trigger) => ({
        interactions: trigger.interactions,
        filter: and(
          ...(trigger.query?.split('&') ?? []).map((part) => {
            const eq = part.indexOf('=');
            return parseFilter(type, part.slice(0, eq), part.slice(eq + 1), options);
          }),
        ),
        predicate: trigger.predicate === undefined ? undefined : predicate(trigger.predicate),
      }));
  }
}

/** The owner's access is ANDed, and may serve as the key; what cannot be told from the resource alone is asked of the store. */
function memberOf(subscription: string, interest: Interest): { filter: Filter; match: Match } {
  const local = isLocal(interest.access.filter);
  return {
    filter: and(interest.filter, local ? interest.access.filter : ALL),
    match: { subscription, ask: local ? undefined : interest.access },
  };
}
