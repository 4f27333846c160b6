/** The writer's side of a group: one transaction, one sync, each batch judged for itself. */
import { applyBatch, type BatchHead, type Gathered, purge, Refused } from './apply.ts';
import type { Connection } from './connection.ts';
import { Inserts } from './inserts.ts';
import { pack } from './log-blob.ts';
import { Merge } from './merge.ts';
import { Cursor, type FromWriter, REFUSALS, type ToWriter } from './wire.ts';

/** Pages of the write-ahead log at which it is copied into the file: 16 MB. */
const WAL_PAGES_PER_CHECKPOINT = 4000;
const PURGED_PER_TICK_MAX = 500;

/** A batch was refused after it had written: the group is done again with a savepoint for each. */
class Again extends Error {}

type Group = Extract<ToWriter, { kind: 'group' }>;

export class Transactions {
  readonly #db: Connection;
  readonly #merge: Merge;
  readonly #inserts: Inserts;
  #dataVersion = 0;
  #seq = 0;
  #maxRid = 0;
  #lid = 0;
  #foreign = false;

  constructor(db: Connection, rowsPerMerge: number) {
    this.#db = db;
    this.#merge = new Merge(db, rowsPerMerge);
    this.#inserts = new Inserts(db);
    this.#dataVersion = this.#readDataVersion();
    this.#refresh();
  }

