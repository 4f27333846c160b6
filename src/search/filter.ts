/** One parameter, name and value, to a filter: modifiers, chains, `_has`, AND the values of its comma list. */
import type { Limits } from '../base/limits.ts';
import { type SearchParam, searchParam, searchParams } from '../fhir/search-params.ts';
import { splitAt } from './escape.ts';
import { parseDateRange } from './params/date.ts';
import { parseValue, type ValueContext } from './params/value.ts';
import { type AccessFilter, ALL, type Filter, NONE, or, type ParamType } from './plan.ts';
import { badValue, quoted, refusal, unsupported } from './refuse.ts';

export interface FilterOptions {
  readonly base: string;
  readonly limits: Limits;
  /** What may be seen of a type that a chain or `_has` goes through; undefined: nothing. Without it neither is accepted. */
  accessFor?(type: string): AccessFilter | undefined;
}

/** FHIR R4 search.html#modifiers that this server evaluates, by type; a reference takes type names too. */
export const MODIFIERS: Readonly<Record<ParamType, readonly string[]>> = {
  token: ['not', 'missing'],
  string: ['exact', 'contains', 'missing'],
  reference: ['identifier', 'missing'],
  uri: ['below', 'above', 'missing'],
  date: ['missing'],
  number: ['missing'],
  quantity: ['missing'],
  composite: ['missing'],
  special: [],
};

/** FHIR R4 search.html#modifiers `:not`: what has no such value, or no value at all. */
const negate = (of: Filter): Filter => (of.op === 'none' ? ALL : { op: 'not', of });

const ID = /^[A-Za-z0-9\-.]{1,64}$/;
/** Untyped chains over more types than this must say which. */
const UNTYPED_TARGETS_MAX = 8;

/** The parameter that a name is about, whatever stands behind it: `subject:Patient.name:exact` → `subject`. */
export const headOf = (name: string): string => /^[^:.]*/.exec(name)?.[0] ?? '';

/** Whether the type has what the name begins with. */
export const isKnown = (type: string, name: string): boolean =>
  name.startsWith('_has:') || searchParam(type, headOf(name)) !== undefined;

function valuesOf(name: string, value: string, limits: Limits): string[] {
  const values = splitAt(value, ',');
  if (values.length > limits.searchValuesMax)
    throw refusal('request.too-many', name, `has more than ${limits.searchValuesMax} values. Ask in parts.`);
  return values;
}

function missing(param: SearchParam, name: string, value: string): Filter {
  if (value !== 'true' && value !== 'false') throw badValue(name, 'is true or false.');
  return { op: 'missing', param: param.code, type: param.type, missing: value === 'true' };
}

/** `_id` and `_lastUpdated`, which the stores know without terms. */
function ofStore(
  param: SearchParam,
  modifier: string | undefined,
  name: string,
  value: string,
  limits: Limits,
): Filter {
  if (modifier !== undefined && !(param.code === '_id' && modifier === 'not'))
    throw unsupported(name, `takes no modifier ${quoted(modifier)}.`);
  const values = valuesOf(name, value, limits);
  if (param.code === '_lastUpdated')
    return or(...values.map((v): Filter => ({ op: 'last-updated', ...parseDateRange(name, v) })));
  // What cannot be an id is the id of nothing.
  const ids = values.filter((v) => ID.test(v));
  const filter: Filter = ids.length === 0 ? NONE : { op: 'id', ids };
  return modifier === 'not' ? negate(filter) : filter;
}

function checkModifier(param: SearchParam, modifier: string, name: string): void {
  if (MODIFIERS[param.type].includes(modifier)) return;
  if (param.type === 'reference' && param.targets.includes(modifier)) return;
  const types = param.type === 'reference' ? ['a type name'] : [];
  const known = [...MODIFIERS[param.type].map((m) => `:${m}`), ...types];
  throw unsupported(
    name,
    `the modifier ${quoted(`:${modifier}`)} is not supported here; supported: ${known.join(', ') || 'none'}.`,
  );
}

function simple(
  param: SearchParam,
  modifier: string | undefined,
  value: string,
  context: ValueContext,
  limits: Limits,
): Filter {
  if (param.code === '_id' || param.code === '_lastUpdated')
    return ofStore(param, modifier, context.name, value, limits);
  if (modifier !== undefined) checkModifier(param, modifier, context.name);
  if (modifier === 'missing') return missing(param, context.name, value);
  const values = valuesOf(context.name, value, limits);
  const filter =
    values.length === 1
      ? parseValue(param, modifier, values[0] as string, context)
      : or(...values.map((v) => parseValue(param, modifier, v, context)));
  return modifier === 'not' ? negate(filter) : filter;
}

