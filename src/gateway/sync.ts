/** Moves the spool to the server: as fast as it answers, in the order of each device, for as long as it takes. */
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { Link } from './link.ts';
import type { Queue, QueueBatch } from './queue.ts';
import type { Refused, Spool, Waiting } from './spool.ts';
import { type BatchAnswer, Unreachable, type Uplink } from './uplink.ts';

export interface SyncOptions {
  readonly spool: Spool;
  readonly queue: Queue;
  readonly uplink: Uplink;
  readonly link: Link;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Sync {
  /** Something new is in the queue. */
  kick(): void;
  /** Starts nothing more and waits for what is under way. */
  stop(): Promise<void>;
}

export function startSync(options: SyncOptions): Sync {
  const { queue, link, clock, log } = options;
  let running = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let idle: (() => void) | undefined;

  function wakeIn(ms: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(pump, Math.min(Math.max(ms, 1), 2 ** 31 - 1));
  }

  function pump(): void {
    if (stopped) return;
    const now = clock.now();
    if (link.notBefore > now) {
      wakeIn(link.notBefore - now);
      return;
    }
    // A server that was not there is asked with one batch; the others follow once it answers.
    while (running < (link.connected ? limits.gatewayBatchesInFlightMax : 1)) {
      const batch = queue.next(clock.now());
      if (!batch) break;
      start(() => deliver(options, batch));
    }
    if (running > 0) return;
    const probeAt = link.connected ? (link.heardAt ?? 0) + limits.gatewayProbeMsIdle : 0;
    if (probeAt <= now) start(() => probe(options));
    else wakeIn(Math.min(probeAt, queue.wakeAt() ?? probeAt) - now);
  }

  function start(work: () => Promise<void>): void {
    running++;
    void work()
      .catch((error: unknown) => log.error({ err: error }, 'the gateway could not settle a batch; it is sent again'))
      .finally(() => {
        running--;
        if (stopped && running === 0) idle?.();
        // The next turn of the event loop, so that a failure that comes at once cannot starve the readings that come in.
        else setImmediate(pump);
      });
  }

  setImmediate(pump);
  return {
    kick: () => void (stopped || setImmediate(pump)),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      if (running > 0) await new Promise<void>((resolve) => (idle = resolve));
    },
  };
}

function down({ link, log }: SyncOptions, error: unknown): void {
  if (!(error instanceof Unreachable)) throw error;
  const changed = link.connected;
  link.failed(error);
  log[changed ? 'warn' : 'debug']({ status: error.status, err: error.cause }, `not connected: ${error.message}`);
}

async function probe(options: SyncOptions): Promise<void> {
  try {
    await options.uplink.probe();
    up(options);
  } catch (error) {
    down(options, error);
  }
}

function up({ link, log }: SyncOptions): void {
  if (!link.connected) log.info('connected to the server');
  link.works();
}

async function deliver(options: SyncOptions, batch: QueueBatch): Promise<void> {
  const settled: number[] = [];
  try {
    await send(options, batch, batch.items, settled);
  } catch (error) {
    down(options, error);
  } finally {
    options.queue.done(batch, settled);
  }
}

/** Sends items in order; what the server will not take as a whole is halved until the item at fault is alone. */
async function send(
  options: SyncOptions,
  batch: QueueBatch,
  items: readonly Waiting[],
  settled: number[],
): Promise<boolean> {
  const answer = await options.uplink.send(
    batch.adapter,
    items.map((item) => item.body),
  );
  if (answer.kind !== 'fault') up(options);
  if (answer.kind === 'answered') return settle(options, batch, items, answer, settled);
  if (answer.kind === 'fault') {
    options.log.warn(
      { status: answer.status, items: items.length },
      'the server broke on a batch; it is sent again in parts',
    );
    options.queue.faulted(batch, options.clock.now());
    return false;
  }
  if (items.length === 1) {
    const [{ seq }] = items as [Waiting];
    bury(options, [], [{ seq, code: answer.code, details: answer.details }], settled);
    return true;
  }
  const half = items.length >> 1;
  return (
    (await send(options, batch, items.slice(0, half), settled)) &&
    (await send(options, batch, items.slice(half), settled))
  );
}

/** stored, duplicate, held: the server has it. rejected: a dead letter. No verdict: sent again. */
function settle(
  options: SyncOptions,
  batch: QueueBatch,
  items: readonly Waiting[],
  answer: BatchAnswer & { kind: 'answered' },
  settled: number[],
): boolean {
  const acked: number[] = [];
  const refused: Refused[] = [];
  for (const [index, item] of items.entries()) {
    const verdict = answer.items.get(index);
    if (!verdict) continue;
    if (verdict.status === 'rejected') refused.push({ seq: item.seq, code: verdict.code, details: verdict.details });
    else acked.push(item.seq);
  }
  bury(options, acked, refused, settled);
  if (acked.length + refused.length === items.length) return true;
  options.log.warn({ items: items.length }, 'the server left items without a verdict; they are sent again');
  options.queue.faulted(batch, options.clock.now());
  return false;
}

function bury(
  { spool, clock, log }: SyncOptions,
  acked: readonly number[],
  refused: readonly Refused[],
  settled: number[],
): void {
  if (acked.length + refused.length === 0) return;
  spool.settle(acked, refused, clock.now());
  settled.push(...acked, ...refused.map((r) => r.seq));
  for (const { code } of refused) log.warn({ code }, 'the server rejected an item; it is kept as a dead letter');
}