  #readDataVersion(): number {
    return this.#db.number(0, 'PRAGMA data_version');
  }

  #refresh(): void {
    this.#seq = this.#db.number(0, 'SELECT max(seq) FROM change');
    this.#maxRid = this.#db.number(0, 'SELECT max(rid) FROM resource');
    this.#lid = this.#db.number(0, 'SELECT max(lid) FROM log');
  }

  /** Whether another process wrote since this was last asked; what is held in memory is read anew then. */
  #lookAround(): void {
    const version = this.#readDataVersion();
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    this.#foreign = true;
    this.#refresh();
    this.#merge.restart();
  }

  /** @throws what SQLite throws; nothing is written then. */
  #inTransaction<T>(work: () => T): T {
    this.#db.run('BEGIN IMMEDIATE');
    try {
      this.#lookAround();
      return work();
    } catch (error) {
      try {
        this.#db.run('ROLLBACK');
      } catch {
        // SQLite has rolled back by itself: the disk is full or gone.
      }
      throw error;
    }
  }

  group(message: Group): FromWriter {
    try {
      return this.#group(message, false);
    } catch (error) {
      if (!(error instanceof Again)) return this.#failed(message.id, error);
    }
    try {
      return this.#group(message, true);
    } catch (error) {
      return this.#failed(message.id, error);
    }
  }

  #failed(id: number, error: unknown): FromWriter {
    this.#merge.restart();
    return { kind: 'failed', id, message: (error as Error).message };
  }

  #group(message: Group, savepoints: boolean): FromWriter {
    const [at = 0, expected = 0, batches = 0] = message.head;
    return this.#inTransaction(() => {
      if (expected !== this.#seq || !this.#define(message)) {
        this.#db.run('ROLLBACK');
        return { kind: 'stale', id: message.id };
      }
      this.#inserts.drop();
      const to: Gathered = {
        at,
        seq: this.#seq,
        maxRid: this.#maxRid,
        log: [],
        counts: new Map(),
        inserts: this.#inserts,
      };
      const results = this.#batches(
        new Cursor(message.numbers, message.texts, message.lengths),
        batches,
        to,
        savepoints,
      );
      this.#inserts.flush();
      const { lid, rows } = this.#append(to);
      const { sealed, merged } = this.#merge.step(rows, lid);
      const start = process.hrtime.bigint();
      this.#db.run('COMMIT');
      const syncMicros = Number(process.hrtime.bigint() - start) / 1000;
      this.#seq = to.seq;
      this.#maxRid = to.maxRid;
      if (lid > 0) this.#lid = lid;
      return { kind: 'done', id: message.id, results, lastSeq: to.seq, lid, sealed, merged, syncMicros };
    });
  }

  /** False when another process gave one of the numbers, or a number to one of the texts. */
  #define({ head, definitions }: Group): boolean {
    let free = true;
    for (const [i, text] of definitions.entries()) {
      const [kind = 0, id = 0] = head.subarray(4 + i * 2, 6 + i * 2);
      free = this.#db.run('INSERT OR IGNORE INTO dict(kind, id, text) VALUES (?, ?, ?)', kind, id, text) === 1 && free;
    }
    return free;
  }

  #batches(from: Cursor, count: number, to: Gathered, savepoints: boolean): Float64Array {
    const results = new Float64Array(count * 4);
    for (let i = 0; i < count; i++) {
      const length = from.number();
      const texts = from.number();
      const head: BatchHead = {
        preconditions: from.number(),
        writes: from.number(),
        docs: from.number(),
        counters: from.number(),
        touches: from.number(),
      };
      results.set(this.#batch(head, from.fork(length, texts), to, savepoints), i * 4);
    }
    return results;
  }

  #batch(head: BatchHead, from: Cursor, to: Gathered, savepoints: boolean): number[] {
    const before = { ...to, log: to.log.length, counts: savepoints ? new Map(to.counts) : to.counts };
    if (savepoints) this.#db.run('SAVEPOINT batch');
    try {
      applyBatch(this.#db, this.#merge, head, from, to);
      if (savepoints) {
        this.#inserts.flush();
        this.#db.run('RELEASE batch');
      }
      return [1, to.seq, 0, 0];
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // A precondition is judged before anything of its batch is written; so is a single write.
      const clean = error.refusal === 'guard' || error.refusal === 'precondition' || error.index === 0;
      const untouched = clean && (!error.refusal.startsWith('doc') || head.writes === 0);
      if (!savepoints && !untouched) throw new Again();
      if (savepoints) {
        this.#inserts.drop();
        this.#db.run('ROLLBACK TO batch');
        this.#db.run('RELEASE batch');
        to.counts.clear();
        for (const [cls, n] of before.counts) to.counts.set(cls, n);
      }
      to.seq = before.seq;
      to.maxRid = before.maxRid;
      to.log.length = before.log;
      return [0, REFUSALS.indexOf(error.refusal), error.index, error.version];
    }
  }

  /** The index rows of the group as one log row, and the changed numbers of the classes. */
  #append(to: Gathered): { lid: number; rows: number } {
    for (const [cls, n] of to.counts)
      if (n !== 0)
        this.#db.run('INSERT INTO class_count VALUES (?, ?) ON CONFLICT(cls) DO UPDATE SET n = n + excluded.n', cls, n);
    if (to.log.length === 0) return { lid: 0, rows: 0 };
    for (const log of to.log) this.#merge.cancel(log);
    const { blobs, records } = pack(to.log);
    const lid = this.#lid + 1;
    this.#db.run('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)', lid, ...blobs);
    return { lid, rows: records };
  }

  /** Between two groups, when the log is long enough; a reader that is under way only puts off what it still needs. */
  checkpoint(): void {
    // NOOP only counts the pages.
    const pages = this.#db.get('PRAGMA wal_checkpoint(NOOP)')?.[1] as number;
    if (pages >= WAL_PAGES_PER_CHECKPOINT) this.#db.get('PRAGMA wal_checkpoint(PASSIVE)');
  }

  reserve(rids: number): FromWriter {
    const from = this.#inTransaction(() => {
      const next = this.#db.number(1, "SELECT value FROM meta WHERE name = 'rid-next'");
      this.#db.run("UPDATE meta SET value = ? WHERE name = 'rid-next'", next + rids);
      this.#db.run('COMMIT');
      return next;
    });
    return { kind: 'reserved', from, rids };
  }

  tick(now: number): FromWriter {
    this.#lookAround();
    const foreign = this.#foreign;
    this.#foreign = false;
    if (this.#db.get('SELECT 1 FROM doc WHERE expires <= ? LIMIT 1', now))
      this.#inTransaction(() => {
        purge(this.#db, now, PURGED_PER_TICK_MAX);
        this.#db.run('COMMIT');
      });
    return { kind: 'ticked', foreign };
  }

  /** @throws when the disk does not take it. */
  probe(): void {
    this.#inTransaction(() => {
      this.#db.run("INSERT OR REPLACE INTO meta VALUES ('probe', 1)");
      this.#db.run("DELETE FROM meta WHERE name = 'probe'");
      this.#db.run('COMMIT');
    });
  }
}
