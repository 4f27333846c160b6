/** What happens, as it happens, without flooding the terminal. */
import { styleText } from 'node:util';
import type { Clock } from '../../base/clock.ts';
import type { Latency, Tracked } from './tally.ts';
import { inWords } from './ward/readings.ts';

const MESSAGE_MS_MIN = 350;

export class Terminal {
  readonly #out: NodeJS.WriteStream;
  readonly #clock: Clock;
  #lastMessage = 0;
  #unsaid = 0;

  constructor(out: NodeJS.WriteStream, clock: Clock) {
    this.#out = out;
    this.#clock = clock;
  }

  #style(format: Parameters<typeof styleText>[0], text: string): string {
    return styleText(format, text, { stream: this.#out });
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  step(text: string): void {
    this.line(this.#style('gray', text));
  }

  addresses(list: readonly (readonly [string, string, string])[]): void {
    this.line();
    for (const [name, url, what] of list)
      this.line(`  ${name.padEnd(14)} ${this.#style('bold', url.padEnd(38))} ${this.#style('gray', what)}`);
    this.line();
  }

  /** A message of a device has arrived at the hospital, all of its readings. */
  arrived({ message, at }: Tracked, toldAt: number): void {
    if (toldAt - this.#lastMessage < MESSAGE_MS_MIN) {
      this.#unsaid++;
      return;
    }
    this.#lastMessage = toldAt;
    const { patient, type } = message.device;
    const more = this.#unsaid === 0 ? '' : this.#style('gray', `  (+${this.#unsaid} more)`);
    this.#unsaid = 0;
    const what = inWords(message.readings).padEnd(58);
    this.line(
      `${this.#time(at)}  ${`${patient.given} ${patient.family}`.padEnd(17)} ${type.padEnd(11)} ${what} ${this.#style('cyan', `EHR told in ${toldAt - at} ms`)}${more}`,
    );
  }

  totals(readings: number, missing: number, waiting: number, latency: Latency): void {
    this.step(
      `          ${readings} readings in, ${readings - missing} at the EHR, ${waiting} waiting in the gateway; latency p50 ${latency.p50} ms, p99 ${latency.p99} ms`,
    );
  }

  note(text: string): void {
    this.line(`${this.#time(this.#clock.now())}  ${this.#style('yellow', text)}`);
  }

  failure(text: string): void {
    this.line(this.#style('red', text));
  }

  #time(ms: number): string {
    return this.#style('gray', new Date(ms).toTimeString().slice(0, 8));
  }
}
