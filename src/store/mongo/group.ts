/**
 * What one transaction does: the batches of a group, one after the other, each judged by what the store and the batches before it
 * say. The state they need is read once for the whole group; what they write is collected and sent in few commands.
 */
import type { AnyBulkWriteOperation, ClientSession, Document } from 'mongodb';
import type { Clock } from '../../base/clock.ts';
import { instant } from '../../base/clock.ts';
import { joinResource } from '../../fhir/text.ts';
import type { Batch, Body, Committed, DocWrite, Precondition, Refusal, Write, Written } from '../store.ts';
import type { Connection } from './connection.ts';
import { docId, indexed, resourceId, spanOf, type VersionDocument, versionId } from './documents.ts';
import type { Finder } from './search.ts';

type Current = Omit<VersionDocument, '_id'> & { readonly created: number };

/** A document of any of the collections. */
interface AnyDocument extends Document {
  readonly _id: string | number;
}
type Op = AnyBulkWriteOperation<AnyDocument>;

/** No command is so long that its answer could be taken for lost. */
const OPS_PER_COMMAND = 1_000;

export interface GroupOutcome {
  readonly results: readonly Committed[];
  /** Types written, for those who keep caches. */
  readonly types: ReadonlySet<string>;
  /** The newest change number, 0 when no resource was written. */
  readonly seq: number;
  readonly changes: readonly {
    readonly seq: number;
    readonly write: Write;
    readonly version: number;
    readonly at: number;
  }[];
  /** Types whose widest primary date grew. */
  readonly spans: ReadonlyMap<string, number>;
}

const textOf = (body: Body): string =>
  typeof body === 'string' ? body : body.skeleton.parts.map((part, i) => part + (body.values[i] ?? '')).join('');

export class Group {
  readonly #db: Connection;
  readonly #session: ClientSession;
  readonly #finder: Finder;
  readonly #instance: string;
  readonly #current = new Map<string, Current | undefined>();
  readonly #keys = new Map<string, { type: string; id: string; note: string }>();
  /** Newest versions of resources that hold keys. */
  readonly #holders = new Map<string, number>();
  readonly #numbers = new Map<string, number>();
  readonly #docs = new Map<string, string | undefined>();
  readonly #ops = new Map<string, Op[]>();
  readonly #changes: GroupOutcome['changes'][number][] = [];
  readonly #spans = new Map<string, number>();
  #wrote = false;
  #seq = 0;
  #at = 0;

  constructor(db: Connection, session: ClientSession, finder: Finder, instance: string) {
    this.#db = db;
    this.#session = session;
    this.#finder = finder;
    this.#instance = instance;
  }

