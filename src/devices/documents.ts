/**
 * What rules keep beside the resources, in the same transaction, so that one look-up answers what a message asks: which device
 * is this, and who wore it. A Device has one document tagged with its identities, a DeviceUseStatement that counts one tagged
 * with its device.
 */
import { limits } from '../base/limits.ts';
import type { DocWrite, Store } from '../store/store.ts';
import type { Use } from './association.ts';

const IDENTITY = 'device-identity';
const USE = 'device-use';

/** Raised by whatever changes the answer for a device: its statements, or the identities that lead to it. */
export const useGuard = (deviceId: string): string => `device-use/${deviceId}`;
/** Raised whenever a device gains or loses this identity: two devices cannot be made for one. */
export const identityGuard = (identity: string): string => `device-identity/${identity}`;

export const putIdentities = (deviceId: string, identities: readonly string[]): DocWrite => ({
  op: 'put',
  doc: { collection: IDENTITY, key: deviceId, body: JSON.stringify(identities), tags: identities },
});
export const dropIdentities = (deviceId: string): DocWrite => ({
  op: 'delete',
  collection: IDENTITY,
  key: deviceId,
});

export const putUse = (use: Use): DocWrite => ({
  op: 'put',
  doc: { collection: USE, key: use.id, body: JSON.stringify(use), tags: [use.device] },
});
export const dropUse = (statementId: string): DocWrite => ({ op: 'delete', collection: USE, key: statementId });

/** Ids of the devices that claim an identity; more than two are not listed, for none of them may be chosen. */
export async function devicesWith(store: Store, identity: string): Promise<readonly string[]> {
  const docs = await store.docs({ collection: IDENTITY, tags: [identity], limit: 2 });
  return docs.map((d) => d.key);
}

/** The identities of a device as the store has them. */
export async function identitiesOfDevice(store: Store, deviceId: string): Promise<readonly string[]> {
  const doc = await store.doc(IDENTITY, deviceId);
  return doc ? (JSON.parse(doc.body) as string[]) : [];
}

/** Every statement of the device that counts. */
export async function usesOf(store: Store, deviceId: string): Promise<Use[]> {
  const found: Use[] = [];
  let after: string | undefined;
  do {
    const page = await store.docs({
      collection: USE,
      tags: [deviceId],
      limit: limits.pageEntriesMax,
      ...(after === undefined ? {} : { after }),
    });
    for (const doc of page) found.push(JSON.parse(doc.body) as Use);
    after = page.length === limits.pageEntriesMax ? page.at(-1)?.key : undefined;
  } while (after !== undefined);
  return found;
}
