/** The main thread's end of the writer thread. */
import { Worker } from 'node:worker_threads';
import type { FromWriter, ToWriter, WriterStart } from './wire.ts';

/** Messages of a full transaction need room; a leak must not take the machine. */
const OLD_SPACE_MB = 512;
const YOUNG_SPACE_MB = 16;

/** Source is run as .ts, a built package as .js. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './writer-worker.ts' : './writer-worker.js', import.meta.url);

export class Writer {
  readonly #worker: Worker;
  #waiting = 0;
  #dead: Error | undefined;

  /** `dead` is called once when the thread ends without being asked to. */
  constructor(start: WriterStart, on: { message(message: FromWriter): void; dead(error: Error): void }) {
    this.#worker = new Worker(WORKER, {
      workerData: start,
      resourceLimits: { maxOldGenerationSizeMb: OLD_SPACE_MB, maxYoungGenerationSizeMb: YOUNG_SPACE_MB },
    });
    // An open store keeps no process alive; a commit that is under way does.
    this.#worker.unref();
    let closed = false;
    this.#worker.on('message', (message: FromWriter) => {
      if (message.kind === 'closed') closed = true;
      if (message.kind !== 'ticked' && message.kind !== 'reserved' && --this.#waiting === 0) this.#worker.unref();
      on.message(message);
    });
    const die = (error: Error): void => {
      if (closed || this.#dead) return;
      this.#dead = error;
      on.dead(error);
    };
    this.#worker.on('error', die);
    this.#worker.on('exit', (code) => die(new Error(`the writer thread ended with code ${code}`)));
  }

  get dead(): Error | undefined {
    return this.#dead;
  }

  send(message: ToWriter): void {
    if (this.#dead) return;
    if (message.kind !== 'tick' && message.kind !== 'reserve' && this.#waiting++ === 0) this.#worker.ref();
    if (message.kind === 'group')
      this.#worker.postMessage(message, [message.numbers.buffer as ArrayBuffer, message.lengths.buffer as ArrayBuffer]);
    else this.#worker.postMessage(message);
  }

  /** For tests of what happens when it dies. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}
