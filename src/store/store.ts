/**
 * The store port. Two engines implement it with the same file names (`sqlite/`, `mongo/`); `test/contract/store.ts` holds them
 * to the same expectations. What an engine cannot do is a declared capability with a reason.
 *
 * Rules for every engine
 * - `commit` is the only way to write. What it resolves with is durable (synced to disk, or majority-acknowledged).
 * - All of a batch happens, or nothing of it. Preconditions are checked inside the transaction that writes.
 * - A read sees every commit that was resolved before it began.
 * - Resource text is kept and given back byte for byte.
 * - An `AccessFilter` is ANDed into the query itself: a page, a total and an include never count what it hides.
 */
import type { MaybePromise } from '../base/types.ts';
import type { Terms } from '../fhir/terms.ts';
import type { AccessFilter, Filter, Plan } from '../search/plan.ts';

/** Text with holes, shared by all resources of one making. `parts.length === values.length + 1`. */
export interface Skeleton {
  /** Changes whenever a part changes: an old row is rendered with the skeleton that it was written with. */
  readonly key: string;
  readonly parts: readonly string[];
}

/**
 * The members of a resource after `resourceType`, `id` and `meta`: either verbatim text beginning with a comma
 * (`,"status":"final",…}`), or a skeleton of the same shape and the values that fill its holes. Both end with the closing brace.
 */
export type Body = string | { readonly skeleton: Skeleton; readonly values: readonly string[] };

/** What the store makes the text from: `{"resourceType":T,"id":ID,"meta":{"versionId":V,"lastUpdated":T` + meta + `}` + body. */
export interface Draft {
  readonly type: string;
  readonly id: string;
  /** Further members of meta, each with a leading comma, e.g. `,"profile":["…"]`; or empty. */
  readonly meta: string;
  readonly body: Body;
}

export type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Write {
  readonly method: Method;
  readonly draft: Draft;
  /** What it is found under; empty for a delete. `_id` and `_lastUpdated` are the store's own business. */
  readonly terms: Terms;
  /**
   * The version that this one follows: 0 creates (fails with `exists` when the id was ever used), n makes n + 1 (fails with
   * `version` when the newest version is another one). A deleted resource has a newest version too: reviving follows it.
   */
  readonly follows: number;
  /** Unique over all resources of the engine for ever (idempotency of a reading). Fails with `key` when taken by another id. */
  readonly key?: string | undefined;
  /** What is kept with the key, to judge a repetition without reading the resource: content hash, source version. */
  readonly keyNote?: string | undefined;
  /** Where it came from, given back by `read`: `raw/<key>#<index>` for a device-born resource. */
  readonly origin?: string | undefined;
}

/** Checked inside the transaction, after the writes of batches before it. */
export type Precondition =
  /** The query finds exactly these ids (in any order): what a conditional create, update or delete was decided on. */
  | {
      readonly kind: 'query';
      readonly type: string;
      readonly filter: Filter;
      readonly access: AccessFilter;
      readonly ids: readonly string[];
    }
  /** The newest version of the resource is this one (0: never there). */
  | { readonly kind: 'version'; readonly type: string; readonly id: string; readonly version: number }
  /** Nobody touched `name` since `stamp` was read by `guard`. */
  | { readonly kind: 'guard'; readonly name: string; readonly stamp: number };

/** A small keyed document: state of the authorization server, held readings, raw messages, subscription lanes. */
export interface Doc {
  readonly collection: string;
  readonly key: string;
  readonly body: string;
  /** Equality tags by which it can be listed. */
  readonly tags?: readonly string[] | undefined;
  /** Milliseconds since 1970, after which it is as good as gone. */
  readonly expires?: number | undefined;
}

export type DocWrite =
  | { readonly op: 'put'; readonly doc: Doc }
  /** Fails with `doc-exists` when there is a live one. */
  | { readonly op: 'insert'; readonly doc: Doc }
  /** Fails with `doc-changed` when the body is no longer `was`. */
  | { readonly op: 'replace'; readonly doc: Doc; readonly was: string }
  | { readonly op: 'delete'; readonly collection: string; readonly key: string };

export interface Batch {
  readonly writes?: readonly Write[];
  readonly docs?: readonly DocWrite[];
  readonly preconditions?: readonly Precondition[];
  /** Named counters to add to (the balance). Never contended: an engine may keep them as increments and sum on read. */
  readonly counters?: Readonly<Record<string, number>>;
  /** Names whose stamp is raised by this batch, so that a `guard` read before fails: serialises writers of one thing. */
  readonly touches?: readonly string[];
}

export interface Written {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** Instant text as in `meta.lastUpdated`. */
  readonly lastUpdated: string;
  /** Whole text as stored; empty for a delete. */
  readonly text: string;
}

export type Refusal =
  | { readonly kind: 'exists' | 'version'; readonly index: number; readonly version: number }
  | { readonly kind: 'key'; readonly index: number; readonly holder: KeyHolder }
  | { readonly kind: 'query'; readonly index: number }
  | { readonly kind: 'precondition'; readonly index: number }
  | { readonly kind: 'guard'; readonly index: number }
  | { readonly kind: 'doc-exists' | 'doc-changed'; readonly index: number };

