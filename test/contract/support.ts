/** What the contract suites write with: drafts out of plain resources, and access filters made by hand. */
import { extract } from '../../src/fhir/extract.ts';
import { NO_TERMS } from '../../src/fhir/terms.ts';
import { splitResource } from '../../src/fhir/text.ts';
import { type AccessFilter, ALL, type Filter } from '../../src/search/plan.ts';
import type { Committed, Refusal, Store, Write } from '../../src/store/store.ts';
import { BASE } from '../support/arbitrary.ts';

export { BASE } from '../support/arbitrary.ts';

/** Opens an empty store; `reopen` closes it and opens the same data again. */
export type OpenStore = () => Promise<{ store: Store; reopen: () => Promise<Store> }>;

/** Tests are the only other place that makes one. */
export const accessTo = (type: string, filter: Filter = ALL): AccessFilter =>
  ({ type, filter }) as unknown as AccessFilter;

export type Resource = Record<string, unknown> & { resourceType: string };

/** A write of `text`, byte for byte; `id` is what the store names it, whatever the text says. */
export function writeOf(text: string, id: string, follows: number, more: Partial<Write> = {}): Write {
  const { meta, body } = splitResource(text);
  const resource = JSON.parse(text) as Resource;
  return {
    method: follows === 0 ? 'POST' : 'PUT',
    draft: { type: resource.resourceType, id, meta, body },
    terms: extract({ ...resource, id }, BASE),
    follows,
    ...more,
  };
}

export const deletion = (type: string, id: string, follows: number): Write => ({
  method: 'DELETE',
  draft: { type, id, meta: '', body: '' },
  terms: NO_TERMS,
  follows,
});

export const patient = (more: Record<string, unknown> = {}): string =>
  JSON.stringify({ resourceType: 'Patient', active: true, ...more });

export const observation = (of: string, date: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: { reference: `Patient/${of}` },
    effectiveDateTime: date,
    ...more,
  });

export function refusalOf(committed: Committed): Refusal {
  if (committed.ok) throw new Error('the batch was committed, it should have been refused');
  return committed.refusal;
}

/** What `store.commit` resolves with when it must not be refused. */
export async function committed(store: Store, batch: Parameters<Store['commit']>[0]) {
  const done = await store.commit(batch);
  if (!done.ok) throw new Error(`refused: ${JSON.stringify(done.refusal)}`);
  return done;
}
