/** Who sent what, what the hospital was told, and how long it took. */
import { kind } from '../../devices/kinds.ts';
import type { EventLine } from './ehr.ts';
import type { Message } from './ward/ward.ts';

interface Sent {
  readonly message: Tracked;
  /** Handed to the gateway, milliseconds since 1970. */
  readonly at: number;
  toldAt: number | undefined;
}

/** A message of a device with the readings of it that are still on their way. */
export interface Tracked {
  readonly message: Message;
  readonly at: number;
  waiting: number;
}

/** From – until, milliseconds since 1970. */
export interface Span {
  readonly from: number;
  until: number;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Nearest rank. @param share 0 to 1 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

const codesOf = (name: string): readonly string[] => kind(name)?.codings.map((c) => c.code) ?? [];
const place = (device: string, atMs: number, code: string): string => `${device} ${atMs} ${code}`;

export class Tally {
  /** By device, time and code: that is what a reading and an Observation have in common. */
  readonly #byPlace = new Map<string, Sent>();
  readonly #sent: Sent[] = [];
  readonly #cuts: Span[] = [];
  notified = 0;

  /** One message of a device, each of its readings expected once at the hospital. */
  sent(message: Message, at: number): void {
    const tracked: Tracked = { message, at, waiting: message.readings.length };
    for (const reading of message.readings) {
      const sent: Sent = { message: tracked, at, toldAt: undefined };
      this.#sent.push(sent);
      for (const code of codesOf(reading.kind))
        this.#byPlace.set(place(`Device/${message.device.id}`, Date.parse(reading.time), code), sent);
    }
  }

  /** @returns the message when this was the last of its readings */
  told(event: EventLine): Tracked | undefined {
    this.notified++;
    const ms = Date.parse(event.effective);
    const sent = event.codes
      .map((code) => this.#byPlace.get(place(event.device, ms, code)))
      .find((s) => s !== undefined);
    if (!sent || sent.toldAt !== undefined) return undefined;
    sent.toldAt = event.at;
    return --sent.message.waiting === 0 ? sent.message : undefined;
  }

  /** The link is cut: from now until the span is closed readings wait, and say nothing about latency. */
  cut(span: Span): void {
    this.#cuts.push(span);
  }

  get readings(): number {
    return this.#sent.length;
  }

  get missing(): number {
    return this.#sent.filter((s) => s.toldAt === undefined).length;
  }

  #waited({ at, toldAt }: Sent): boolean {
    return this.#cuts.some((cut) => at <= cut.until && (toldAt ?? at) >= cut.from);
  }

  /** Readings that were under way while the link was cut. */
  get throughCut(): number {
    return this.#sent.filter((s) => this.#waited(s)).length;
  }

  /** From the hand-over to the gateway to the arrival at the hospital, milliseconds by one clock; without what waited for a cut link. */
  latency(): Latency {
    const all = this.#sent.flatMap((s) => (s.toldAt === undefined || this.#waited(s) ? [] : [s.toldAt - s.at]));
    return { p50: percentile(all, 0.5), p99: percentile(all, 0.99) };
  }
}
