/**
 * Group commit: batches that arrive while a transaction is under way share the next one. Transactions are retried as the driver's
 * documentation asks (transactions, "Transaction Errors"): a conflict starts again, a commit whose answer is lost is committed
 * again, and a marker tells afterwards whether it had happened.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientSession, MongoError } from 'mongodb';
import type { Clock } from '../../base/clock.ts';
import { VitalwireError } from '../../base/errors.ts';
import { randomUrl } from '../../base/hash.ts';
import type { Limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import type { Batch, Committed } from '../store.ts';
import type { Connection } from './connection.ts';
import { Group, type GroupOutcome } from './group.ts';
import type { Finder } from './search.ts';
import { endSessions, idOf, leave, register, type SessionId, takeOver } from './sessions.ts';
import { UnheardError } from './watch.ts';

interface Pending {
  readonly batch: Batch;
  resolve(committed: Committed): void;
  reject(error: unknown): void;
}

const DUPLICATE_KEY = 11_000;
const MAX_TIME_EXPIRED = 50;
/** The message of a refused document can hold its values; the beginning says what is wrong. */
const MESSAGE_CHARS_MAX = 120;

const labelled = (error: unknown, label: string): boolean => error instanceof MongoError && error.hasErrorLabel(label);
/** The whole transaction may be run again: nothing of it happened. */
const startsAgain = (error: unknown): boolean =>
  labelled(error, 'TransientTransactionError') ||
  (error as MongoError).code === DUPLICATE_KEY ||
  error instanceof UnheardError;

/** Of what differs in size by much: resources that came as text, and documents. */
function charsOf({ writes = [], docs = [] }: Batch): number {
  let chars = 0;
  for (const { draft } of writes) if (typeof draft.body === 'string') chars += draft.body.length;
  for (const write of docs) if (write.op !== 'delete') chars += write.doc.body.length;
  return chars;
}

/** What the driver throws, without the documents of patients that hang on it. */
function told(error: unknown): Error {
  if (!(error instanceof MongoError)) return error instanceof Error ? error : new Error(String(error));
  const labels = error.errorLabels.length > 0 ? ` [${error.errorLabels.join(', ')}]` : '';
  return new Error(`${error.name} ${error.code ?? ''}${labels}: ${error.message.slice(0, MESSAGE_CHARS_MAX)}`);
}

export const unavailable = (error: unknown): VitalwireError =>
  new VitalwireError(
    'server.unavailable',
    'The database does not answer. Send the same request again in a few seconds.',
    { headers: { 'retry-after': '2' }, cause: told(error) },
  );

export interface CommitterOptions {
  readonly db: Connection;
  readonly finder: Finder;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Logger;
  /** Names this process among those that write. */
  readonly instance: string;
  /** After each commit of resources, before its batches resolve. */
  committed(outcome: GroupOutcome): void;
}

