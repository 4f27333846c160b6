/** The devices room: which device a message comes from, and who wore it when. */
import type { Clock } from '../base/clock.ts';
import type { Limits } from '../base/limits.ts';
import type { MaybePromise } from '../base/types.ts';
import type { WriteRule } from '../store/rules.ts';
import type { Batch, Store } from '../store/store.ts';
import { type Use, type Wearer, wearer } from './association.ts';
import { devicesWith, identitiesOfDevice, identityGuard, putIdentities, useGuard, usesOf } from './documents.ts';
import { canonicalIdentity, type Identifier } from './identity.ts';
import { deviceRule, deviceUseRule } from './rules.ts';

/** A device as it was when `stamp` was read; a commit that rests on it takes the stamp as a guard. */
export interface DeviceView {
  readonly id: string;
  readonly stamp: number;
  readonly uses: readonly Use[];
}
/** `unknown`: no device has any of the identifiers. `several`: they name more than one. */
export type Found = DeviceView | 'unknown' | 'several';

export interface Devices {
  /** The device with these identifiers, in any spelling. Never older than the newest commit of this process. */
  find(identifiers: readonly Identifier[]): MaybePromise<Found>;
  /** Who wore a device at a moment, and the stamp that the answer was read under. `several`: statements contradict. */
  wearerAt(
    deviceId: string,
    atMs: number,
    slot?: number,
  ): Promise<{ readonly patient?: string; readonly several?: true; readonly stamp: number }>;
  wearer(view: DeviceView, atMs: number, slot?: number): Wearer;
  /** Canonical identities of a Device resource. */
  identities(deviceId: string): MaybePromise<readonly string[]>;
  /**
   * Documents, guards and touches that make the creation of a Device with these identifiers happen once; undefined when one of
   * them has been claimed since it was looked for.
   */
  claim(deviceId: string, identifiers: readonly Identifier[]): Promise<Batch | undefined>;
  /** After a commit was refused: what is cached may be what another process changed. */
  forget(): void;
  readonly guardName: (deviceId: string) => string;
  readonly rules: readonly WriteRule[];
}

export interface DevicesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly limits: Limits;
  /** `{BASE_URL}/fhir`. */
  readonly base: string;
}

interface Cached {
  readonly view: DeviceView;
  /** Of the cache when the look-up began. */
  readonly epoch: number;
}

const WATCHED = ['Device', 'DeviceUseStatement'] as const;

export function createDevices({ store, limits, base }: DevicesOptions): Devices {
  const cache = new Map<string, Cached>();
  /** Raised by every commit that may change an answer; what was looked up before is looked up again, cheaply. */
  let epoch = 0;
  store.onChange((_seq, types) => {
    if (WATCHED.some((type) => types.has(type))) epoch++;
  });
  store.onForeignChange(() => {
    epoch++;
  });

  async function load(deviceId: string, old: DeviceView | undefined): Promise<DeviceView> {
    // The stamp first: a statement written after it makes the commit fail, one written before it is read here.
    const stamp = await store.guard(useGuard(deviceId));
    if (old?.id === deviceId && old.stamp === stamp) return old;
    return { id: deviceId, stamp, uses: await usesOf(store, deviceId) };
  }

  async function lookUp(identifiers: readonly Identifier[], key: string): Promise<Found> {
    const began = epoch;
    const claimants = new Set<string>();
    for (const identifier of identifiers)
      for (const id of await devicesWith(store, canonicalIdentity(identifier))) claimants.add(id);
    const [id] = claimants;
    // Only what is found is kept: a device that is unknown now may be there the next moment.
    if (id === undefined) return 'unknown';
    if (claimants.size > 1) return 'several';
    const view = await load(id, cache.get(key)?.view);
    if (cache.size >= limits.devicesCachedMax) cache.clear();
    cache.set(key, { view, epoch: began });
    return view;
  }

  return {
    find(identifiers) {
      const key = identifiersKey(identifiers);
      const cached = cache.get(key);
      return cached !== undefined && cached.epoch === epoch ? cached.view : lookUp(identifiers, key);
    },
    wearer: (view, atMs, slot) => wearer(view.uses, atMs, slot),
    async wearerAt(deviceId, atMs, slot) {
      const view = await load(deviceId, undefined);
      const found = wearer(view.uses, atMs, slot);
      if (found === 'several') return { several: true, stamp: view.stamp };
      return found ? { patient: found.patient, stamp: view.stamp } : { stamp: view.stamp };
    },
    identities: (deviceId) => identitiesOfDevice(store, deviceId),
    async claim(deviceId, identifiers) {
      const identities = [...new Set(identifiers.map(canonicalIdentity))];
      const names = identities.map(identityGuard);
      const preconditions = [];
      for (const name of names) preconditions.push({ kind: 'guard', name, stamp: await store.guard(name) } as const);
      // Looked for again after the stamps: what came in between would otherwise pass the guard.
      for (const identity of identities) if ((await devicesWith(store, identity)).length > 0) return undefined;
      return {
        docs: [putIdentities(deviceId, identities)],
        preconditions,
        touches: [...names, useGuard(deviceId)],
      };
    },
    forget() {
      epoch++;
    },
    guardName: useGuard,
    rules: [deviceRule, deviceUseRule(store, base)],
  };
}

/** Equal for identifiers spelt alike. */
export function identifiersKey(identifiers: readonly Identifier[]): string {
  const [first] = identifiers;
  if (identifiers.length === 1 && first) return `${first.system ?? ''}\n${first.value}`;
  return identifiers.map((i) => `${i.system ?? ''}\n${i.value}`).join('\n\n');
}
