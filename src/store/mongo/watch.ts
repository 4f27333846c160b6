/**
 * Commands that the driver never hears of again. It waits for a large command to leave the machine, and when its connection is
 * closed meanwhile (the network fell silent, `socketTimeoutMS` passed) nobody wakes it: what it was part of would wait for ever,
 * and its place among the connections would be taken for good.
 */
import type { ConnectionPoolClearedEvent, MongoClient } from 'mongodb';

/** Time for the driver's own repetition, once connections in use were closed: two looks for a server, and a connect. */
const GRACE_MS = 12_000;
/** Longer than any command may take with its repetition. */
const HEARD_MS_MAX = 100_000;
/** So many lost places of connections, of fifty, are borne. */
const LOST_MAX = 10;

export class UnheardError extends Error {
  constructor() {
    super('a command of the database was never heard of again');
    this.name = 'UnheardError';
  }
}

export class Watch {
  readonly #waiting = new Set<() => void>();
  #lost = 0;

  /** Whether the client has lost so many places that another one should be taken. */
  get spent(): boolean {
    return this.#lost > LOST_MAX;
  }

  /** Begins to watch a client, in the place of any before it. */
  over(client: MongoClient): void {
    this.#lost = 0;
    client.on('connectionPoolCleared', (event: ConnectionPoolClearedEvent) => {
      if (!event.interruptInUseConnections) return;
      const interrupted = [...this.#waiting];
      setTimeout(() => {
        for (const giveUp of interrupted) if (this.#waiting.has(giveUp)) giveUp();
      }, GRACE_MS).unref();
    });
  }

  async heard<T>(work: () => Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => {
      this.#lost++;
      reject(new UnheardError());
    };
    const late = setTimeout(giveUp, HEARD_MS_MAX);
    late.unref();
    this.#waiting.add(giveUp);
    try {
      return await Promise.race([work(), promise]);
    } finally {
      clearTimeout(late);
      this.#waiting.delete(giveUp);
    }
  }
}