export class Committer {
  readonly #options: CommitterOptions;
  #queue: Pending[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  /**
   * One for all transactions: the next one ends whatever the database still holds open of the one before, whose end it may never
   * have heard of. Else its locks would stand in the way for a minute (transactionLifetimeLimitSeconds).
   */
  #session: ClientSession;
  /** Of those before it; what they have open is still to be ended. */
  readonly #left: SessionId[] = [];

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#session = options.db.session();
  }

  /** Before the first commit. */
  async start(): Promise<void> {
    const { db, instance } = this.#options;
    await takeOver(db, this.#session, instance, this.#options);
  }

  get waiting(): number {
    return this.#queue.length;
  }

  commit(batch: Batch): Promise<Committed> {
    const { limits } = this.#options;
    if (this.#closed) return Promise.reject(unavailable('the store is closed'));
    if (this.#queue.length >= limits.commitQueueBatchesMax)
      return Promise.reject(
        new VitalwireError('server.busy', 'Too many writes are waiting. Send the same request again in a second.', {
          headers: { 'retry-after': '1' },
        }),
      );
    return new Promise((resolve, reject) => {
      this.#queue.push({ batch, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    const { db, instance } = this.#options;
    await db.heard(() => leave(db, instance)).catch(() => {});
    await this.#session.endSession().catch(() => {});
  }

  async #drain(): Promise<void> {
    // Those of the same turn share the first transaction too.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      await this.#settle(this.#group());
    }
    // In the same turn as the last look at the queue: who comes next starts a drain of its own.
    this.#running = undefined;
  }

  /** Those that share the next transaction: not more than the database does in a few seconds, but one at least. */
  #group(): Pending[] {
    const { limits } = this.#options;
    const most = Math.min(this.#queue.length, limits.commitBatchesPerTransactionMax);
    let [n, writes, chars] = [0, 0, 0];
    for (; n < most; n++) {
      const { batch } = this.#queue[n] as Pending;
      writes += (batch.writes?.length ?? 0) + (batch.docs?.length ?? 0);
      chars += charsOf(batch);
      const full = writes > limits.commitWritesPerTransactionMax || chars > limits.commitTextCharsPerTransactionMax;
      if (full && n > 0) break;
    }
    return this.#queue.splice(0, n);
  }

  async #settle(group: readonly Pending[]): Promise<void> {
    try {
      const outcome = await this.#transaction(group.map((p) => p.batch));
      if (outcome.seq > 0) this.#options.committed(outcome);
      for (const [i, p] of group.entries()) p.resolve(outcome.results[i] as Committed);
    } catch (error) {
      // One batch that the database cannot take (too large, say) must not hurt the others.
      if (group.length > 1 && !(error instanceof VitalwireError)) for (const one of group) await this.#settle([one]);
      else for (const p of group) p.reject(error instanceof VitalwireError ? error : this.#refused(error));
      // Those behind would only wait as long for the same answer.
      if (error instanceof VitalwireError) this.#refuseWaiting(error.cause);
    }
  }

  #refused(error: unknown): VitalwireError {
    this.#options.log.error({ err: told(error) }, 'a transaction failed');
    return (error as Error).message?.includes('larger than') || (error as MongoError).code === 10_334
      ? new VitalwireError(
          'request.too-large',
          'A document of the database holds at most 16 MB. Send a smaller resource, or the readings in smaller parts.',
          { cause: told(error) },
        )
      : unavailable(error);
  }

  async #transaction(batches: readonly Batch[]): Promise<GroupOutcome> {
    const { db, limits, clock } = this.#options;
    const marker = randomUrl(12);
    const until = clock.now() + limits.transactionMsMax;
    // Outcomes of attempts whose commit may have happened although it was not answered, by number.
    const lost = new Map<number, GroupOutcome>();
    for (let attempt = 0; ; attempt++) {
      try {
        const happened = lost.size > 0 ? await db.heard(() => db.commits.findOne({ _id: marker })) : undefined;
        if (happened) return lost.get(happened.attempt) as GroupOutcome;
        await this.#ready();
        const outcome = await this.#heard(() => this.#attempt(batches, marker, attempt));
        await this.#confirm(() => lost.set(attempt, outcome));
        return outcome;
      } catch (error) {
        // Until it is known whether a lost commit happened, only the marker can tell: a failure here would be a guess.
        const doubt = lost.size > 0;
        if (!doubt && !startsAgain(error)) throw isNetwork(error) ? unavailable(error) : error;
        const patience = doubt ? until + limits.commitLostMsMax : until;
        const spent = clock.now() > patience || (!doubt && attempt >= limits.transactionAttemptsMax);
        if (spent || this.#leaves(error)) throw unavailable(error);
        if (doubt) this.#refuseWaiting(error);
        await sleep(Math.min(500, 5 * 2 ** attempt) * (0.5 + Math.random()));
      }
    }
  }

  async #attempt(batches: readonly Batch[], marker: string, attempt: number): Promise<GroupOutcome> {
    const { db, finder, clock, instance } = this.#options;
    const session = this.#session;
    session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true } });
    try {
      const outcome = await new Group(db, session, finder, instance).run(batches, clock);
      await db.commits.insertOne({ _id: marker, attempt, at: new Date(clock.now()) }, { session });
      return outcome;
    } catch (error) {
      await session.abortTransaction().catch(() => {});
      throw error;
    }
  }

  /** What is never heard of again leaves its session behind: the next transaction gets one of its own. */
  async #heard<T>(work: () => Promise<T>): Promise<T> {
    const { db } = this.#options;
    try {
      return await db.heard(work);
    } catch (error) {
      if (error instanceof UnheardError) this.#leave();
      throw error;
    }
  }

  #leave(): void {
    this.#left.push(idOf(this.#session));
    this.#session = this.#options.db.session();
  }

  /** Before a transaction: nothing of those before it stands in its way. */
  async #ready(): Promise<void> {
    const { db, instance, clock, log } = this.#options;
    if (db.refresh()) this.#leave();
    if (this.#left.length === 0) return;
    log.warn({ sessions: this.#left.length }, 'the database was not heard of again; going on with another session');
    await db.heard(async () => {
      await register(db, this.#session, instance, clock.now());
      await endSessions(db, this.#left).catch((error: unknown) => {
        if (isNetwork(error)) throw error;
        log.warn({ err: told(error) }, 'a transaction that was left open could not be ended');
      });
    });
    this.#left.length = 0;
  }

  /**
   * Commits, again and again while the answer is lost: a second commit of the same transaction is answered like the first. Calls
   * `lost` before it gives up on one that may have happened.
   */
  async #confirm(lost: () => void): Promise<void> {
    const { limits, clock } = this.#options;
    const until = clock.now() + limits.transactionMsMax;
    for (let unanswered = 0; ; unanswered++) {
      try {
        return await this.#heard(() => this.#session.commitTransaction());
      } catch (error) {
        const unknown = labelled(error, 'UnknownTransactionCommitResult');
        const inTime = clock.now() <= until && !this.#leaves(error);
        const again = unknown && (error as MongoError).code !== MAX_TIME_EXPIRED && inTime;
        if (!again) {
          // Only this label on the first answer says for sure that nothing of it happened.
          if (unknown || unanswered > 0 || !labelled(error, 'TransientTransactionError')) lost();
          throw error;
        }
        await sleep(Math.min(500, 10 * 2 ** unanswered));
      }
    }
  }

  /** A process that ends does not wait for a database that is away: nobody is left to be told. */
  #leaves(error: unknown): boolean {
    return this.#closed && isNetwork(error);
  }

  /** While one commit is in doubt nothing else can be promised: who waits is told so at once. */
  #refuseWaiting(cause: unknown): void {
    const waiting = this.#queue;
    this.#queue = [];
    for (const p of waiting) p.reject(unavailable(cause));
  }
}

/**
 * What a database says that is going away, coming up, or choosing another primary: the driver's list of errors after which a read
 * may be tried again (retryable reads, "Retryable Error"), and those of an operation that was ended from outside.
 */
const PASSING = new Set([
  6, 7, 43, 89, 91, 134, 175, 189, 202, 237, 262, 290, 9001, 10_058, 10_107, 11_600, 11_601, 11_602, 13_435, 13_436,
]);

/** Nothing is wrong with the request: the same is answered when the database is well again. */
export function isNetwork(error: unknown): boolean {
  if (error instanceof UnheardError) return true;
  return (
    error instanceof MongoError &&
    (/^Mongo(Network|ServerSelection|PoolCleared|PoolClosed|TopologyClosed|ClientClosed|NotConnected|OperationTimeout|WaitQueueTimeout)/.test(
      error.name,
    ) ||
      PASSING.has(Number(error.code)) ||
      labelled(error, 'RetryableWriteError') ||
      labelled(error, 'TransientTransactionError') ||
      labelled(error, 'UnknownTransactionCommitResult'))
  );
}
