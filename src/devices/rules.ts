/** What must hold when a Device or a DeviceUseStatement is written, by whichever way. */
import { VitalwireError } from '../base/errors.ts';
import type { ProposedWrite, RuleOutcome, WriteRule } from '../store/rules.ts';
import type { DocWrite, Precondition, Store } from '../store/store.ts';
import { deviceOf, overlaps, type Use, useOf } from './association.ts';
import { dropIdentities, dropUse, identityGuard, putIdentities, putUse, useGuard, usesOf } from './documents.ts';
import { identitiesOf } from './identity.ts';

type Json = Readonly<Record<string, unknown>>;
const parsed = (text: string | undefined): Json | undefined => (text ? (JSON.parse(text) as Json) : undefined);

/** A Device is found by its identities from the commit that writes it on, and no cached answer outlives a change of them. */
export const deviceRule: WriteRule = {
  type: 'Device',
  check(write): RuleOutcome {
    const before = identitiesOf(parsed(write.before?.text) ?? {});
    const after = write.resource ? identitiesOf(write.resource) : [];
    const changed = [
      ...before.filter((identity) => !after.includes(identity)),
      ...after.filter((identity) => !before.includes(identity)),
    ];
    if (changed.length === 0 && write.resource) return { batch: {} };
    const docs: DocWrite[] = [after.length > 0 ? putIdentities(write.id, after) : dropIdentities(write.id)];
    return { batch: { docs, touches: [useGuard(write.id), ...changed.map(identityGuard)] } };
  },
};

function overlapError(use: Use, other: Use): VitalwireError {
  return new VitalwireError(
    'resource.rule',
    `The device is already in use in a part of this period, by DeviceUseStatement/${other.id}. ` +
      'End that statement first, or choose a start that is not before its end.',
    {
      expression: [use.start < other.start ? 'DeviceUseStatement.timingPeriod.end' : 'DeviceUseStatement.timingPeriod'],
    },
  );
}

/** The statements that will stand once the whole transaction is through, without this one. */
function standing(stored: readonly Use[], write: ProposedWrite, base: string): Use[] {
  const beside = (write.alongside ?? []).filter((w) => w.type === 'DeviceUseStatement');
  const replaced = new Set([write.id, ...beside.map((w) => w.id)]);
  const proposed = beside
    .filter((w) => w.id !== write.id && w.resource)
    .map((w) => useOf(w.id, w.resource as Json, base))
    .filter((use) => use !== undefined);
  return [...stored.filter((use) => !replaced.has(use.id)), ...proposed];
}

/**
 * At most one patient wears a device (or has a slot of it) at any time. The stamp of the device is read before its statements
 * and checked in the commit, so of two statements that are written at once the later one is judged again.
 * @param base `{BASE_URL}/fhir`.
 */
export function deviceUseRule(store: Store, base: string): WriteRule {
  return {
    type: 'DeviceUseStatement',
    async check(write): Promise<RuleOutcome> {
      const use = write.resource ? useOf(write.id, write.resource, base) : undefined;
      const before = parsed(write.before?.text);
      const touched = new Set<string>();
      for (const device of [use?.device, before && deviceOf(before, base)])
        if (device !== undefined) touched.add(useGuard(device));
      const preconditions: Precondition[] = [];
      if (use) {
        const name = useGuard(use.device);
        preconditions.push({ kind: 'guard', name, stamp: await store.guard(name) });
        const other = standing(await usesOf(store, use.device), write, base).find((o) => overlaps(use, o));
        if (other) throw overlapError(use, other);
      }
      return { batch: { docs: [use ? putUse(use) : dropUse(write.id)], touches: [...touched], preconditions } };
    },
  };
}
