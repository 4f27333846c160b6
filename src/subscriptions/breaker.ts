/** Stops trying an origin that does not answer: after some failures in a row one probe at a time is let through. */
import type { Limits } from '../base/limits.ts';

interface Health {
  failures: number;
  openUntil: number;
  probing: boolean;
}

const OPEN_MS_MIN = 5_000;
const OPEN_MS_MAX = 60_000;
const PROBE_MS = 1_000;

export class Breaker {
  readonly #limits: Limits;
  readonly #origins = new Map<string, Health>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get open(): number {
    let n = 0;
    for (const health of this.#origins.values()) if (health.failures >= this.#limits.deliveryFailuresBeforeBreak) n++;
    return n;
  }

  /** 0: go ahead (and report the outcome with `answered` or `failed`); else ms to wait before asking again. */
  delay(origin: string, now: number): number {
    const health = this.#origins.get(origin);
    if (!health || health.failures < this.#limits.deliveryFailuresBeforeBreak) return 0;
    if (now < health.openUntil) return health.openUntil - now;
    if (health.probing) return PROBE_MS;
    health.probing = true;
    return 0;
  }

  answered(origin: string): void {
    this.#origins.delete(origin);
  }

  /** No answer at all, or one that says the whole receiver is overloaded. */
  failed(origin: string, now: number): void {
    const health = this.#origins.get(origin) ?? { failures: 0, openUntil: 0, probing: false };
    health.failures++;
    health.probing = false;
    const beyond = health.failures - this.#limits.deliveryFailuresBeforeBreak;
    health.openUntil = now + Math.min(OPEN_MS_MAX, OPEN_MS_MIN * 2 ** Math.max(0, beyond));
    this.#origins.set(origin, health);
  }

  /** The probe ended without an outcome (it was aborted). */
  undecided(origin: string): void {
    const health = this.#origins.get(origin);
    if (health) health.probing = false;
  }
}
