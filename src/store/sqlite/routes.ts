/** Where the terms of a parameter are indexed: with the class, or in a table of their own. */
import { searchParam } from '../../fhir/search-params.ts';
import { PRIMARY_DATE } from '../../search/plan.ts';
import { memo } from './memo.ts';

/**
 * - class: few values, kept with the class (classes.ts)
 * - table: one row a term
 * - none: follows from others, see `SAME_AS`
 */
export type Route = 'class' | 'table' | 'none';

/** Unions that are not stored twice: by definition they hold exactly the terms of these. */
export const SAME_AS: Readonly<Record<string, readonly string[]>> = {
  'Observation.combo-value-quantity': ['value-quantity', 'component-value-quantity'],
};

const FEW_URIS: ReadonlySet<string> = new Set(['_profile']);
const FEW_TOKENS: ReadonlySet<string> = new Set(['_tag', '_security']);

const tokenRoutes = new Map<string, Map<string, Route>>();

export function tokenRoute(type: string, param: string): Route {
  const ofType = memo(tokenRoutes, type, () => new Map<string, Route>());
  return memo(ofType, param, () =>
    FEW_TOKENS.has(param) || searchParam(type, param)?.tokenOf === 'code' ? 'class' : 'table',
  );
}

export const uriRoute = (param: string): Route => (FEW_URIS.has(param) ? 'class' : 'table');

export const quantityRoute = (type: string, param: string): Route =>
  SAME_AS[`${type}.${param}`] === undefined ? 'table' : 'none';

/** The references that cluster a resource: `patient`, else `subject`. */
export const OWNER_PARAMS = ['patient', 'subject'] as const;
export const isOwnerParam = (param: string): boolean => param === 'patient' || param === 'subject';

export const primaryDate = (type: string): string | undefined => PRIMARY_DATE[type];

/** The parameter under which `Reference.identifier` is found. */
export const identifierParam = (type: string, param: string): string => `${type}.${param}:identifier`;

/** The parameter of dates that end before they begin: no range of starts is known to hold them. */
export const invertedParam = (type: string, param: string): string => `${type}.${param}:inverted`;
