/** batch: each entry for itself. FHIR R4 http.html#brules */
import type { Principal } from '../../access/principal.ts';
import { VitalwireError } from '../../base/errors.ts';
import type { PlainResponse } from '../../base/http.ts';
import { entryOf, inEntry, type RawEntry } from '../bundle-entries.ts';
import { bundleText, responseEntry } from '../bundle-text.ts';
import type { Act, RestContext, RestRequest } from '../context.ts';
import { parsePrefer } from '../prefer.ts';
import { bodyResponse, refuse } from '../respond.ts';

/** Entries do not depend on each other, so they run side by side and their writes share the store's syncs to disk. */
export async function batch(
  ctx: RestContext,
  entries: readonly RawEntry[],
  principal: Principal,
  prefer: string,
  act: Act,
): Promise<PlainResponse> {
  const results: string[] = new Array(entries.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < entries.length; n = next++)
      results[n] = await one(ctx, entries[n] as RawEntry, principal, prefer, act);
  };
  await Promise.all(Array.from({ length: Math.min(ctx.limits.batchEntriesInFlightMax, entries.length) }, worker));
  return bodyResponse(bundleText({ type: 'batch-response', entries: results }));
}

async function one(ctx: RestContext, raw: RawEntry, principal: Principal, prefer: string, act: Act): Promise<string> {
  try {
    return await inEntry(raw.index, async () => {
      const { request } = entryOf(ctx, raw, prefer);
      return answered(request, await answerEntry(ctx, request, principal, act), prefer);
    });
  } catch (error) {
    const { status, body } = refuse(ctx, error, 'batch');
    return responseEntry({ status, outcome: body });
  }
}

/** @throws VitalwireError `request.invalid` for a Bundle within a Bundle. */
export async function answerEntry(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  act: Act,
): Promise<PlainResponse> {
  if (request.path === '/' && request.method === 'POST')
    throw new VitalwireError('request.invalid', 'A Bundle cannot be processed within a Bundle. Send it by itself.');
  return act(ctx, request, principal);
}

/** A plain response as an entry of the answer. */
export function answered(request: RestRequest, response: PlainResponse, prefer: string): string {
  const { status, headers = {}, body } = response;
  const outcome = request.method !== 'GET' && parsePrefer(prefer).return === 'OperationOutcome';
  return responseEntry({
    status,
    location: headers['location'],
    version: versionOf(headers['etag']),
    lastUpdated: headers['last-modified'] && new Date(headers['last-modified']).toISOString(),
    resource: outcome ? undefined : body,
    outcome: outcome ? body : undefined,
  });
}

function versionOf(tag: string | undefined): number | undefined {
  const found = /\d+/.exec(tag ?? '');
  return found ? Number(found[0]) : undefined;
}