  async run(batches: readonly Batch[], clock: Clock): Promise<GroupOutcome> {
    await this.#number(batches, clock.now());
    await this.#load(batches, new Date(clock.now()));
    const results: Committed[] = [];
    for (const batch of batches) results.push(await this.#one(batch));
    // The newest change number alone would not tell another process that wrote since of an older one of this.
    if (this.#wrote) this.#bump(`writer/${this.#instance}`, 1);
    if (this.#changes.length > 0) this.#bump('seq', this.#changes.length);
    await this.#flush();
    const types = new Set(this.#changes.map((c) => c.write.draft.type));
    return { results, types, seq: this.#changes.at(-1)?.seq ?? 0, changes: this.#changes, spans: this.#spans };
  }

  /**
   * Locks the change numbers first: whoever writes resources waits, or starts again, until this commit. So numbers are in commit
   * order, none is left out, and preconditions hold against every other writer.
   */
  async #number(batches: readonly Batch[], now: number): Promise<void> {
    if (batches.every((b) => (b.writes?.length ?? 0) + (b.preconditions?.length ?? 0) === 0)) return;
    const after = await this.#db.numbers.findOneAndUpdate(
      { _id: 'seq' },
      { $inc: { groups: 1 }, $max: { at: now }, $setOnInsert: { n: 0 } },
      { session: this.#session, upsert: true, returnDocument: 'after' },
    );
    this.#seq = after?.n ?? 0;
    this.#at = after?.at ?? now;
  }

  async #load(batches: readonly Batch[], now: Date): Promise<void> {
    const session = this.#session;
    const preconditions = batches.flatMap((b) => b.preconditions ?? []);
    const writes = batches.flatMap((b) => b.writes ?? []);
    const ids = new Set([
      ...writes.map((w) => resourceId(w.draft.type, w.draft.id)),
      ...preconditions.flatMap((p) => (p.kind === 'version' ? [resourceId(p.type, p.id)] : [])),
    ]);
    const fields = {
      type: 1,
      id: 1,
      version: 1,
      seq: 1,
      updated: 1,
      method: 1,
      deleted: 1,
      text: 1,
      origin: 1,
      created: 1,
    } as const;
    for (const id of ids) this.#current.set(id, undefined);
    if (ids.size > 0)
      for await (const { _id, ...found } of this.#db.resources.find(
        { _id: { $in: [...ids] } },
        { session, projection: fields },
      ))
        this.#current.set(_id, found as Current);
    const keys = writes.flatMap((w) => (w.key === undefined ? [] : [w.key]));
    if (keys.length > 0)
      for await (const { _id, ...holder } of this.#db.keys.find({ _id: { $in: keys } }, { session }))
        this.#keys.set(_id, holder);
    const held = [...this.#keys.values()].map((h) => resourceId(h.type, h.id)).filter((id) => !this.#current.has(id));
    if (held.length > 0)
      for await (const { _id, version } of this.#db.resources.find(
        { _id: { $in: held } },
        { session, projection: { version: 1 } },
      ))
        this.#holders.set(_id, version);
    const guards = preconditions.flatMap((p) => (p.kind === 'guard' ? [`guard/${p.name}`] : []));
    if (guards.length > 0)
      for await (const found of this.#db.numbers.find({ _id: { $in: [...new Set(guards)] } }, { session }))
        this.#numbers.set(found._id, found.n);
    await this.#loadDocs(batches, now);
  }

  async #loadDocs(batches: readonly Batch[], now: Date): Promise<void> {
    const judged = batches
      .flatMap((b) => b.docs ?? [])
      .flatMap((d) => (d.op === 'insert' || d.op === 'replace' ? [docId(d.doc.collection, d.doc.key)] : []));
    if (judged.length === 0) return;
    for await (const doc of this.#db.docs.find(
      { _id: { $in: [...new Set(judged)] } },
      { session: this.#session, projection: { body: 1, expires: 1 } },
    ))
      if (doc.expires === null || doc.expires > now) this.#docs.set(doc._id, doc.body);
  }

  /** Judges the whole batch before anything of it is collected: a refused one leaves no trace. */
  async #one(batch: Batch): Promise<Committed> {
    const refusal =
      (await this.#preconditions(batch.preconditions ?? [])) ??
      this.#writesRefused(batch.writes ?? []) ??
      this.#docsRefused(batch.docs ?? []);
    if (refusal) return { ok: false, refusal };
    const written = (batch.writes ?? []).map((write) => this.#write(write));
    for (const write of batch.docs ?? []) this.#doc(write);
    for (const name of batch.touches ?? []) {
      this.#numbers.set(`guard/${name}`, (this.#numbers.get(`guard/${name}`) ?? 0) + 1);
      this.#bump(`guard/${name}`, 1);
    }
    for (const [name, n] of Object.entries(batch.counters ?? {})) this.#bump(`counter/${name}`, n);
    return { ok: true, written, seq: written.length > 0 ? this.#seq : 0 };
  }

  async #preconditions(list: readonly Precondition[]): Promise<Refusal | undefined> {
    for (const [index, p] of list.entries()) {
      if (p.kind === 'guard') {
        if ((this.#numbers.get(`guard/${p.name}`) ?? 0) !== p.stamp) return { kind: 'guard', index };
      } else if (p.kind === 'version') {
        if ((this.#current.get(resourceId(p.type, p.id))?.version ?? 0) !== p.version)
          return { kind: 'precondition', index };
      } else {
        await this.#flush();
        const found = await this.#finder.idsOf(p.type, p.filter, p.access, p.ids.length + 1, this.#session);
        if (found.length !== p.ids.length || !found.every((id) => p.ids.includes(id))) return { kind: 'query', index };
      }
    }
    return undefined;
  }

  #writesRefused(writes: readonly Write[]): Refusal | undefined {
    const mine = new Map<string, number>();
    const taken = new Map<string, { type: string; id: string; note: string }>();
    for (const [index, write] of writes.entries()) {
      const { type, id } = write.draft;
      const _id = resourceId(type, id);
      const version = mine.get(_id) ?? this.#current.get(_id)?.version ?? 0;
      if (write.follows !== version) return { kind: write.follows === 0 ? 'exists' : 'version', index, version };
      mine.set(_id, version + 1);
      if (write.key === undefined) continue;
      const holder = taken.get(write.key) ?? this.#keys.get(write.key);
      const by = holder && resourceId(holder.type, holder.id);
      if (holder && by !== undefined && by !== _id) {
        const held = mine.get(by) ?? this.#current.get(by)?.version ?? this.#holders.get(by) ?? 0;
        return { kind: 'key', index, holder: { key: write.key, ...holder, version: held } };
      }
      taken.set(write.key, { type, id, note: write.keyNote ?? '' });
    }
    return undefined;
  }

  #docsRefused(writes: readonly DocWrite[]): Refusal | undefined {
    for (const [index, write] of writes.entries()) {
      if (write.op !== 'insert' && write.op !== 'replace') continue;
      const body = this.#docs.get(docId(write.doc.collection, write.doc.key));
      if (write.op === 'insert' && body !== undefined) return { kind: 'doc-exists', index };
      if (write.op === 'replace' && body !== write.was) return { kind: 'doc-changed', index };
    }
    return undefined;
  }

  #write(write: Write): Written {
    const { type, id, meta, body } = write.draft;
    const _id = resourceId(type, id);
    const before = this.#current.get(_id);
    const version = write.follows + 1;
    const seq = ++this.#seq;
    const deleted = write.method === 'DELETE';
    const lastUpdated = instant(this.#at);
    const text = deleted ? '' : joinResource(type, id, version, lastUpdated, meta, textOf(body));
    const current: Current = {
      type,
      id,
      version,
      seq,
      updated: this.#at,
      method: write.method,
      deleted,
      text,
      origin: write.origin,
      created: before?.created ?? seq,
    };
    if (before) {
      const { created: _created, ...former } = before;
      this.#op('versions', {
        insertOne: { document: { _id: versionId(type, id, before.version), ...former } },
      });
      this.#op('resources', {
        replaceOne: { filter: { _id }, replacement: { ...current, ...indexed(type, write.terms) } },
      });
    } else {
      this.#op('resources', {
        insertOne: { document: { _id, ...current, ...indexed(type, write.terms) } },
      });
    }
    this.#current.set(_id, current);
    this.#op('changes', {
      insertOne: { document: { _id: seq, type, id, version, method: write.method, at: this.#at } },
    });
    this.#changes.push({ seq, write, version, at: this.#at });
    this.#span(type, write);
    if (write.key !== undefined) this.#key(write.key, type, id, write.keyNote ?? '');
    return { type, id, version, lastUpdated, text };
  }

