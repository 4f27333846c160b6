/** Whether messages of a device may be held, so that only then a filed message is compared with them. */
import type { Limits } from '../base/limits.ts';
import type { MaybePromise } from '../base/types.ts';
import type { Store } from '../store/store.ts';
import { HELD, identityTag, statusTag } from './held.ts';

export interface HeldIndex {
  /** True may be wrong, false is right for what this process has held. */
  mayHold(identities: readonly string[]): MaybePromise<boolean>;
  /** Before messages of these are held. */
  note(identities: readonly string[]): void;
}

export function createHeldIndex(store: Store, limits: Limits): HeldIndex {
  const known = new Map<string, boolean>();
  store.onForeignChange(() => known.clear());
  const set = (identity: string, may: boolean): void => {
    if (known.size >= limits.devicesCachedMax) known.clear();
    known.set(identity, may);
  };
  async function ask(identities: readonly string[]): Promise<boolean> {
    for (const identity of identities) {
      const may = known.get(identity);
      if (may) return true;
      if (may === false) continue;
      const tags = [identityTag(identity), statusTag('held')];
      const found = await store.docs({ collection: HELD, tags, limit: 1 });
      // Held in the meantime: `note` came first and stays.
      if (known.get(identity) === undefined) set(identity, found.length > 0);
      if (found.length > 0) return true;
    }
    return identities.some((identity) => known.get(identity) === true);
  }
  return {
    mayHold(identities) {
      for (const identity of identities) if (known.get(identity) !== false) return ask(identities);
      return false;
    },
    note(identities) {
      for (const identity of identities) set(identity, true);
    },
  };
}
