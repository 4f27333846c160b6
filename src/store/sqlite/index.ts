/** The embedded engine: SQLite in WAL mode, one writer thread, reads on the main thread. docs/architecture.md */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { VitalwireError } from '../../base/errors.ts';
import type { Limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import type { KeyHolder, Store } from '../store.ts';
import { Changes } from './changes.ts';
import { Classes } from './classes.ts';
import { Connection } from './connection.ts';
import { Dictionary } from './dictionary.ts';
import { Docs } from './docs.ts';
import { Encoder } from './encode.ts';
import { prepareFolder, refuseNewer } from './folder.ts';
import { history } from './history.ts';
import { createIds } from './ids.ts';
import { Keys } from './keys.ts';
import { migrate } from './migrations.ts';
import { CommitQueue } from './queue.ts';
import { readMany, readNewest, readVersion } from './read.ts';
import { Reader } from './reader.ts';
import { Refs } from './refs.ts';
import { Rids } from './rids.ts';
import { Search } from './search.ts';
import { Skeletons } from './skeletons.ts';
import { Tail } from './tail.ts';
import type { FromWriter } from './wire.ts';
import { Writer } from './writer.ts';

export interface SqliteStoreOptions {
  /** DATA_DIR; made when absent. */
  readonly dir: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Logger;
  /** FHIR base URL of this server, `${BASE_URL}/fhir`. */
  readonly base: string;
}

const FILE = 'vitalwire.db';
const CACHE_KIB = 16 * 1024;
const TICK_MS = 1_000;

/** @throws StartError naming DATA_DIR, or saying that the file is of a newer version. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { dir } = options;
  prepareFolder(dir);
  const path = join(dir, FILE);
  refuseNewer(path);
  const setUp = new Connection(path, { readOnly: false, cacheKib: 1024 });
  let idKey: Uint8Array;
  try {
    migrate(setUp, path);
    idKey = setUp.get("SELECT value FROM meta WHERE name = 'id-key'")?.[0] as Uint8Array;
  } finally {
    setUp.close();
  }
  const db = new Connection(path, { readOnly: true, cacheKib: CACHE_KIB });
  return new SqliteStore(options, path, db, idKey);
}

class SqliteStore implements Store {
  readonly capabilities = { engine: 'sqlite', sharedByServers: false };
  readonly #path: string;
  readonly #log: Logger;
  readonly #reader: Reader;
  readonly #rids: Rids;
  readonly #keys: Keys;
  readonly #search: Search;
  readonly #changes: Changes;
  readonly #docs: Docs;
  readonly #writer: Writer;
  readonly #queue: CommitQueue;
  readonly #changeListeners = new Set<(seq: number, types: ReadonlySet<string>) => void>();
  readonly #foreignListeners = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #probes: ((message: string) => void)[] = [];
  #closed: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor({ clock, limits, log, base }: SqliteStoreOptions, path: string, db: Connection, idKey: Uint8Array) {
    this.#path = path;
    this.#log = log;
    const dict = new Dictionary(db);
    const ids = createIds(idKey);
    this.#rids = new Rids(path, (rids) => this.#writer.send({ kind: 'reserve', rids }));
    const skeletons = new Skeletons(dict);
    const parts = { db, dict, ids, skeletons, base, refs: new Refs(dict, ids), tail: new Tail() };
    const handedOut = (rid: number): boolean => this.#rids.isHandedOut(rid);
    this.#reader = new Reader({ ...parts, classes: new Classes(dict, limits), handedOut });
    this.#keys = new Keys(this.#reader);
    this.#search = new Search(this.#reader, limits);
    this.#changes = new Changes(this.#reader, limits.changeTermsKeptMax);
    this.#docs = new Docs(db, clock);
    this.#writer = new Writer(
      { path, rowsPerMerge: limits.indexRowsPerMergeMin },
      { message: (m) => this.#receive(m), dead: (error) => this.#died(error) },
    );
    this.#queue = new CommitQueue({
      reader: this.#reader,
      search: this.#search,
      keys: this.#keys,
      changes: this.#changes,
      skeletons,
      encoder: new Encoder(this.#reader, skeletons, () => this.#rids.next()),
      writer: this.#writer,
      clock,
      limits,
      committed: (seq, types) => this.#tell(this.#changeListeners, (listener) => listener(seq, types)),
      foreign: () => this.#foreign(),
    });
    this.#timer = setInterval(() => this.#writer.send({ kind: 'tick', now: clock.now() }), TICK_MS);
    this.#timer.unref();
  }

  #receive(message: FromWriter): void {
    switch (message.kind) {
      case 'reserved':
        this.#rids.add(message.from, message.rids);
        break;
      case 'ticked':
        if (message.foreign) this.#foreign();
        break;
      case 'probed':
        if (message.message === '') this.#queue.mended();
        for (const done of this.#probes.splice(0)) done(message.message);
        break;
      case 'closed':
        this.#closed?.();
        break;
      default:
        if (message.kind === 'failed') this.#log.error({ reason: message.message }, 'a commit could not be written');
        this.#queue.receive(message);
    }
  }

  #died(error: Error): void {
    this.#log.error({ err: error }, 'the writer thread of the store has ended');
    this.#queue.died(error);
    for (const done of this.#probes.splice(0)) done(error.message);
    this.#closed?.();
  }

  #foreign(): void {
    this.#keys.forget();
    this.#reader.dict.refresh();
    this.#tell(this.#foreignListeners, (listener) => listener());
  }

  /** A listener that throws must not keep a commit from being answered. */
  #tell<T>(listeners: ReadonlySet<T>, call: (listener: T) => void): void {
    for (const listener of listeners) {
      try {
        call(listener);
      } catch (error) {
        this.#log.error({ err: error }, 'a listener of the store failed');
      }
    }
  }

  newId(): string {
    return this.#reader.ids.encode(this.#rids.next());
  }

  commit(batch: Parameters<Store['commit']>[0]): ReturnType<Store['commit']> {
    if (this.#closing)
      return Promise.reject(
        new VitalwireError('server.unavailable', 'The store is closing.', { headers: { 'retry-after': '5' } }),
      );
    return this.#queue.commit(batch);
  }

  read(type: string, id: string) {
    return readNewest(this.#reader, type, id);
  }
  readVersion(type: string, id: string, version: number) {
    return readVersion(this.#reader, type, id, version);
  }
  readMany(refs: Parameters<Store['readMany']>[0]) {
    return readMany(this.#reader, refs);
  }
  visible(type: string, id: string, access: Parameters<Store['visible']>[2]) {
    return this.#search.visible(type, id, access);
  }
  search(plan: Parameters<Store['search']>[0], access: Parameters<Store['search']>[1]) {
    return this.#search.page(plan, access);
  }
  history(query: Parameters<Store['history']>[0], access: Parameters<Store['history']>[1]) {
    return history(this.#reader, this.#search, query, access);
  }

  /** Without a snapshot: a key is never taken away, and one that is merged leaves the tail after it has come into the table. */
  keyHolders(keys: readonly string[]): readonly KeyHolder[] {
    this.#reader.loadTail();
    this.#keys.lookUp(keys);
    const found: KeyHolder[] = [];
    for (const key of keys) {
      const holder = this.#keys.holder(key);
      if (holder) found.push(holder);
    }
    return found;
  }
  changesSince(after: number, limit: number) {
    return this.#changes.since(after, limit);
  }
  lastSeq() {
    return this.#changes.last();
  }

  keepTerms(of: (type: string) => boolean): void {
    this.#changes.wanted = of;
  }

  onChange(listener: (seq: number, types: ReadonlySet<string>) => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }
  onForeignChange(listener: () => void): () => void {
    this.#foreignListeners.add(listener);
    return () => this.#foreignListeners.delete(listener);
  }

  doc(collection: string, key: string) {
    return this.#docs.get(collection, key);
  }
  docs(query: Parameters<Store['docs']>[0]) {
    return this.#docs.list(query);
  }
  counters(names: readonly string[]) {
    return this.#docs.counters(names);
  }
  guard(name: string) {
    return this.#docs.stamp(name);
  }

  stats() {
    const bytes = (path: string): number => (existsSync(path) ? statSync(path).size : 0);
    const { commits, groups, syncMicros } = this.#queue.counted;
    return {
      bytes: bytes(this.#path),
      walBytes: bytes(`${this.#path}-wal`),
      queue: this.#queue.length,
      commits,
      transactions: groups,
      syncMsMean: groups === 0 ? 0 : syncMicros / groups / 1000,
      changes: this.#changes.last(),
    };
  }

  async ping(): Promise<void> {
    const reason = await this.#whyNot();
    if (reason === '') return;
    throw new VitalwireError('server.unavailable', 'The store cannot be read or written.', {
      headers: { 'retry-after': '5' },
      private: reason,
    });
  }

  /** Empty when all is well. */
  async #whyNot(): Promise<string> {
    try {
      this.#reader.db.get('SELECT 1 FROM meta');
    } catch (error) {
      return (error as Error).message;
    }
    if (this.#writer.dead) return this.#writer.dead.message;
    return this.#queue.broken === undefined ? '' : this.#probe();
  }

  /** Tries to write; resolves with what went wrong, or an empty text. */
  #probe(): Promise<string> {
    return new Promise((resolve) => {
      this.#probes.push(resolve);
      this.#writer.send({ kind: 'probe' });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#queue.drained();
    clearInterval(this.#timer);
    if (!this.#writer.dead)
      await new Promise<void>((resolve) => {
        this.#closed = resolve;
        this.#writer.send({ kind: 'close' });
      });
    this.#reader.db.close();
  }
}
