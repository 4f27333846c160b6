/** The play: a ward measures, a gateway carries, a server keeps, a hospital is told; once the wire is cut. */
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../base/clock.ts';
import { randomUrl } from '../../base/hash.ts';
import type { EventLine } from './ehr.ts';
import { type Balance, balanceOf, gatewayStatus, type Stage, Theatre } from './stage.ts';
import { type Span, Tally } from './tally.ts';
import { Terminal } from './terminal.ts';
import { createWard, type Message } from './ward/ward.ts';

export interface DemoOptions {
  /** Run to the end, print the summary, exit; otherwise run until Ctrl-C. */
  readonly exit: boolean;
  readonly seed: number;
}

const PLAY_MS = 18_000;
const CUT_AFTER_MS = 8_000;
const CUT_MS = 2_000;
const CUT_AGAIN_MS = 90_000;
const ARRIVAL_MS_MAX = 30_000;
const TOTALS_MS = 5_000;
/** One message in so many is sent twice, as a device does that missed the answer. */
const RESEND_EVERY = 12;
const RESEND_AFTER_MS = 400;

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

async function until(condition: () => Promise<boolean> | boolean, msMax: number): Promise<boolean> {
  const end = now() + msMax;
  while (!(await condition())) {
    if (now() > end) return false;
    await pause(50);
  }
  return true;
}

/** Cuts the wire for a while, and waits until the gateway has caught up. */
async function cutLink(stage: Stage, tally: Tally, terminal: Terminal): Promise<void> {
  const span: Span = { from: now(), until: Number.POSITIVE_INFINITY };
  tally.cut(span);
  terminal.note('The link between gateway and server is cut: readings wait in the gateway, encrypted, on disk.');
  stage.link.cut();
  await pause(CUT_MS);
  stage.link.mend();
  const mended = now();
  const { waiting } = await gatewayStatus(stage);
  await until(async () => {
    const status = await gatewayStatus(stage);
    return status.connected && status.waiting === 0;
  }, ARRIVAL_MS_MAX);
  await until(() => tally.missing === 0, 1_000);
  span.until = now();
  terminal.note(
    `The link is back: ${waiting} readings that waited are delivered, ${span.until - mended} ms after it was mended.`,
  );
}

interface Summary {
  readonly sent: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly notified: number;
  readonly missing: number;
  readonly latency_ms: { readonly p50: number; readonly p99: number };
  readonly [more: string]: unknown;
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

/** One run from the first reading to the last. @returns the summary */
async function play(
  stage: Stage,
  tally: Tally,
  terminal: Terminal,
  options: DemoOptions,
  ended: Promise<unknown>,
): Promise<Summary> {
  const before = await balanceOf(stage);
  const post = new Post(stage.gatewayUrl);
  const run = randomUrl(6);
  const ward = createWard({
    clock: systemClock,
    seed: options.seed,
    run,
    measured(message) {
      tally.sent(message, now());
      post.send(message);
    },
  });
  const totals = setInterval(() => {
    gatewayStatus(stage).then(
      ({ waiting }) => terminal.totals(tally.readings, tally.missing, waiting, tally.latency()),
      () => undefined,
    );
  }, TOTALS_MS);
  let open = true;
  const over = Promise.race([ended, ...(options.exit ? [pause(PLAY_MS)] : [])]).finally(() => {
    open = false;
  });
  ward.start();
  for (let wait = CUT_AFTER_MS; open; wait = CUT_AGAIN_MS) {
    await Promise.race([over, pause(wait, undefined, { ref: false })]);
    if (open) await cutLink(stage, tally, terminal);
  }
  ward.stop();
  clearInterval(totals);
  await post.settled();
  await until(() => tally.missing === 0, ARRIVAL_MS_MAX);
  await until(async () => (await gatewayStatus(stage)).waiting === 0, ARRIVAL_MS_MAX);
  return summarize(tally, post, before, await balanceOf(stage));
}

/** @returns the exit code: 0 when nothing is missing */
export async function runPlay(options: DemoOptions): Promise<number> {
  // With --exit stdout belongs to the summary.
  const terminal = new Terminal(options.exit ? process.stderr : process.stdout, systemClock);
  const stopped = Promise.withResolvers<'stopped'>();
  const died = Promise.withResolvers<never>();
  died.promise.catch(() => undefined);
  const theatre = new Theatre((sentence) => died.reject(new Error(sentence)));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      // The terminal's Ctrl-C reaches the children too.
      theatre.dismiss();
      stopped.resolve('stopped');
    });
  const clear = (): void => theatre.clear();
  process.once('exit', clear);
  const tally = new Tally();
  try {
    const told = (line: Readonly<Record<string, unknown>>): void => {
      if (line['msg'] !== 'event') return;
      const event = line as unknown as EventLine;
      const complete = tally.told(event);
      if (complete) terminal.arrived(complete, event.at);
    };
    const building = theatre.build((step) => terminal.step(step), told);
    building.catch(() => undefined);
    const stage = await Promise.race([building, died.promise, stopped.promise]);
    if (stage === 'stopped') return 130;
    show(stage, terminal, options);
    const playing = play(stage, tally, terminal, options, stopped.promise);
    playing.catch(() => undefined);
    const finished = await Promise.race([playing, died.promise, ...(options.exit ? [stopped.promise] : [])]);
    if (finished === 'stopped') return 130;
    return conclude(finished, options);
  } catch (error) {
    terminal.failure((error as Error).message);
    return 1;
  } finally {
    terminal.step('Stopping …');
    await theatre.strike();
    process.removeListener('exit', clear);
  }
}

function show(stage: Stage, terminal: Terminal, options: DemoOptions): void {
  terminal.addresses([
    ['Hospital EHR', `${stage.ehrUrl}/`, 'open this: live vital signs of three patients, by subscription'],
    ['FHIR base', `${stage.serverUrl}/fhir`, 'R4; /metadata needs no login'],
    ['Edge gateway', `${stage.gatewayUrl}/`, 'what waits there; /status as JSON'],
  ]);
  terminal.step(options.exit ? 'Running to the end, about 20 seconds.' : 'Ctrl-C stops everything.');
}

function conclude(summary: Summary, { exit }: DemoOptions): number {
  const whole = summary.missing === 0 && summary.stored === summary.sent && summary.notified >= summary.sent;
  console.log(exit ? JSON.stringify(summary) : `${JSON.stringify(summary, undefined, 2)}`);
  return whole ? 0 : 1;
}
