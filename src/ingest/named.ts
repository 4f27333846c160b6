/** The device that a message names, as far as it can be told: for finding it among those that were not filed. */
import { canonicalIdentity } from '../devices/identity.ts';
import type { Item } from './candidate.ts';
import type { Identifier } from './measurement.ts';
import { deviceOf } from './wire.ts';

export interface Named {
  readonly device: readonly Identifier[];
  readonly identities: readonly string[];
}
const NOBODY: Named = { device: [], identities: [] };

export function identitiesAndDevice(item: Item): Named {
  const group = item.candidates[0]?.group;
  if (group) return { device: group.identifiers, identities: group.identities };
  const { value } = item.message;
  if (typeof value !== 'object' || value === null) return NOBODY;
  const device = deviceOf((value as { device?: unknown }).device);
  if ('code' in device) return NOBODY;
  return { device, identities: [...new Set(device.map(canonicalIdentity))] };
}
