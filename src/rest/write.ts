/** From a proposed write to what the store takes: validation, the rules of the type, the text without id and meta, the terms. */
import type { Principal } from '../access/principal.ts';
import { extract } from '../fhir/extract.ts';
import { NO_TERMS } from '../fhir/terms.ts';
import { splitResource } from '../fhir/text.ts';
import { assertValid } from '../fhir/validate.ts';
import type { ProposedWrite } from '../store/rules.ts';
import type { Batch, Write } from '../store/store.ts';
import type { RestContext } from './context.ts';
import { rulesOf } from './rules.ts';

export type WriteRequest = ProposedWrite<Principal>;

export interface Prepared {
  readonly write: Write;
  /** What the rules want in the same transaction. */
  readonly batch: Batch;
  /** As it will be stored, without the id and meta of the server; absent for a delete. */
  readonly resource?: Readonly<Record<string, unknown>> | undefined;
  /** To be called after the commit, before the answer. */
  committed(): void;
}

const NOTHING: Batch = Object.freeze({});

/**
 * @param alongside every write of the same transaction, this one included; absent when it is the only one.
 * @throws VitalwireError `resource.invalid`, or what a rule refuses with.
 */
export async function prepare(
  ctx: RestContext,
  request: WriteRequest,
  alongside?: readonly WriteRequest[],
): Promise<Prepared> {
  const { method, type, id, before } = request;
  let { text, resource } = request;
  if (resource) assertValid(resource as Record<string, unknown>);
  const rules = rulesOf(ctx, type);
  const batches: Batch[] = [];
  for (const rule of rules) {
    const outcome = await rule.check({ ...request, text, resource, alongside });
    if (outcome?.batch) batches.push(outcome.batch);
    if (outcome?.text === undefined) continue;
    text = outcome.text;
    resource = JSON.parse(text) as Record<string, unknown>;
  }
  const { meta, body } = resource ? splitResource(text) : { meta: '', body: '' };
  const terms = resource ? extract(resource as Record<string, unknown>, ctx.base) : NO_TERMS;
  const final: WriteRequest = { ...request, text, resource };
  return {
    write: { method, draft: { type, id, meta, body }, terms, follows: before?.version ?? 0 },
    batch: merge(batches),
    resource,
    committed: () => {
      for (const rule of rules) rule.committed?.(final);
    },
  };
}

/** One batch of several: everything of all of them. */
export function merge(batches: readonly Batch[]): Batch {
  if (batches.length === 0) return NOTHING;
  if (batches.length === 1) return batches[0] as Batch;
  const counters: Record<string, number> = {};
  for (const batch of batches)
    for (const [name, n] of Object.entries(batch.counters ?? {})) counters[name] = (counters[name] ?? 0) + n;
  return {
    writes: batches.flatMap((b) => b.writes ?? []),
    docs: batches.flatMap((b) => b.docs ?? []),
    preconditions: batches.flatMap((b) => b.preconditions ?? []),
    counters,
    touches: [...new Set(batches.flatMap((b) => b.touches ?? []))],
  };
}
