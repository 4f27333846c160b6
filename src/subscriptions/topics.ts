/** Subscription topics as data: `profiles/topics/*.json`, R5 SubscriptionTopic resources with three extensions of ours. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Method } from '../store/store.ts';
import { list, type Obj, obj, str, TOPIC_POLICY, TOPIC_PREDICATE, TOPIC_TRIGGER } from './names.ts';

export type Interaction = 'create' | 'update' | 'delete';

/** One `resourceTrigger`. Triggers of a topic are ORed, interactions too; none named means all. */
export interface Trigger {
  readonly resource: string;
  readonly interactions: ReadonlySet<Interaction>;
  /** `queryCriteria.current`: a search query without the type. */
  readonly query?: string | undefined;
  /** Name of a test in triggers.ts. */
  readonly predicate?: string | undefined;
}

export interface FilterBy {
  readonly resource: string;
  readonly parameter: string;
  readonly modifiers: ReadonlySet<string>;
}

export interface Topic {
  readonly url: string;
  readonly triggers: readonly Trigger[];
  readonly filters: readonly FilterBy[];
  /** Types whose resources it tells of, in the order of its triggers. */
  readonly types: readonly string[];
  /** What happens to a filter that cannot be evaluated: the Backport IG refuses, the US Core feed drops it and says so. */
  readonly policy: 'refuse' | 'adjust';
  /** Sent as `trigger` with each event, and what the filter `trigger` may ask for. */
  readonly trigger?: { readonly system: string; readonly code: string } | undefined;
}

const STRUCTURE = 'http://hl7.org/fhir/StructureDefinition/';
const INTERACTIONS: readonly Interaction[] = ['create', 'update', 'delete'];
const typeName = (canonical: string): string =>
  canonical.startsWith(STRUCTURE) ? canonical.slice(STRUCTURE.length) : canonical;
const extension = (of: unknown, url: string): Obj | undefined =>
  list(obj(of)['extension']).find((e) => e['url'] === url);

function triggerOf(json: Obj): Trigger {
  const named = Array.isArray(json['supportedInteraction']) ? (json['supportedInteraction'] as Interaction[]) : [];
  return {
    resource: typeName(str(json['resource']) ?? ''),
    interactions: new Set(named.length > 0 ? named : INTERACTIONS),
    query: str(obj(json['queryCriteria'])['current']),
    predicate: str(extension(json, TOPIC_PREDICATE)?.['valueCode']),
  };
}

/** Reads an R5 SubscriptionTopic. */
export function topicOf(json: Obj): Topic {
  const triggers = list(json['resourceTrigger']).map(triggerOf);
  const coding = obj(extension(json, TOPIC_TRIGGER)?.['valueCoding']);
  const system = str(coding['system']);
  const code = str(coding['code']);
  return {
    url: str(json['url']) ?? '',
    triggers,
    filters: list(json['canFilterBy']).map((f) => ({
      resource: typeName(str(f['resource']) ?? ''),
      parameter: str(f['filterParameter']) ?? '',
      modifiers: new Set(Array.isArray(f['modifier']) ? (f['modifier'] as string[]) : []),
    })),
    types: [...new Set(triggers.map((t) => t.resource))],
    policy: extension(json, TOPIC_POLICY)?.['valueCode'] === 'adjust' ? 'adjust' : 'refuse',
    trigger: system !== undefined && code !== undefined ? { system, code } : undefined,
  };
}

function load(): ReadonlyMap<string, Topic> {
  const dir = join(import.meta.dirname, '../../profiles/topics');
  const files = readdirSync(dir).filter((name) => name.endsWith('.json'));
  const all = files.sort().map((name) => topicOf(JSON.parse(readFileSync(join(dir, name), 'utf8')) as Obj));
  return new Map(all.map((topic) => [topic.url, topic]));
}

let loaded: ReadonlyMap<string, Topic> | undefined;
export function topics(): ReadonlyMap<string, Topic> {
  loaded ??= load();
  return loaded;
}

/** What a change is to a topic. A PUT that made version 1 is a create. FHIR R4 http.html#upsert */
export function interactionOf(method: Method, version: number): Interaction {
  if (method === 'DELETE') return 'delete';
  return method === 'POST' || version === 1 ? 'create' : 'update';
}
