/** The play itself: a ward measures, a gateway carries, a server keeps, a hospital is told; now and then the wire is cut. */
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../base/clock.ts';
import { randomUrl } from '../../base/hash.ts';
import { type Balance, balanceOf, gatewayStatus, type Stage } from './stage.ts';
import type { Span, Tally } from './tally.ts';
import type { Terminal } from './terminal.ts';
import { createWard, type Message } from './ward/ward.ts';

const CUT_AFTER_MS = 6_000;
const CUT_MS = 2_000;
const CUT_AGAIN_MS = 90_000;
const ARRIVAL_MS_MAX = 30_000;
const TOTALS_MS = 5_000;
/** One message in so many is sent twice, as a device does that missed the answer. */
const RESEND_EVERY = 12;
const RESEND_AFTER_MS = 400;

export interface PlayOptions {
  readonly seed: number;
  /** How long the ward measures; undefined: until `signal`. */
  readonly ms: number | undefined;
  /** Ends everything at once. */
  readonly signal: AbortSignal;
}

/** What `demo --exit` prints. */
export interface Summary {
  /** Distinct readings that devices handed to the gateway. */
  readonly sent: number;
  readonly stored: number;
  /** Answered "duplicate" by the server: sent twice by a device, or by the gateway after a lost answer. */
  readonly duplicates: number;
  /** Distinct events at the EHR. */
  readonly notified: number;
  /** Distinct readings that are not at the EHR. */
  readonly missing: number;
  /** From the hand-over to the gateway to the arrival at the EHR, without readings that waited for a cut link. */
  readonly latency_ms: { readonly p50: number; readonly p99: number };
  readonly held: number;
  readonly rejected: number;
  /** Readings that devices sent twice on purpose. */
  readonly resent: number;
  /** Readings that were under way while the link was cut. */
  readonly through_link_cut: number;
}

const now = (): number => systemClock.now();

/** Posts readings as the devices would, some of them twice. */
class Post {
  readonly #gatewayUrl: string;
  readonly #underWay = new Set<Promise<void>>();
  #count = 0;
  #failure: unknown;
  resent = 0;
  constructor(gatewayUrl: string) {
    this.#gatewayUrl = gatewayUrl;
  }
  send(message: Message): void {
    this.#track(this.#post(message));
    if (++this.#count % RESEND_EVERY !== 0) return;
    this.resent += message.readings.length;
    this.#track(pause(RESEND_AFTER_MS).then(() => this.#post(message)));
  }
  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    work
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#underWay.delete(work));
  }
  async #post({ readings }: Message): Promise<void> {
    const response = await fetch(`${this.#gatewayUrl}/ingest/readings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ readings }),
    });
    const answer = (await response.json()) as { results?: { status: string }[] };
    if (response.status !== 202 || answer.results?.some((r) => r.status !== 'queued'))
      throw new Error(`the gateway answered ${response.status} ${JSON.stringify(answer).slice(0, 200)}`);
  }
  /** @throws Error when a post failed */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** @returns false when it did not happen in time. @throws when the play is ended */
async function until(
  condition: () => Promise<boolean> | boolean,
  msMax: number,
  signal: AbortSignal,
): Promise<boolean> {
  const end = now() + msMax;
  while (!(await condition())) {
    if (now() > end) return false;
    await pause(50, undefined, { signal });
  }
  return true;
}

/** Cuts the wire for a while, and waits until the gateway has caught up. */
async function cutLink(stage: Stage, tally: Tally, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const span: Span = { from: now(), until: Number.POSITIVE_INFINITY };
  tally.cut(span);
  terminal.note('The link between gateway and server is cut: readings wait in the gateway, encrypted, on disk.');
  stage.link.cut();
  await pause(CUT_MS, undefined, { signal });
  stage.link.mend();
  const mended = now();
  let most = 0;
  const caughtUp = async (): Promise<boolean> => {
    const { connected, waiting } = await gatewayStatus(stage);
    most = Math.max(most, waiting);
    return connected && waiting === 0;
  };
  await until(caughtUp, ARRIVAL_MS_MAX, signal);
  span.until = now();
  terminal.note(
    `The link is back: up to ${most} readings waited, and ${span.until - mended} ms later all are at the server.`,
  );
}

/** Cuts the wire early on and then rarely, until the time is over. */
async function measuring(stage: Stage, tally: Tally, terminal: Terminal, { ms, signal }: PlayOptions): Promise<void> {
  const end = ms === undefined ? Number.POSITIVE_INFINITY : now() + ms;
  for (let wait = CUT_AFTER_MS; now() + wait < end; wait = CUT_AGAIN_MS) {
    await pause(wait, undefined, { signal });
    await cutLink(stage, tally, terminal, signal);
  }
  await pause(Math.max(0, end - now()), undefined, { signal });
}

function summarize(tally: Tally, post: Post, before: Balance, after: Balance): Summary {
  return {
    sent: tally.readings,
    stored: after.stored - before.stored,
    duplicates: after.duplicate - before.duplicate,
    notified: tally.notified,
    missing: tally.missing,
    latency_ms: tally.latency(),
    held: after.held - before.held,
    rejected: after.rejected - before.rejected,
    resent: post.resent,
    through_link_cut: tally.throughCut,
  };
}

/** One run from the first reading to the last. @throws the reason of `signal` when that ends it, or what failed */
export async function play(stage: Stage, tally: Tally, terminal: Terminal, options: PlayOptions): Promise<Summary> {
  const { signal } = options;
  const before = await balanceOf(stage);
  const post = new Post(stage.gatewayUrl);
  const measured = (message: Message): void => {
    tally.sent(message, now());
    post.send(message);
  };
  const ward = createWard({ clock: systemClock, seed: options.seed, run: randomUrl(6), measured });
  const sayTotals = ({ waiting }: { waiting: number }): void =>
    terminal.totals(tally.readings, tally.missing, waiting, tally.latency());
  const totals = setInterval(() => void gatewayStatus(stage).then(sayTotals, () => undefined), TOTALS_MS);
  try {
    ward.start();
    await measuring(stage, tally, terminal, options);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    ward.stop();
    clearInterval(totals);
  }
  await post.settled();
  await until(() => tally.missing === 0, ARRIVAL_MS_MAX, signal);
  await until(async () => (await gatewayStatus(stage)).waiting === 0, ARRIVAL_MS_MAX, signal);
  return summarize(tally, post, before, await balanceOf(stage));
}
