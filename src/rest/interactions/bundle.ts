/** POST to the base: a batch or a transaction. FHIR R4 http.html#transaction */
import type { Principal } from '../../access/principal.ts';
import { VitalwireError } from '../../base/errors.ts';
import type { PlainResponse } from '../../base/http.ts';
import { resourceOf } from '../body.ts';
import { rawEntries } from '../bundle-entries.ts';
import type { Act, RestContext, RestRequest } from '../context.ts';
import { parsePrefer } from '../prefer.ts';
import { batch } from './batch.ts';
import { transaction } from './transaction.ts';

export async function bundle(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  act: Act,
): Promise<PlainResponse> {
  const { resource, text } = resourceOf(ctx, request, 'Bundle');
  const { type } = resource;
  if (type !== 'batch' && type !== 'transaction')
    throw new VitalwireError(
      'request.invalid',
      'A Bundle sent to the base is of type batch or transaction. To store one, send it to /Bundle.',
      { expression: ['Bundle.type'] },
    );
  const entries = rawEntries(ctx, resource, text);
  const prefer = preferOf(request.headers['prefer']);
  return type === 'batch'
    ? batch(ctx, entries, principal, prefer, act)
    : transaction(ctx, entries, principal, prefer, act);
}

/** The answer of an entry is short unless more was asked for: the resources are what the sender has just sent. */
function preferOf(header: string | undefined): string {
  if (header === undefined) return 'return=minimal';
  return parsePrefer(header).return === undefined ? `${header}, return=minimal` : header;
}
