/** Opens the theatre, lets it play, and leaves nothing behind, whatever happens. */
import { systemClock } from '../../base/clock.ts';
import type { Line } from './child.ts';
import type { EventLine } from './ehr.ts';
import { play, type Summary } from './play.ts';
import { type Stage, Theatre } from './stage.ts';
import { Tally } from './tally.ts';
import { Terminal } from './terminal.ts';

export interface DemoOptions {
  /** Run to the end, print the summary, exit; otherwise run until Ctrl-C. */
  readonly exit: boolean;
  readonly seed: number;
  /** How long the ward measures with `exit`. */
  readonly seconds: number;
}

/** Someone pressed Ctrl-C. */
class Stopped extends Error {}

/** @returns the exit code: 0 when nothing is missing, 130 when a run to the end was stopped */
export async function runPlay(options: DemoOptions): Promise<number> {
  // With --exit stdout belongs to the summary.
  const terminal = new Terminal(options.exit ? process.stderr : process.stdout, systemClock);
  const end = new AbortController();
  const theatre = new Theatre((sentence) => end.abort(new Error(sentence)));
  const stop = (): void => {
    // The terminal's Ctrl-C reaches the children too: that they end is no surprise.
    theatre.dismiss();
    end.abort(new Stopped());
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  const clear = (): void => theatre.clear();
  process.once('exit', clear);
  const tally = new Tally();
  try {
    const summary = await perform(theatre, tally, terminal, options, end.signal);
    console.log(JSON.stringify(summary));
    return summary.missing === 0 && summary.stored === summary.sent ? 0 : 1;
  } catch (error) {
    const reason: unknown = end.signal.aborted ? end.signal.reason : error;
    if (reason instanceof Stopped) return options.exit ? 130 : 0;
    terminal.failure((reason as Error).message);
    return 1;
  } finally {
    terminal.step('Stopping …');
    await theatre.strike();
    process.removeListener('exit', clear);
    for (const signal of signals) process.removeListener(signal, stop);
  }
}

async function perform(
  theatre: Theatre,
  tally: Tally,
  terminal: Terminal,
  options: DemoOptions,
  signal: AbortSignal,
): Promise<Summary> {
  const told = (line: Line): void => {
    if (line['msg'] !== 'event') return;
    const event = line as unknown as EventLine;
    const complete = tally.told(event);
    if (complete) terminal.arrived(complete, event.at);
  };
  const stage = await orEnd(
    theatre.build((step) => terminal.step(step), told),
    signal,
  );
  show(stage, terminal, options);
  const { exit, seconds, seed } = options;
  return orEnd(play(stage, tally, terminal, { seed, ms: exit ? seconds * 1000 : undefined, signal }), signal);
}

/** @throws the reason of `signal` as soon as it is aborted */
function orEnd<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject);
  });
}

function show(stage: Stage, terminal: Terminal, { exit, seconds }: DemoOptions): void {
  terminal.addresses([
    ['Hospital EHR', `${stage.ehrUrl}/`, 'open this: live vital signs of three patients, by subscription'],
    ['FHIR base', `${stage.serverUrl}/fhir`, 'R4; /metadata needs no login'],
    ['Edge gateway', `${stage.gatewayUrl}/`, 'what waits there; /status as JSON'],
  ]);
  terminal.step(exit ? `The ward measures for ${seconds} seconds.` : 'Ctrl-C stops everything.');
}
