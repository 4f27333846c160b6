/**
 * The one choke point: what a token may do with one type, decided before any look-up. Deny is an error with a sentence that
 * says nothing about what exists; permission is an AccessFilter that every store call takes. SMART App Launch 2.2, smart scopes.
 */
import { VitalwireError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { isResourceType } from '../fhir/definitions.ts';
import { type AccessFilter, ALL, and, type Filter, NONE, or } from '../search/plan.ts';
import { parseFilter } from '../search/query.ts';
import { patientFilter } from './compartment.ts';
import type { Letter, Principal, Scope } from './principal.ts';

const REFUSAL =
  'The token does not permit this. Ask for a token whose scope names this resource type and this kind of interaction.';

/** The only place where an AccessFilter is made. */
function make(type: string, filter: Filter): AccessFilter {
  return Object.freeze({ type, filter }) as unknown as AccessFilter;
}

interface Decided {
  readonly base: string;
  /** By letter and type; null is a refusal. */
  readonly answers: Map<string, AccessFilter | null>;
}
const decisions = new WeakMap<Principal, Decided>();

const isFor = (scope: Scope, letter: Letter, type: string): boolean =>
  scope.letters.has(letter) && (scope.type === type || scope.type === '*');

/** CONTRACT §2: AuditEvents are written by nobody. */
const nobodyMay = (letter: Letter, type: string): boolean => type === 'AuditEvent' && letter !== 'r' && letter !== 's';

/**
 * What the level of a scope opens. `system/`: all of the type. `patient/`: the patient in context. `user/`: of a patient the
 * same; a practitioner's own rights are not modelled, so a practitioner's `user/` scope opens nothing.
 */
function levelFilter(scope: Scope, principal: Principal, letter: Letter, type: string): Filter {
  const named = scope.type !== '*';
  if (scope.level === 'system') return ALL;
  if (scope.level === 'patient')
    return principal.patient === undefined ? NONE : patientFilter(type, principal.patient, letter, named);
  const own = /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(principal.fhirUser ?? '');
  return own ? patientFilter(type, own[1] as string, letter, named) : NONE;
}

/** The granular restriction of a scope, or what is wrong with it for this type. */
function granularFilter(scope: Scope, type: string, base: string): Filter | { mistake: string } {
  try {
    // Without `accessFor` the parser takes no chain, and so no other type.
    return and(...scope.params.map(([name, value]) => parseFilter(type, name, value, { base, limits })));
  } catch (error) {
    if (error instanceof VitalwireError) return { mistake: error.message };
    throw error;
  }
}

function decide(principal: Principal, letter: Letter, type: string, base: string): AccessFilter | null {
  if (nobodyMay(letter, type) || !isResourceType(type)) return null;
  const open = principal.scopes
    .filter((scope) => isFor(scope, letter, type))
    .map((scope) => {
      const granular = granularFilter(scope, type, base);
      // A restriction that cannot be enforced on this type opens nothing of it.
      return 'mistake' in granular ? NONE : and(levelFilter(scope, principal, letter, type), granular);
    });
  const filter = or(...open);
  return filter.op === 'none' ? null : make(type, filter);
}

/**
 * The part of `type` that this token may read (`r`), search (`s`), create (`c`), update (`u`) or delete (`d`). The same object
 * for the same question while the principal lives, so that a store may keep what it made of it.
 * @param base `{BASE_URL}/fhir`, for references in granular scopes.
 * @throws VitalwireError `auth.forbidden` with one constant sentence.
 */
export function authorize(principal: Principal, letter: Letter, type: string, base: string): AccessFilter {
  let decided = decisions.get(principal);
  if (decided === undefined || decided.base !== base) {
    decided = { base, answers: new Map() };
    decisions.set(principal, decided);
  }
  const key = letter + type;
  let answer = decided.answers.get(key);
  if (answer === undefined) {
    answer = decide(principal, letter, type, base);
    // Only names of types may fill the table: what is asked for comes from outside.
    if (answer !== null || isResourceType(type)) decided.answers.set(key, answer);
  }
  if (answer === null) throw new VitalwireError('auth.forbidden', REFUSAL);
  return answer;
}

/** Whether some granted scope could ever allow this, whatever the resource: tells 403 from 404 for an unknown operation. */
export function mayEver(principal: Principal, letter: Letter, type: string): boolean {
  return !nobodyMay(letter, type) && principal.scopes.some((scope) => isFor(scope, letter, type));
}

const everything = new Map<string, AccessFilter>();
/** All of a type: for the server's own work only, never for what a caller asks. */
export function unrestricted(type: string): AccessFilter {
  let access = everything.get(type);
  if (access === undefined) {
    access = make(type, ALL);
    everything.set(type, access);
  }
  return access;
}

export function isUnrestricted(access: AccessFilter): boolean {
  return access.filter.op === 'all';
}

/** Less than before: what a rule of the type hides is ANDed; nothing can be widened with it. */
export function narrow(access: AccessFilter, filter: Filter): AccessFilter {
  return make(access.type, and(access.filter, filter));
}

/**
 * Why a scope that parses cannot be granted: its restriction has a value that no search would take. Undefined when it can.
 * A scope of all types is tried on Observation, since the parameters that it may have are those of every type.
 */
export function scopeMistake(scope: Scope, base: string): string | undefined {
  const granular = granularFilter(scope, scope.type === '*' ? 'Observation' : scope.type, base);
  return 'mistake' in granular ? granular.mistake : undefined;
}
