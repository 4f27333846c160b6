/** The document part of the store in memory, over a "disk" that survives its processes: enough for the authorization server. */
import type { Clock } from '../../src/base/clock.ts';
import type { Committed, Doc, DocQuery, DocWrite, Store } from '../../src/store/store.ts';

export interface DocDisk {
  /** A process that opens the disk. */
  open(clock: Clock): Store;
  /** All that is written, as one text: to look for what must not be there. */
  dump(): string;
  readonly size: number;
}

type Docs = Map<string, Doc>;
const address = (collection: string, key: string): string => `${collection}\n${key}`;

function apply(docs: Docs, write: DocWrite, now: number): 'doc-exists' | 'doc-changed' | undefined {
  if (write.op === 'delete') {
    docs.delete(address(write.collection, write.key));
    return undefined;
  }
  const at = address(write.doc.collection, write.doc.key);
  const live = liveAt(docs, at, now);
  if (write.op === 'insert' && live) return 'doc-exists';
  if (write.op === 'replace' && live?.body !== write.was) return 'doc-changed';
  docs.set(at, write.doc);
  return undefined;
}

function liveAt(docs: Docs, at: string, now: number): Doc | undefined {
  const doc = docs.get(at);
  return doc && (doc.expires === undefined || now < doc.expires) ? doc : undefined;
}

function list(docs: Docs, query: DocQuery, now: number): Doc[] {
  const found = [...docs.keys()]
    .flatMap((at) => liveAt(docs, at, now) ?? [])
    .filter(
      (doc) =>
        doc.collection === query.collection &&
        (query.tags ?? []).every((tag) => doc.tags?.includes(tag)) &&
        doc.key.startsWith(query.prefix ?? '') &&
        (query.after === undefined || doc.key > query.after) &&
        (query.before === undefined || doc.key < query.before),
    )
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return (query.descending ? found.reverse() : found).slice(0, query.limit);
}

export function createDocDisk(): DocDisk {
  let docs: Docs = new Map();
  const listeners = new Map<object, Set<() => void>>();

  function commit(process: object, writes: readonly DocWrite[], now: number): Committed {
    const next = new Map(docs);
    for (const [index, write] of writes.entries()) {
      const kind = apply(next, write, now);
      if (kind) return { ok: false, refusal: { kind, index } };
    }
    docs = next;
    for (const [other, of] of listeners) if (other !== process) for (const listener of of) listener();
    return { ok: true, written: [], seq: 0 };
  }

  return {
    open(clock) {
      const process = {};
      listeners.set(process, new Set());
      const part: Partial<Store> = {
        // Yields before it answers, as a store with a disk does.
        commit: async (batch) => {
          await new Promise(setImmediate);
          return commit(process, batch.docs ?? [], clock.now());
        },
        doc: (collection, key) => liveAt(docs, address(collection, key), clock.now()),
        docs: (query) => list(docs, query, clock.now()),
        onForeignChange(listener) {
          listeners.get(process)?.add(listener);
          return () => listeners.get(process)?.delete(listener);
        },
        close: async () => void listeners.delete(process),
      };
      return part as Store;
    },
    dump: () => JSON.stringify([...docs.values()]),
    get size() {
      return docs.size;
    },
  };
}
