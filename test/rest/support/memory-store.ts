/**
 * A store in memory for tests of the interactions: the rules of the port without a disk. The engines have their own tests.
 */
import { permitsTerms } from '../../../src/access/check.ts';
import { instant } from '../../../src/base/clock.ts';
import type { Terms } from '../../../src/fhir/terms.ts';
import { joinResource } from '../../../src/fhir/text.ts';
import { finds, type MemoryRow, search } from '../../../src/search/memory.ts';
import type { AccessFilter } from '../../../src/search/plan.ts';
import type { Batch, Committed, Doc, HistoryQuery, Store, Stored, Write, Written } from '../../../src/store/store.ts';

interface Version extends Stored {
  readonly seq: number;
  readonly created: number;
  readonly terms: Terms;
}

const keyOf = (type: string, id: string): string => `${type}/${id}`;

export function memoryStore(now: () => number): Store {
  const versions = new Map<string, Version[]>();
  const log: Version[] = [];
  const docs = new Map<string, Doc>();
  const stamps = new Map<string, number>();
  let ids = 0;

  const newest = (type: string, id: string): Version | undefined => versions.get(keyOf(type, id))?.at(-1);
  const rows = (): MemoryRow[] =>
    [...versions.values()].flatMap((all) => {
      const last = all.at(-1) as Version;
      return last.deleted ? [] : [rowOf(last)];
    });
  const rowOf = (v: Version): MemoryRow => ({ ...v, lastUpdated: Date.parse(v.lastUpdated) });
  const refused = (refusal: Extract<Committed, { ok: false }>['refusal']): Committed => ({ ok: false, refusal });

  function judge(batch: Batch): Committed | undefined {
    for (const [index, p] of (batch.preconditions ?? []).entries()) {
      if (p.kind === 'guard' && (stamps.get(p.name) ?? 0) !== p.stamp) return refused({ kind: 'guard', index });
      if (p.kind === 'version' && (newest(p.type, p.id)?.version ?? 0) !== p.version)
        return refused({ kind: 'precondition', index });
      if (p.kind !== 'query') continue;
      const plan = { type: p.type, filter: p.filter, sort: [], count: 1_000_000, total: false };
      const found = search(plan, p.access, rows()).entries.map((e) => e.id);
      if (found.toSorted().join() !== p.ids.toSorted().join()) return refused({ kind: 'query', index });
    }
    for (const [index, write] of (batch.writes ?? []).entries()) {
      const version = newest(write.draft.type, write.draft.id)?.version ?? 0;
      if (version !== write.follows)
        return refused({ kind: write.follows === 0 ? 'exists' : 'version', index, version });
    }
    return undefined;
  }

  function append(write: Write): Written {
    const { type, id, meta, body } = write.draft;
    const all = versions.get(keyOf(type, id)) ?? [];
    const version = all.length + 1;
    const lastUpdated = instant(now());
    const deleted = write.method === 'DELETE';
    const text = deleted ? '' : joinResource(type, id, version, lastUpdated, meta, body as string);
    const seq = log.length + 1;
    const created = all[0]?.created ?? seq;
    const made = {
      type,
      id,
      version,
      lastUpdated,
      text,
      deleted,
      method: write.method,
      seq,
      created,
      terms: write.terms,
    };
    versions.set(keyOf(type, id), [...all, made]);
    log.push(made);
    return { type, id, version, lastUpdated, text };
  }

  return {
    capabilities: { engine: 'memory', sharedByServers: false },
    newId: () => `id-${++ids}`,
    async commit(batch) {
      const refusal = judge(batch);
      if (refusal) return refusal;
      for (const name of batch.touches ?? []) stamps.set(name, (stamps.get(name) ?? 0) + 1);
      for (const each of batch.docs ?? []) if (each.op === 'put') docs.set(each.doc.key, each.doc);
      return { ok: true, written: (batch.writes ?? []).map(append), seq: log.length };
    },
    read: newest,
    readVersion: (type, id, version) => versions.get(keyOf(type, id))?.[version - 1],
    readMany: (refs) => refs.flatMap(({ type, id }) => newest(type, id) ?? []).filter((v) => !v.deleted),
    visible(type, id, access) {
      const last = newest(type, id);
      return !!last && !last.deleted && finds(access.filter, rowOf(last), rows());
    },
    search(plan, access) {
      const page = search(plan, access, rows());
      return { ...page, entries: page.entries.map((e) => newest(e.type, e.id) as Stored) };
    },
    history(query: HistoryQuery, access: AccessFilter | readonly AccessFilter[]) {
      const filters = [access].flat();
      const seen = log
        .filter((v) => (query.type ?? v.type) === v.type && (query.id ?? v.id) === v.id)
        .filter((v) => v.seq < (query.before ?? Infinity) && Date.parse(v.lastUpdated) >= (query.since ?? 0))
        .filter((v) =>
          filters.some((f) => f.type === v.type && (v.deleted || permitsTerms(f, v.type, v.terms, rowOf(v)))),
        )
        .reverse();
      const entries = seen.slice(0, query.count);
      return { entries, next: seen.length > entries.length ? entries.at(-1)?.seq : undefined };
    },
    keyHolders: () => [],
    changesSince: () => [],
    lastSeq: () => log.length,
    keepTerms: () => {},
    onChange: () => () => {},
    onForeignChange: () => () => {},
    doc: (_collection, key) => docs.get(key),
    docs: () => [...docs.values()],
    counters: () => ({}),
    guard: (name) => stamps.get(name) ?? 0,
    stats: () => ({}),
    ping: () => {},
    close: async () => {},
  };
}
