/** The parts of a store that ingest needs, in memory, with its whole refusal logic; and a place to interfere before a commit. */

import type { Clock } from '../../src/base/clock.ts';
import { instant } from '../../src/base/clock.ts';
import type { Terms } from '../../src/fhir/terms.ts';
import { joinResource } from '../../src/fhir/text.ts';
import { bodyText } from '../../src/ingest/build/observation.ts';
import type {
  Batch,
  Committed,
  Doc,
  DocQuery,
  DocWrite,
  KeyHolder,
  Precondition,
  Refusal,
  Store,
  Stored,
  Write,
  Written,
} from '../../src/store/store.ts';

interface Version extends Stored {
  readonly terms: Terms;
}

export class MemoryStore {
  readonly capabilities = { engine: 'memory', sharedByServers: false };
  readonly versions = new Map<string, Version[]>();
  readonly keys = new Map<string, { type: string; id: string; note: string }>();
  readonly documents = new Map<string, Doc>();
  readonly stamps = new Map<string, number>();
  readonly numbers = new Map<string, number>();
  /** Runs between judging and committing. */
  beforeCommit: ((batch: Batch) => Promise<void> | void) | undefined;
  commits = 0;
  private ids = 0;
  private seq = 0;
  private stamp = 0;
  private readonly listeners = new Set<(seq: number, types: ReadonlySet<string>) => void>();
  private readonly foreign = new Set<() => void>();
  private readonly clock: Clock;
  constructor(clock: Clock) {
    this.clock = clock;
  }

  newId(): string {
    return `id-${++this.ids}`;
  }

  private newest(type: string, id: string): Version | undefined {
    return this.versions.get(`${type}/${id}`)?.at(-1);
  }

  private live(doc: Doc | undefined): Doc | undefined {
    return doc && (doc.expires === undefined || this.clock.now() < doc.expires) ? doc : undefined;
  }

  private refusePrecondition(p: Precondition, index: number): Refusal | undefined {
    if (p.kind === 'guard') return (this.stamps.get(p.name) ?? 0) === p.stamp ? undefined : { kind: 'guard', index };
    if (p.kind === 'version')
      return (this.newest(p.type, p.id)?.version ?? 0) === p.version ? undefined : { kind: 'precondition', index };
    throw new Error('no queries here');
  }

  private refuseWrite(w: Write, index: number, made: Map<string, number>): Refusal | undefined {
    const at = `${w.draft.type}/${w.draft.id}`;
    const version = made.get(at) ?? this.newest(w.draft.type, w.draft.id)?.version ?? 0;
    if (version !== w.follows) return { kind: w.follows === 0 ? 'exists' : 'version', index, version };
    made.set(at, version + 1);
    const holder = w.key === undefined ? undefined : this.keys.get(w.key);
    if (holder && holder.id !== w.draft.id)
      return { kind: 'key', index, holder: this.holder(w.key as string) as KeyHolder };
    return undefined;
  }

  private refuseDoc(d: DocWrite, index: number): Refusal | undefined {
    if (d.op === 'put' || d.op === 'delete') return undefined;
    const live = this.live(this.documents.get(`${d.doc.collection}\n${d.doc.key}`));
    if (d.op === 'insert') return live ? { kind: 'doc-exists', index } : undefined;
    return live?.body === d.was ? undefined : { kind: 'doc-changed', index };
  }

  private refuse(batch: Batch): Refusal | undefined {
    const made = new Map<string, number>();
    const inBatch = new Set<string>();
    for (const [i, p] of (batch.preconditions ?? []).entries()) {
      const refusal = this.refusePrecondition(p, i);
      if (refusal) return refusal;
    }
    for (const [i, w] of (batch.writes ?? []).entries()) {
      const refusal = this.refuseWrite(w, i, made);
      if (refusal) return refusal;
      if (w.key !== undefined && w.follows === 0) {
        if (inBatch.has(w.key)) throw new Error('one key twice in a batch');
        inBatch.add(w.key);
      }
    }
    for (const [i, d] of (batch.docs ?? []).entries()) {
      const refusal = this.refuseDoc(d, i);
      if (refusal) return refusal;
    }
    return undefined;
  }

