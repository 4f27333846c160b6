/** Operations that other rooms offer. FHIR R4 operations.html */

import { mayEver } from '../../access/authorize.ts';
import type { Operation } from '../../access/operation.ts';
import type { Letter, Principal } from '../../access/principal.ts';
import { VitalwireError } from '../../base/errors.ts';
import type { PlainResponse } from '../../base/http.ts';
import type { RestContext, RestRequest } from '../context.ts';
import { methodUnknown } from '../refusals.ts';

export interface Called {
  readonly name: string;
  readonly type?: string;
  readonly id?: string;
}

const LETTERS: readonly Letter[] = ['c', 'r', 'u', 'd', 's'];

export async function operation(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  called: Called,
): Promise<PlainResponse> {
  const found = ctx.operations.find((each) => isCalled(each, called));
  if (!found) throw unknown(principal, called);
  if (!found.methods.some((method) => method === request.method))
    throw methodUnknown(request.method, `$${called.name}`, found.methods.join(' or '));
  return found.handle(called.id === undefined ? request : { ...request, id: called.id }, principal);
}

function isCalled(each: Operation, { name, type, id }: Called): boolean {
  const level = type === undefined ? 'system' : id === undefined ? 'type' : 'instance';
  return each.name === name && each.levels.includes(level) && (level === 'system' || each.type === type);
}

/** CONTRACT §2 refusals: an unknown operation is 404, or 403 where no granted scope could allow it. */
function unknown(principal: Principal, { name, type }: Called): VitalwireError {
  const could =
    type === undefined ? principal.scopes.length > 0 : LETTERS.some((letter) => mayEver(principal, letter, type));
  return could
    ? new VitalwireError('path.unknown', `There is no operation $${name} here. The CapabilityStatement lists them.`)
    : new VitalwireError('auth.forbidden', 'No scope of this token could allow an operation here.');
}
