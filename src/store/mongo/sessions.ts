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

interface SessionId {
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
  if (lsids.length > 0)
    await db.db.command({ killSessions: lsids }).catch((error: unknown) => {
      log.warn({ err: error }, 'transactions that another process left open could not be ended');
    });
  await db.numbers.deleteMany({ _id: { $gte: PREFIX, $lt: 'session0' }, at: { $lt: now - DAY_MS } });
  const { id } = session.id as unknown as SessionId;
  await db.numbers.updateOne({ _id: PREFIX + instance }, { $set: { n: 0, at: now, lsid: id } }, { upsert: true });
}

export async function leave(db: Connection, instance: string): Promise<void> {
  await db.numbers.deleteOne({ _id: PREFIX + instance });
}
