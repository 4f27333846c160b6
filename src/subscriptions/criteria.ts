/**
 * Filter criteria: text of `backport-filter-criteria` → one filter per resource type. Subscriptions R5 Backport, "Filter criteria".
 * Criteria are ANDed within a type; when some criterion names a type, types that are not named do not notify.
 */
import { VitalwireError } from '../base/errors.ts';
import type { Limits } from '../base/limits.ts';
import { type FilterOptions, parseFilter } from '../search/filter.ts';
import { ALL, and, type Filter } from '../search/plan.ts';
import { isLocal } from '../search/predicate.ts';
import type { Topic } from './topics.ts';

interface Part {
  /** As it stands, for an adjusted criterion. */
  readonly raw: string;
  /** With its modifier. */
  readonly name: string;
  readonly value: string;
}
interface Criterion {
  /** Undefined: `param=value` alone. */
  readonly type: string | undefined;
  readonly parts: readonly Part[];
}

export interface CriteriaProblem {
  /** Which of the criteria. */
  readonly index: number;
  readonly details: string;
}

export interface Criteria {
  readonly filters: ReadonlyMap<string, Filter>;
  readonly problems: readonly CriteriaProblem[];
  /** The criteria without what is in `problems`; undefined where nothing is left of one. */
  readonly adjusted: readonly (string | undefined)[];
}

const TYPE_QUERY = /^([A-Z][A-Za-z]+)\?(.*)$/s;
const TYPE_DOT = /^([A-Z][A-Za-z]+)\.([^=]*)$/s;

/** Criteria may or may not be URL-encoded. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `Observation?patient=…&code=…`, `patient=…` or `Observation.patient=…`; the modifier stays with the name. */
export function parseCriterion(text: string): Criterion | undefined {
  const query = TYPE_QUERY.exec(text.trim());
  let type = query?.[1];
  const parts: Part[] = [];
  for (const raw of (query?.[2] ?? text.trim()).split('&')) {
    const eq = raw.indexOf('=');
    if (eq <= 0 || eq === raw.length - 1) return undefined;
    let name = decode(raw.slice(0, eq));
    const dotted = query ? null : TYPE_DOT.exec(name);
    if (dotted) {
      if (type !== undefined && type !== dotted[1]) return undefined;
      type = dotted[1];
      name = dotted[2] as string;
    }
    parts.push({ raw: raw.slice(dotted ? raw.indexOf('.') + 1 : 0), name, value: decode(raw.slice(eq + 1)) });
  }
  return { type, parts };
}

/** Without `accessFor` chains are not accepted: a filter is decided by one resource alone. */
export const filterOptions = (base: string, limits: Limits): FilterOptions => ({ base, limits });

/** @returns the filter, or a sentence that says why not. */
function filterOf(topic: Topic, type: string, part: Part, options: FilterOptions): Filter | string {
  const [name = '', modifier] = part.name.split(':', 2);
  if (topic.trigger && part.name === 'trigger') {
    const wanted = part.value.split(',');
    const own = [topic.trigger.code, `${topic.trigger.system}|${topic.trigger.code}`];
    return wanted.some((w) => own.includes(w)) ? ALL : `The only trigger of this topic is ${topic.trigger.code}.`;
  }
  if (name.includes('.'))
    return `${part.name}: chained parameters are not evaluated here; filter by a parameter of ${type}.`;
  const by = topic.filters.find((f) => f.resource === type && f.parameter === name);
  const known = topic.filters.filter((f) => f.resource === type).map((f) => f.parameter);
  if (!by) return `${name} is no filter of this topic for ${type}. It can be filtered by ${known.join(', ')}.`;
  if (modifier !== undefined && !by.modifiers.has(modifier))
    return `${name} takes ${[...by.modifiers].map((m) => `:${m}`).join(' and ') || 'no modifier'}, not :${modifier}.`;
  try {
    const filter = parseFilter(type, part.name, part.value, options);
    return isLocal(filter) ? filter : `${part.name} cannot be decided by looking at one ${type} alone.`;
  } catch (error) {
    if (error instanceof VitalwireError) return error.message;
    throw error;
  }
}

/** The types that a criterion speaks of, or a sentence that says why it cannot. */
function typesOf(topic: Topic, criterion: Criterion | undefined): readonly string[] | string {
  if (!criterion) return 'Write a filter as Type?param=value, Type.param=value or param=value.';
  if (criterion.type === undefined) return topic.types;
  if (topic.types.includes(criterion.type)) return [criterion.type];
  return `This topic does not tell of ${criterion.type}, only of ${topic.types.join(', ')}.`;
}

export function readCriteria(topic: Topic, texts: readonly string[], options: FilterOptions): Criteria {
  const problems: CriteriaProblem[] = [];
  const adjusted: (string | undefined)[] = [];
  const named = new Map<string, Filter>();
  const everywhere = new Map<string, Filter>();
  texts.forEach((text, index) => {
    const criterion = parseCriterion(text);
    const types = typesOf(topic, criterion);
    if (typeof types === 'string' || !criterion) {
      problems.push({ index, details: String(types) });
      adjusted.push(undefined);
      return;
    }
    const into = criterion.type === undefined ? everywhere : named;
    const kept = criterion.parts.filter((part) => {
      const made = types.map((type) => [type, filterOf(topic, type, part, options)] as const);
      const wrong = made.find(([, filter]) => typeof filter === 'string')?.[1];
      if (typeof wrong === 'string') problems.push({ index, details: wrong });
      else for (const [type, filter] of made) into.set(type, and(into.get(type) ?? ALL, filter as Filter));
      return typeof wrong !== 'string';
    });
    for (const type of types) if (!into.has(type)) into.set(type, ALL);
    const query = kept.map((part) => part.raw).join('&');
    adjusted.push(criterion.type === undefined ? query || undefined : criterion.type + (query ? `?${query}` : ''));
  });
  const types = named.size > 0 ? [...named.keys()] : topic.types;
  const filters = new Map(types.map((t) => [t, and(named.get(t) ?? ALL, everywhere.get(t) ?? ALL)] as const));
  return { filters, problems, adjusted };
}
