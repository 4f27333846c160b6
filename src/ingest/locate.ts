/** Which device, and who wore it when it was measured: never when it arrived, never whom the message would like. CONTRACT §5 */
import type { MaybePromise } from '../base/types.ts';
import type { Wearer } from '../devices/association.ts';
import type { Devices, DeviceView } from '../devices/index.ts';
import type { Batch, Precondition, Store, Write } from '../store/store.ts';
import { deviceWrite } from './build/device.ts';
import type { Candidate, DeviceGroup } from './candidate.ts';
import type { HeldIndex } from './held-index.ts';
import { type Issue, issue } from './issue.ts';
import type { Identifier } from './measurement.ts';

export interface Locating {
  readonly store: Store;
  readonly devices: Devices;
  readonly held: HeldIndex;
  readonly unknownDevice: 'hold' | 'create';
  /** `{BASE_URL}/fhir`. */
  readonly base: string;
}

/** What the answers rest on, for the commit. */
export interface Located {
  readonly preconditions: readonly Precondition[];
  /** Devices to be made, with what makes them only once. */
  readonly created: readonly { readonly write: Write; readonly batch: Batch }[];
}

const isView = (found: DeviceGroup['found']): found is DeviceView => typeof found === 'object';

async function create(group: DeviceGroup, claimed: Map<string, DeviceView>, to: Locating): Promise<Located['created']> {
  const earlier = group.identities.map((identity) => claimed.get(identity)).find((view) => view !== undefined);
  if (earlier) {
    group.found = earlier;
    return [];
  }
  const id = to.store.newId();
  const batch = await to.devices.claim(id, group.identifiers);
  if (!batch) {
    to.devices.forget();
    group.found = await to.devices.find(group.identifiers);
    return [];
  }
  const view: DeviceView = { id, stamp: 0, uses: [] };
  group.found = view;
  for (const identity of group.identities) claimed.set(identity, view);
  return [{ write: deviceWrite(id, group.identifiers, to.base), batch }];
}

/** Looks up each device that is named, once. Only groups of readings that are still in the running are given. */
export async function locateDevices(groups: Iterable<DeviceGroup>, to: Locating): Promise<Located> {
  const guards = new Map<string, number>();
  const created: { write: Write; batch: Batch }[] = [];
  const claimed = new Map<string, DeviceView>();
  for (const group of groups) {
    const found = to.devices.find(group.identifiers);
    group.found = found instanceof Promise ? await found : found;
    if (group.found === 'unknown' && to.unknownDevice === 'create') created.push(...(await create(group, claimed, to)));
    else if (isView(group.found)) guards.set(group.found.id, group.found.stamp);
    const may = to.held.mayHold(group.identities);
    group.mayHold = may instanceof Promise ? await may : may;
  }
  const preconditions = [...guards].map(
    ([id, stamp]): Precondition => ({ kind: 'guard', name: to.devices.guardName(id), stamp }),
  );
  return { preconditions, created };
}

const UNKNOWN = issue('device.unknown', 'No Device has this identifier. Register the device, then replay the reading.');
const AMBIGUOUS = issue(
  'device.unknown',
  'More than one Device has these identifiers, so none can be chosen. Correct the Devices, then replay the reading.',
);
const NOBODY = issue(
  'device.unassociated',
  'Nobody wore the device at that time. Add a DeviceUseStatement that covers it, then replay the reading.',
);
const CONTRADICTION = issue(
  'device.unassociated',
  'DeviceUseStatements of the device contradict each other at that time. Correct them, then replay the reading.',
);
const HANDED_OVER = issue(
  'device.unassociated',
  'The device changed hands within the period of the reading, so that it belongs to nobody alone.',
);
const MISMATCH = issue(
  'device.patient-mismatch',
  'The message names another patient than the one who wore the device at that time. Correct the message or the DeviceUseStatement.',
);

const same = (a: Wearer, b: Wearer): boolean =>
  typeof a === 'object' && typeof b === 'object' ? a.patient === b.patient : a === b;

function wearerOf(c: Candidate, view: DeviceView, devices: Devices): string | Issue {
  const { end, slot } = c.measurement;
  const found = devices.wearer(view, c.moment.ms, slot);
  if (found === 'several') return CONTRADICTION;
  if (!found) return NOBODY;
  if (end && end.ms > c.moment.ms && !same(found, devices.wearer(view, end.ms - 1, slot))) return HANDED_OVER;
  return found.patient;
}

async function hasIdentifier(store: Store, patient: string, wanted: Identifier): Promise<boolean> {
  const stored = await store.read('Patient', patient);
  if (!stored || stored.deleted) return false;
  const { identifier } = JSON.parse(stored.text) as { identifier?: { system?: string; value?: string }[] };
  return (identifier ?? []).some((i) => i.value === wanted.value && (i.system ?? '') === (wanted.system ?? ''));
}

/** Sets the patient, or gives the reason why there is none. */
export function locatePatient(c: Candidate, to: Locating): MaybePromise<Issue | undefined> {
  const { found } = c.group;
  if (found === undefined || found === 'unknown') return UNKNOWN;
  if (found === 'several') return AMBIGUOUS;
  // What is about the device, or takes back what is stored, needs no wearer.
  if (c.measurement.retracted || c.normal?.aboutDevice) return undefined;
  const patient = wearerOf(c, found, to.devices);
  if (typeof patient !== 'string') return patient;
  c.patient = patient;
  const claimed = c.measurement.patient;
  if (claimed === undefined || claimed === patient) return undefined;
  if (typeof claimed === 'string') return MISMATCH;
  return hasIdentifier(to.store, patient, claimed).then((has) => (has ? undefined : MISMATCH));
}