function accessOf(options: FilterOptions, type: string, name: string): AccessFilter | undefined {
  if (!options.accessFor) throw unsupported(name, 'chains and _has are not supported here.');
  return options.accessFor(type);
}
const forbidden = (name: string): Error =>
  refusal('auth.forbidden', name, 'goes through a type that this token may not search.');

/** FHIR R4 search.html#chaining: `subject:Patient.name`, or `subject.name` through every type that has the parameter. */
function chain(param: SearchParam, wanted: string | undefined, rest: string, value: string, deep: Deep): Filter {
  const { name, options } = deep;
  if (param.type !== 'reference') throw badValue(name, `${param.code} is no reference, nothing can follow it.`);
  if (wanted !== undefined && !param.targets.includes(wanted))
    throw badValue(name, `${param.code} never leads to ${quoted(wanted)}.`);
  const to = wanted === undefined ? param.targets.filter((t) => isKnown(t, rest)) : [wanted];
  if (wanted === undefined && to.length > UNTYPED_TARGETS_MAX)
    throw badValue(name, `${param.code} may lead to many types: say which, ${param.code}:Patient.${rest}.`);
  if (to.length === 0 || (wanted !== undefined && !isKnown(wanted, rest)))
    throw badValue(name, `nothing that ${param.code} leads to has the parameter ${quoted(headOf(rest))}.`);
  const ways: Filter[] = [];
  let refused: unknown;
  for (const type of to) {
    const access = accessOf(options, type, name);
    if (!access) continue;
    try {
      const filter = parse(type, rest, value, { ...deep, hops: deep.hops + 1 });
      ways.push({ op: 'chain', param: param.code, type, filter, access });
    } catch (error) {
      // One of several types may have the parameter and yet not go further; that all refuse is a mistake.
      refused ??= error;
    }
  }
  if (ways.length === 0) throw refused ?? forbidden(name);
  return or(...ways);
}

/** FHIR R4 search.html#has: `_has:Observation:patient:code`. */
function has(type: string, rest: string, value: string, deep: Deep): Filter {
  const { name, options } = deep;
  const [from = '', code = '', ...more] = rest.split(':');
  const inner = more.join(':');
  if (inner === '') throw badValue(name, 'is written _has:Type:reference:parameter.');
  if (searchParams(from).length === 0) throw badValue(name, `${quoted(from)} is not a resource type.`);
  const param = searchParam(from, code);
  if (param?.type !== 'reference' || !param.targets.includes(type))
    throw badValue(name, `${from} has no reference ${quoted(code)} that leads to ${type}.`);
  if (!isKnown(from, inner)) throw badValue(name, `${from} has no parameter ${quoted(headOf(inner))}.`);
  const access = accessOf(options, from, name);
  if (!access) throw forbidden(name);
  const filter = parse(from, inner, value, { ...deep, hops: deep.hops + 1 });
  return { op: 'has', type: from, param: code, filter, access };
}

interface Deep {
  /** The whole name as written. */
  readonly name: string;
  readonly options: FilterOptions;
  readonly hops: number;
}

function parse(type: string, part: string, value: string, deep: Deep): Filter {
  const { name, options } = deep;
  if (deep.hops > options.limits.searchHopsMax)
    throw refusal('request.too-many', name, `goes through more than ${options.limits.searchHopsMax} references.`);
  if (part.startsWith('_has:')) return has(type, part.slice(5), value, deep);
  const dot = part.indexOf('.');
  const own = dot === -1 ? part : part.slice(0, dot);
  const colon = own.indexOf(':');
  const code = colon === -1 ? own : own.slice(0, colon);
  const modifier = colon === -1 ? undefined : own.slice(colon + 1);
  const param = searchParam(type, code);
  if (!param) throw unsupported(name, `${type} has no search parameter ${quoted(code)}.`);
  if (dot !== -1) return chain(param, modifier, part.slice(dot + 1), value, deep);
  return simple(param, modifier, value, { type, name, base: options.base }, options.limits);
}

/**
 * One parameter, its name with modifier, chain or `_has`, its value decoded. Values joined by commas are ORed.
 * @throws VitalwireError `request.value` junk, `request.unsupported` an unknown parameter or modifier, `request.too-many`,
 *   `auth.forbidden` a chain through a type that may not be searched.
 */
export function parseFilter(type: string, name: string, value: string, options: FilterOptions): Filter {
  // No value of R4 holds a NUL, and databases cut text there.
  if (name.includes('\0') || value.includes('\0')) throw badValue(name, 'has a NUL character.');
  return parse(type, name, value, { name, options, hops: 0 });
}
