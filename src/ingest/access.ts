/** What a token may do at /ingest. It takes a `system/` scope to create Observations. CONTRACT §5 ingest. */
import { authorize, isUnrestricted } from '../access/authorize.ts';
import type { Principal, Scope } from '../access/principal.ts';
import { parseScopes } from '../access/scopes.ts';
import { VitalwireError } from '../base/errors.ts';
import type { AccessFilter } from '../search/plan.ts';

const creates = (scope: Scope): boolean =>
  scope.level === 'system' && scope.letters.has('c') && (scope.type === 'Observation' || scope.type === '*');

export interface Rights {
  /** Undefined: any Observation. */
  readonly access?: AccessFilter | undefined;
  /** Texts of the scopes that restrict, to be kept with what is held. */
  readonly scopes?: readonly string[] | undefined;
}
const rights = new WeakMap<Principal, Rights | null>();

function decide(principal: Principal, base: string): Rights | null {
  const scopes = principal.scopes.filter(creates);
  if (scopes.length === 0) return null;
  // A scope of another level opens nothing here, so it must not widen the filter either.
  const access = authorize({ ...principal, scopes }, 'c', 'Observation', base);
  return isUnrestricted(access) ? {} : { access, scopes: scopes.map((s) => s.text) };
}

/** @throws VitalwireError `auth.forbidden` before anything is looked up. */
export function mayIngest(principal: Principal, base: string): Rights {
  let found = rights.get(principal);
  if (found === undefined) {
    found = decide(principal, base);
    rights.set(principal, found);
  }
  if (!found) throw forbidden();
  return found;
}

/** What the sender of a held message was allowed; undefined: any Observation. */
export function accessOf(scopes: readonly string[] | undefined, base: string): AccessFilter | undefined {
  if (!scopes) return undefined;
  const principal: Principal = {
    clientId: '',
    admin: false,
    scopes: parseScopes(scopes.join(' ')),
    scopeText: scopes.join(' '),
  };
  return authorize(principal, 'c', 'Observation', base);
}

export const forbidden = (): VitalwireError =>
  new VitalwireError('auth.forbidden', 'The token does not permit this. It takes the scope system/Observation.c.', {
    headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="system/Observation.c"' },
  });

export const administratorsOnly = (): VitalwireError =>
  new VitalwireError('auth.forbidden', 'The token does not permit this. It is for administrators: system/*.cruds.', {
    headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="system/*.cruds"' },
  });
