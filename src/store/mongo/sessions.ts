/**
 * What a process that was killed has left open. A transaction without an owner keeps its locks for a minute
 * (transactionLifetimeLimitSeconds), and every writer would wait for it; so each process says under which session it writes, and
 * whoever starts ends the transactions of those before it. One that lives on only finds its transaction gone and runs it again.
 */
import type { Binary, ClientSession } from 'mongodb';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Connection } from './connection.ts';

const DAY_MS = 86_400_000;
const PREFIX = 'session/';

export interface SessionId {
  readonly id: Binary;
}

export async function takeOver(
  db: Connection,
  session: ClientSession,
  instance: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<void> {
  const now = clock.now();
  const registered = await db.numbers.find({ _id: { $gte: PREFIX, $lt: 'session0' } }).toArray();
  const lsids = registered.flatMap((r) => (r.lsid ? [{ id: r.lsid }] : []));
  // Who may not do that waits for the minute.
  await endSessions(db, lsids).catch((error: unknown) => {
    log.warn({ err: error }, 'transactions that another process left open could not be ended');
  });
  await db.numbers.deleteMany({ _id: { $gte: PREFIX, $lt: 'session0' }, at: { $lt: now - DAY_MS } });
  await register(db, session, instance, now);
}

/** Says under which session a process writes from now on. */
export async function register(db: Connection, session: ClientSession, instance: string, now: number): Promise<void> {
  const { id } = idOf(session);
  await db.numbers.updateOne({ _id: PREFIX + instance }, { $set: { n: 0, at: now, lsid: id } }, { upsert: true });
}

export const idOf = (session: ClientSession): SessionId => session.id as unknown as SessionId;

/** Their transactions with them, unless those are committed. */
export async function endSessions(db: Connection, ids: readonly SessionId[]): Promise<void> {
  if (ids.length > 0) await db.db.command({ killSessions: ids });
}

export async function leave(db: Connection, instance: string): Promise<void> {
  await db.numbers.deleteOne({ _id: PREFIX + instance });
}
