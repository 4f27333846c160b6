/** transaction: all of it or nothing, in one commit. FHIR R4 http.html#trules */
import type { Principal } from '../../access/principal.ts';
import { VitalwireError } from '../../base/errors.ts';
import type { PlainResponse } from '../../base/http.ts';
import { type Entry, entryOf, inEntry, type RawEntry } from '../bundle-entries.ts';
import { bundleText } from '../bundle-text.ts';
import { retrying } from '../commit.ts';
import type { Act, RestContext } from '../context.ts';
import { inLanes } from '../lane.ts';
import { bodyResponse } from '../respond.ts';
import { attempt } from '../transaction-attempt.ts';
import { type Step, stepOf } from '../transaction-steps.ts';
import { answerEntry, answered } from './batch.ts';

export async function transaction(
  ctx: RestContext,
  raw: readonly RawEntry[],
  principal: Principal,
  prefer: string,
  act: Act,
): Promise<PlainResponse> {
  const entries: Entry[] = [];
  const steps: Step[] = [];
  for (const each of raw) {
    await inEntry(each.index, () => {
      const entry = entryOf(ctx, each, prefer);
      entries.push(entry);
      if (entry.request.method !== 'GET') steps.push(stepOf(ctx, principal, entry));
    });
  }
  const reads = entries.filter((entry) => entry.request.method === 'GET');
  await tryReads(ctx, principal, reads, steps, act);
  const lanes = steps.flatMap(({ type, id, conditionText }) =>
    id !== undefined ? `${type}/${id}` : conditionText !== undefined ? `${type}?${conditionText}` : [],
  );
  const outcomes = await inLanes(ctx, lanes, () => retrying(ctx.limits, () => attempt(ctx, principal, steps, prefer)));
  const texts: string[] = new Array(entries.length);
  for (const { index, text } of outcomes) texts[index] = text;
  // FHIR R4 http.html#trules: reads come last, and see what was written.
  for (const { index, request } of reads)
    texts[index] = await inEntry(index, async () =>
      answered(request, await answerEntry(ctx, request, principal, act), prefer),
    );
  return bodyResponse(bundleText({ type: 'transaction-response', entries: texts }));
}

/** A read that will fail must fail before anything is written. What this transaction itself writes cannot be tried yet. */
async function tryReads(
  ctx: RestContext,
  principal: Principal,
  reads: readonly Entry[],
  steps: readonly Step[],
  act: Act,
): Promise<void> {
  const written = new Set(steps.map(({ type, id }) => `/${type}/${id}`));
  for (const { index, request } of reads) {
    try {
      await inEntry(index, () => answerEntry(ctx, request, principal, act));
    } catch (error) {
      const absent = error instanceof VitalwireError && (error.status === 404 || error.status === 410);
      if (!absent || !written.has(request.path)) throw error;
    }
  }
}
