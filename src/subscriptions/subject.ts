/** What a change is judged by. */
import { extract } from '../fhir/extract.ts';
import type { Change, Store } from '../store/store.ts';
import type { Subject } from './matcher.ts';
import { judgedVersion } from './tell.ts';

/** @returns undefined when the version that counts is not there (a delete of what never was). */
export async function subjectOf(
  store: Store,
  base: string,
  change: Change,
  needsResource: boolean,
): Promise<Subject | undefined> {
  const deleted = change.method === 'DELETE';
  if (change.terms && !deleted && !needsResource) return { terms: change.terms };
  const stored = await store.readVersion(change.type, change.id, judgedVersion(change));
  if (!stored || stored.text === '') return undefined;
  const resource = JSON.parse(stored.text) as Record<string, unknown>;
  return { terms: deleted ? extract(resource, base) : (change.terms ?? extract(resource, base)), resource };
}
