/**
 * What was accepted and is not yet at the server, on disk. An item is sealed (AES-256-GCM), and its device is kept as a keyed
 * hash, so that a stolen disk tells when something was measured and nothing else.
 *
 * SQLite in WAL mode with `synchronous=FULL`: a commit returns after the sync. It runs on the event loop: what arrives while
 * one sync is under way is read afterwards and shares the next one, which is the group commit, without a hop to a worker
 * (a hop costs about what the sync itself does).
 */
import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { StartError, VitalwireError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { createSealer } from '../base/secret.ts';
import { openDatabase, prepareAll } from './spool-database.ts';

export interface NewItem {
  readonly adapter: string;
  /** Names the device; equal for equal devices. */
  readonly device: string;
  /** Milliseconds since 1970. */
  readonly received: number;
  /** JSON text of the reading or message. */
  readonly body: string;
}

/** Where an item stands in the queue of its device. */
export interface Place {
  readonly seq: number;
  /** Keyed hash of the device. */
  readonly device: string;
  readonly adapter: string;
  readonly received: number;
}

export interface Waiting extends Place {
  readonly body: string;
}

export interface Refused {
  readonly seq: number;
  readonly code: string;
  readonly details: string;
}

/** An item that the server refused for good. */
export interface DeadLetter {
  readonly adapter: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly code: string;
  readonly details: string;
  readonly body: string;
}

export interface SpoolTotals {
  readonly waiting: number;
  /** Reception of the oldest that waits, milliseconds. */
  readonly oldest: number | undefined;
  readonly rejected: number;
  readonly lastAck: number | undefined;
}

export interface Spool {
  /** Resolves once the items are synced to disk. @throws VitalwireError `server.full`, `server.unavailable` */
  append(items: readonly NewItem[]): Promise<readonly Place[]>;
  /** The oldest waiting item of each device, and how many wait there. */
  heads(): readonly (Place & { readonly count: number })[];
  head(device: string): Place | undefined;
  /** Oldest first. */
  take(device: string, itemsMax: number): readonly Waiting[];
  /** The server has these: `acked` ones are done, `refused` ones become dead letters. Synced when it returns. */
  settle(acked: readonly number[], refused: readonly Refused[], at: number): void;
  totals(): SpoolTotals;
  /** Newest first. */
  deadLetters(itemsMax: number): readonly DeadLetter[];
  close(): void;
}

/** Row, index and page overhead of an item beside its body, roughly. */
const ITEM_OVERHEAD_BYTES = 160;

interface Pending {
  readonly items: readonly NewItem[];
  readonly bytes: number;
  resolve(places: readonly Place[]): void;
  reject(error: unknown): void;
}

export class SqliteSpool implements Spool {
  readonly #db: DatabaseSync;
  readonly #bytesMax: number;
  readonly #sealer: ReturnType<typeof createSealer>;
  readonly #hashKey: Uint8Array;
  readonly #statements: ReturnType<typeof prepareAll>;
  #pending: Pending[] = [];
  #toDelete: number[] = [];
  /** Transactions so far, each with one sync. */
  transactions = 0;
  #waiting: number;
  #bytes: number;
  #figures: { rejected: number; lastAck: number | undefined };

  /** @throws StartError */
  constructor(dir: string, key: Uint8Array, bytesMax: number) {
    this.#db = openDatabase(dir);
    this.#bytesMax = bytesMax;
    this.#sealer = createSealer(key);
    this.#hashKey = createHmac('sha256', key).update('device names').digest();
    this.#statements = prepareAll(this.#db);
    const sum = this.#db.prepare('SELECT count(*) n, coalesce(sum(length(body)), 0) b FROM item').get();
    const { n, b } = sum as { n: number; b: number };
    this.#waiting = n;
    this.#bytes = b + n * ITEM_OVERHEAD_BYTES;
    const figures = this.#db.prepare('SELECT name, value FROM figure').all() as { name: string; value: number }[];
    const figure = (name: string): number | undefined => figures.find((f) => f.name === name)?.value;
    this.#figures = { rejected: figure('rejected') ?? 0, lastAck: figure('lastAck') };
    this.#assertKey(dir);
  }

  /** Seen at start rather than at the first batch: with a wrong key nothing could ever be sent. */
  #assertKey(dir: string): void {
    const row = this.#db.prepare('SELECT body FROM item LIMIT 1').get() as { body: string } | undefined;
    try {
      if (row) this.#sealer.open(row.body);
    } catch {
      this.#db.close();
      throw new StartError(`The spool in ${dir} was encrypted with another key. Put that key back (SPOOL_KEY_FILE).`);
    }
  }

  append(items: readonly NewItem[]): Promise<readonly Place[]> {
    const sealed = items.map((item) => ({
      ...item,
      device: this.#hash(item.device),
      body: this.#sealer.seal(item.body),
    }));
    const bytes = sealed.reduce((sum, item) => sum + item.body.length + ITEM_OVERHEAD_BYTES, 0);
    const asked = this.#pending.reduce((sum, p) => sum + p.bytes, this.#bytes);
    if (asked + bytes > this.#bytesMax) return Promise.reject(full());
    return new Promise((resolve, reject) => {
      if (this.#pending.length === 0) setImmediate(() => this.#flush());
      this.#pending.push({ items: sealed, bytes, resolve, reject });
    });
  }

  #hash(device: string): string {
    return createHmac('sha256', this.#hashKey).update(device).digest('base64url').slice(0, 22);
  }

  /** One transaction, and one sync, for everything that waits to be written. */
  #flush(): void {
    const group = this.#pending;
    if (group.length === 0) return;
    this.#pending = [];
    try {
      const places = this.#transaction(() => group.map((p) => p.items.map((item) => this.#insert(item))));
      for (const [i, p] of group.entries()) {
        this.#bytes += p.bytes;
        this.#waiting += p.items.length;
        p.resolve(places[i] as Place[]);
      }
    } catch (error) {
      for (const p of group) p.reject(diskError(error));
    }
  }

  #insert(item: NewItem): Place {
    const { device, adapter, received, body } = item;
    const { lastInsertRowid } = this.#statements.insert.run(device, adapter, received, body);
    return { seq: Number(lastInsertRowid), device, adapter, received };
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const seq of this.#toDelete) this.#statements.remove.run(seq);
      const result = work();
      this.#db.exec('COMMIT');
      this.#toDelete = [];
      this.transactions++;
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  heads(): readonly (Place & { readonly count: number })[] {
    return this.#statements.heads.all() as unknown as (Place & { count: number })[];
  }

  head(device: string): Place | undefined {
    return this.#statements.head.get(device) as unknown as Place | undefined;
  }

  take(device: string, itemsMax: number): readonly Waiting[] {
    const rows = this.#statements.take.all(device, itemsMax) as unknown as Waiting[];
    return rows.map((row) => ({ ...row, body: this.#sealer.open(row.body) }));
  }

  /**
   * `queued → acked → deleted`: what is acked is durable before anything is removed, and is removed with the next commit, so
   * that a crash in between neither loses an item nor sends it for ever.
   */
  settle(acked: readonly number[], refused: readonly Refused[], at: number): void {
    const done = [...acked, ...refused.map((r) => r.seq)];
    const rejected = this.#figures.rejected + refused.length;
    let bytes = 0;
    this.#transaction(() => {
      for (const letter of refused) this.#statements.bury.run(at, letter.code, letter.details, letter.seq);
      for (const seq of done) bytes += (this.#statements.ack.get(seq) as { n: number } | undefined)?.n ?? 0;
      if (refused.length > 0) this.#statements.trim.run(limits.gatewayDeadLettersMax);
      this.#statements.figure.run('rejected', rejected);
      this.#statements.figure.run('lastAck', at);
    });
    this.#toDelete.push(...done);
    this.#figures = { rejected, lastAck: at };
    this.#waiting -= done.length;
    this.#bytes -= bytes + done.length * ITEM_OVERHEAD_BYTES;
  }

  totals(): SpoolTotals {
    const oldest =
      this.#waiting === 0 ? undefined : (this.#statements.oldest.get() as { received: number } | undefined);
    return { waiting: this.#waiting, oldest: oldest?.received, ...this.#figures };
  }

  deadLetters(itemsMax: number): readonly DeadLetter[] {
    const rows = this.#statements.letters.all(itemsMax) as unknown as DeadLetter[];
    return rows.map((row) => ({ ...row, body: this.#sealer.open(row.body) }));
  }

  close(): void {
    this.#flush();
    if (this.#toDelete.length > 0) this.#transaction(() => undefined);
    this.#db.close();
  }
}

const full = (): VitalwireError =>
  new VitalwireError(
    'server.full',
    'The spool is full: nothing of this request was taken. Send it again once the server can be reached, or raise SPOOL_MAX_MB.',
  );

function diskError(error: unknown): VitalwireError {
  if (/full|no space/i.test((error as Error).message)) return full();
  return new VitalwireError('server.unavailable', 'The spool cannot be written. Nothing was taken; send it again.', {
    headers: { 'retry-after': '5' },
    private: error,
    cause: error,
  });
}
