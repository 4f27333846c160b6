/** Lists of documents that are short enough to hold: clients, users. */
import type { Doc, Store } from '../store/store.ts';

const PAGE = 500;

/** All documents of a collection, by key. */
export async function allDocs(store: Store, collection: string): Promise<Doc[]> {
  const all: Doc[] = [];
  for (;;) {
    const last = all.at(-1);
    const page = await store.docs({ collection, limit: PAGE, ...(last ? { after: last.key } : {}) });
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}