  async commit(batch: Batch): Promise<Committed> {
    await this.beforeCommit?.(batch);
    await new Promise((resolve) => setImmediate(resolve));
    const refusal = this.refuse(batch);
    if (refusal) return { ok: false, refusal };
    this.commits++;
    const written = (batch.writes ?? []).map((w) => this.write(w));
    for (const d of batch.docs ?? []) {
      if (d.op === 'delete') this.documents.delete(`${d.collection}\n${d.key}`);
      else this.documents.set(`${d.doc.collection}\n${d.doc.key}`, d.doc);
    }
    for (const [name, n] of Object.entries(batch.counters ?? {}))
      this.numbers.set(name, (this.numbers.get(name) ?? 0) + n);
    for (const name of batch.touches ?? []) this.stamps.set(name, ++this.stamp);
    const types = new Set((batch.writes ?? []).map((w) => w.draft.type));
    if (types.size > 0) for (const listener of this.listeners) listener(this.seq, types);
    return { ok: true, written, seq: this.seq };
  }

  private write(w: Write): Written {
    const { type, id, meta, body } = w.draft;
    this.seq++;
    const version = w.follows + 1;
    const lastUpdated = instant(this.clock.now());
    const text = w.method === 'DELETE' ? '' : joinResource(type, id, version, lastUpdated, meta, bodyText(body));
    const stored: Version = {
      type,
      id,
      version,
      lastUpdated,
      method: w.method,
      deleted: w.method === 'DELETE',
      text,
      origin: w.origin,
      terms: w.terms,
    };
    const all = this.versions.get(`${type}/${id}`) ?? [];
    this.versions.set(`${type}/${id}`, [...all, stored]);
    if (w.key !== undefined) this.keys.set(w.key, { type, id, note: w.keyNote ?? '' });
    return { type, id, version, lastUpdated, text };
  }

  read(type: string, id: string): Version | undefined {
    return this.newest(type, id);
  }
  readVersion(type: string, id: string, version: number): Stored | undefined {
    return this.versions.get(`${type}/${id}`)?.[version - 1];
  }
  private holder(key: string): KeyHolder | undefined {
    const found = this.keys.get(key);
    return found && { key, ...found, version: this.newest(found.type, found.id)?.version ?? 0 };
  }
  keyHolders(keys: readonly string[]): readonly KeyHolder[] {
    return keys.flatMap((key) => this.holder(key) ?? []);
  }
  keepTerms(): void {}
  onChange(listener: (seq: number, types: ReadonlySet<string>) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  onForeignChange(listener: () => void): () => void {
    this.foreign.add(listener);
    return () => this.foreign.delete(listener);
  }
  wake(): void {
    for (const listener of this.foreign) listener();
  }
  doc(collection: string, key: string): Doc | undefined {
    return this.live(this.documents.get(`${collection}\n${key}`));
  }
  docs(query: DocQuery): readonly Doc[] {
    const found = [...this.documents.values()]
      .filter((d) => this.live(d) && d.collection === query.collection)
      .filter((d) => (query.tags ?? []).every((tag) => d.tags?.includes(tag)))
      .filter((d) => query.after === undefined || d.key > query.after)
      .filter((d) => query.before === undefined || d.key < query.before)
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    return (query.descending ? found.reverse() : found).slice(0, query.limit);
  }
  counters(names: readonly string[]): Readonly<Record<string, number>> {
    return Object.fromEntries(names.map((name) => [name, this.numbers.get(name) ?? 0]));
  }
  guard(name: string): number {
    return this.stamps.get(name) ?? 0;
  }
  /** Newest versions of a type. */
  all(type: string): Version[] {
    return [...this.versions.values()].map((v) => v.at(-1) as Version).filter((v) => v.type === type && !v.deleted);
  }
  asStore(): Store {
    return this as unknown as Store;
  }
}
