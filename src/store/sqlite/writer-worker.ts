/** The thread that writes: the only connection of this process that does, so that no request ever waits for the disk. */
import { parentPort, workerData } from 'node:worker_threads';
import { Connection } from './connection.ts';
import { Transactions } from './transaction.ts';
import type { FromWriter, ToWriter, WriterStart } from './wire.ts';

const CACHE_KIB = 16 * 1024;

const port = parentPort;
if (!port) throw new Error('the writer is a worker thread');
const { path, rowsPerMerge } = workerData as WriterStart;
const db = new Connection(path, { readOnly: false, cacheKib: CACHE_KIB });
const transactions = new Transactions(db, rowsPerMerge);

const answer = (message: FromWriter): void => port.postMessage(message);

function probe(): void {
  try {
    transactions.probe();
    answer({ kind: 'probed', message: '' });
  } catch (error) {
    answer({ kind: 'probed', message: (error as Error).message });
  }
}

function close(): void {
  db.get('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  answer({ kind: 'closed' });
  port?.close();
}

port.on('message', (message: ToWriter) => {
  switch (message.kind) {
    case 'group':
      answer(transactions.group(message));
      transactions.checkpoint();
      break;
    case 'reserve':
      answer(transactions.reserve(message.rids));
      break;
    case 'tick':
      answer(transactions.tick(message.now));
      break;
    case 'probe':
      probe();
      break;
    case 'close':
      close();
      break;
  }
});