export type Committed =
  | {
      readonly ok: true;
      readonly written: readonly Written[] /** Change number of the last write, 0 when only documents. */;
      readonly seq: number;
    }
  | { readonly ok: false; readonly refusal: Refusal };

export interface Stored {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly lastUpdated: string;
  readonly method: Method;
  readonly deleted: boolean;
  /** Empty when deleted. */
  readonly text: string;
  readonly origin?: string | undefined;
}

export interface KeyHolder {
  readonly key: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly note: string;
}

export interface Page {
  /** At most `plan.count`, in order. */
  readonly entries: readonly Stored[];
  /** Where the next page begins; absent on the last. */
  readonly next?: { readonly values: readonly (string | number | null)[]; readonly snapshot: number } | undefined;
  /** Only when the plan asked for it. */
  readonly total?: number | undefined;
}

export interface HistoryQuery {
  /** Absent: the whole system. */
  readonly type?: string | undefined;
  /** With `type`: one resource. */
  readonly id?: string | undefined;
  readonly count: number;
  /** Change number below which the page begins (exclusive). */
  readonly before?: number | undefined;
  /** `_since`: ms since 1970, inclusive. */
  readonly since?: number | undefined;
}

export interface HistoryPage {
  /** Newest first. */
  readonly entries: readonly (Stored & { readonly seq: number })[];
  readonly next?: number | undefined;
}

/** One row of the change log, written in the transaction of the resource. */
export interface Change {
  readonly seq: number;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly method: Method;
  /** Milliseconds since 1970, as in lastUpdated. */
  readonly at: number;
  /** The terms of this version, when the engine still has them in memory; else read the version and extract. */
  readonly terms?: Terms | undefined;
}

export interface DocQuery {
  readonly collection: string;
  /** All of them. */
  readonly tags?: readonly string[];
  readonly prefix?: string;
  /** Exclusive. */
  readonly after?: string;
  /** Exclusive. */
  readonly before?: string;
  readonly descending?: boolean;
  readonly limit: number;
}

export interface Capabilities {
  readonly engine: string;
  /** Several server processes may share the store. */
  readonly sharedByServers: boolean;
}

export interface Store {
  readonly capabilities: Capabilities;

  /** A new id for a resource that the server names: unguessable, unique, and cheap to find again. 1..64 of [A-Za-z0-9-]. */
  newId(): string;

  /** Resolves when durable, or with a refusal when nothing was written. @throws VitalwireError `server.busy` when the queue is full. */
  commit(batch: Batch): Promise<Committed>;

  /** The newest version, a deleted one too; undefined when the id was never used. Access is the caller's to check (see `visible`). */
  read(type: string, id: string): MaybePromise<Stored | undefined>;
  readVersion(type: string, id: string, version: number): MaybePromise<Stored | undefined>;
  /** Newest versions by id, in no order; unknown and deleted ones are left out. */
  readMany(refs: readonly { readonly type: string; readonly id: string }[]): MaybePromise<readonly Stored[]>;
  /** Whether the resource as it stands is within the access filter; the same index the search uses, chains included. */
  visible(type: string, id: string, access: AccessFilter): MaybePromise<boolean>;
  search(plan: Plan, access: AccessFilter): MaybePromise<Page>;
  /**
   * A version is shown when it is within the filter itself and the resource as it stands is too; a deletion, and a resource that
   * is deleted, are judged by the last version that lived. With several filters: each for its own type, other types are left out.
   */
  history(query: HistoryQuery, access: AccessFilter | readonly AccessFilter[]): MaybePromise<HistoryPage>;

  /** Who holds these keys; those that nobody holds are left out. */
  keyHolders(keys: readonly string[]): MaybePromise<readonly KeyHolder[]>;

  /** Changes with seq > `after`, ascending, at most `limit`, without gaps: nothing below the last one given can appear later. */
  changesSince(after: number, limit: number): MaybePromise<readonly Change[]>;
  /** Of which types the terms are kept in memory until `changesSince` is asked for them; of none before. */
  keepTerms(of: (type: string) => boolean): void;
  /** The newest change number. */
  lastSeq(): MaybePromise<number>;
  /**
   * Called after each commit of resources of this process, before `commit` resolves, with the last change number and the types
   * written: a wake-up and a way to drop caches, never the record. Returns how to stop it.
   */
  onChange(listener: (seq: number, types: ReadonlySet<string>) => void): () => void;
  /** Called when another process wrote (documents or resources): drop what was cached. Within 2 seconds. */
  onForeignChange(listener: () => void): () => void;

  /** Live documents only. */
  doc(collection: string, key: string): MaybePromise<Doc | undefined>;
  docs(query: DocQuery): MaybePromise<readonly Doc[]>;
  counters(names: readonly string[]): MaybePromise<Readonly<Record<string, number>>>;
  /** The stamp for a `guard` precondition; 0 when it was never touched. */
  guard(name: string): MaybePromise<number>;

  /** Bytes, rows, levels, queue: numbers for /metrics. */
  stats(): MaybePromise<Readonly<Record<string, number>>>;
  /** Resolves when the engine can serve; rejects with a sentence. */
  ping(): MaybePromise<void>;
  /** Writes what is queued, then closes. */
  close(): Promise<void>;
}
