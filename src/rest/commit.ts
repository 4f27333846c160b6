/** Committing what was prepared, and trying again when others were faster. */
import { VitalwireError } from '../base/errors.ts';
import type { Limits } from '../base/limits.ts';
import type { Precondition, Stored, Written } from '../store/store.ts';
import type { RestContext } from './context.ts';
import { stored } from './respond.ts';
import type { Prepared } from './write.ts';

/** What was decided on has changed meanwhile: decide again. */
export const AGAIN = Symbol('again');

export const conflict = (): VitalwireError =>
  new VitalwireError('resource.conflict', 'Others keep changing the same data. Read it again and repeat the request.');

/** @throws VitalwireError `resource.conflict` after `conflictRetriesMax` repetitions. */
export async function retrying<T>(limits: Limits, attempt: () => Promise<T | typeof AGAIN>): Promise<T> {
  for (let n = 0; n <= limits.conflictRetriesMax; n++) {
    const result = await attempt();
    if (result !== AGAIN) return result;
  }
  throw conflict();
}

/** One write with what its rules add, and the preconditions that it was decided on. */
export async function commitOne(
  ctx: RestContext,
  prepared: Prepared,
  preconditions: readonly Precondition[] = [],
): Promise<Stored | typeof AGAIN> {
  const { write, batch } = prepared;
  const committed = await ctx.store.commit({
    ...batch,
    writes: [write],
    preconditions: batch.preconditions ? [...preconditions, ...batch.preconditions] : preconditions,
  });
  if (!committed.ok) return AGAIN;
  prepared.committed();
  return stored(committed.written[0] as Written, write.method);
}
