/** What the class of a resource alone says about a filter: true, false, or undefined when it cannot. */
import type { Filter, MissingFilter } from '../../search/plan.ts';
import { matches } from '../../search/predicate.ts';
import { type ClassRecord, NO_CLASS } from './classes.ts';
import { isOwnerParam, primaryDate, tokenRoute, uriRoute } from './routes.ts';

export type Verdict = boolean | undefined;

/** Neither is asked of a filter that a class decides. */
const NO_META = { id: '', lastUpdated: 0 };

export function decide(filter: Filter, cls: ClassRecord): Verdict {
  switch (filter.op) {
    case 'all':
      return true;
    case 'none':
      return false;
    case 'and':
      return every(filter.of, cls);
    case 'or':
      return some(filter.of, cls);
    case 'not': {
      const inner = decide(filter.of, cls);
      return inner === undefined ? undefined : !inner;
    }
    case 'composite':
      // An occurrence has the terms of all parts, and the resource has the terms of its occurrences.
      return every(filter.parts, cls) === false ? false : undefined;
    default:
      return decideLeaf(filter, cls);
  }
}

function every(filters: readonly Filter[], cls: ClassRecord): Verdict {
  let all: Verdict = true;
  for (const filter of filters) {
    const verdict = decide(filter, cls);
    if (verdict === false) return false;
    if (verdict === undefined) all = undefined;
  }
  return all;
}

function some(filters: readonly Filter[], cls: ClassRecord): Verdict {
  let any: Verdict = false;
  for (const filter of filters) {
    const verdict = decide(filter, cls);
    if (verdict === true) return true;
    if (verdict === undefined) any = undefined;
  }
  return any;
}

function decideLeaf(filter: Filter, cls: ClassRecord): Verdict {
  if (cls.id === NO_CLASS) return undefined;
  switch (filter.op) {
    case 'token':
      return tokenRoute(cls.type, filter.param) === 'class' ? byTerms(filter, cls) : undefined;
    case 'uri':
      return uriRoute(filter.param) === 'class' ? byTerms(filter, cls) : undefined;
    case 'date':
      return cls.span === 'none' && filter.param === primaryDate(cls.type) ? false : undefined;
    case 'reference':
    case 'reference-identifier':
      return hasNoOwner(filter.param, cls) ? false : undefined;
    case 'missing':
      return decideMissing(filter, cls);
    default:
      return undefined;
  }
}

const byTerms = (filter: Filter, cls: ClassRecord): Verdict =>
  cls.open ? undefined : matches(filter, cls.terms, NO_META);

/** Without owners it has neither a `patient` nor a `subject`; with owners, `patient` has exactly these or nothing. */
function hasNoOwner(param: string, cls: ClassRecord): boolean {
  if (!isOwnerParam(param)) return false;
  return cls.owners.length === 0 || (param === 'patient' && !cls.owners.includes(param));
}

function decideMissing(filter: MissingFilter, cls: ClassRecord): Verdict {
  const { param, missing } = filter;
  if (filter.type === 'token' && tokenRoute(cls.type, param) === 'class') return byTerms(filter, cls);
  if (filter.type === 'uri' && uriRoute(param) === 'class') return byTerms(filter, cls);
  if (filter.type === 'date' && param === primaryDate(cls.type)) return (cls.span === 'none') === missing;
  if (filter.type === 'reference' && isOwnerParam(param)) {
    if (cls.owners.includes(param)) return !missing;
    if (hasNoOwner(param, cls)) return missing;
  }
  return undefined;
}
