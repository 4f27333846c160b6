/** A change of status by the server itself: an ordinary new version of the Subscription, so that its history tells. */
import { parseKeepingNumbers } from '../base/json.ts';
import { extract } from '../fhir/extract.ts';
import { splitResource } from '../fhir/text.ts';
import type { DocWrite, Store } from '../store/store.ts';
import type { SubscriptionStatus } from './names.ts';

export interface StatusChange {
  readonly id: string;
  /** The version that it is decided on; when a client wrote meanwhile nothing happens. */
  readonly version: number;
  readonly status: SubscriptionStatus;
  /** `Subscription.error`, R4: the latest error; undefined clears it. */
  readonly error?: string | undefined;
  readonly docs: readonly DocWrite[];
}

/** @returns false when the Subscription is another version by now, or gone. */
export async function commitStatus(store: Store, base: string, change: StatusChange): Promise<boolean> {
  const stored = await store.readVersion('Subscription', change.id, change.version);
  if (!stored || stored.deleted) return false;
  const resource = parseKeepingNumbers(stored.text) as Record<string, unknown>;
  resource['status'] = change.status;
  if (change.error === undefined) delete resource['error'];
  else resource['error'] = change.error;
  const text = JSON.stringify(resource);
  const { meta, body } = splitResource(text);
  const committed = await store.commit({
    writes: [
      {
        method: 'PUT',
        draft: { type: 'Subscription', id: change.id, meta, body },
        terms: extract(JSON.parse(text) as Record<string, unknown>, base),
        follows: change.version,
      },
    ],
    docs: change.docs,
  });
  return committed.ok;
}