  #key(key: string, type: string, id: string, note: string): void {
    this.#op('keys', { replaceOne: { filter: { _id: key }, replacement: { type, id, note }, upsert: true } });
    this.#keys.set(key, { type, id, note });
  }

  /** The widest primary date of a type only grows; it is written when it does. */
  #span(type: string, write: Write): void {
    const span = spanOf(type, write.terms);
    if (span <= Math.max(this.#finder.spanOf(type), this.#spans.get(type) ?? 0)) return;
    this.#spans.set(type, span);
    this.#op('numbers', {
      updateOne: { filter: { _id: `span/${type}` }, update: { $max: { n: span } }, upsert: true },
    });
  }

  #doc(write: DocWrite): void {
    if (write.op === 'delete') {
      const _id = docId(write.collection, write.key);
      this.#docs.delete(_id);
      this.#op('docs', { deleteOne: { filter: { _id } } });
      return;
    }
    const { collection, key, body, tags, expires } = write.doc;
    const _id = docId(collection, key);
    this.#docs.set(_id, body);
    const replacement = {
      c: collection,
      k: key,
      body,
      tags: [...(tags ?? [])],
      expires: expires === undefined ? null : new Date(expires),
    };
    this.#op('docs', { replaceOne: { filter: { _id }, replacement, upsert: true } });
  }

  #bump(_id: string, n: number): void {
    this.#op('numbers', { updateOne: { filter: { _id }, update: { $inc: { n } }, upsert: true } });
  }

  #op(collection: string, op: Op): void {
    this.#wrote = true;
    const list = this.#ops.get(collection);
    if (list) list.push(op);
    else this.#ops.set(collection, [op]);
  }

  async #flush(): Promise<void> {
    for (const [name, ops] of this.#ops) {
      const collection = this.#db.db.collection<AnyDocument>(name);
      for (let i = 0; i < ops.length; i += OPS_PER_COMMAND)
        await collection.bulkWrite(ops.slice(i, i + OPS_PER_COMMAND), { session: this.#session, ordered: true });
    }
    this.#ops.clear();
  }
}
