/**
 * How many notifications are under way: over all, and to one origin, so that a dead receiver costs the others nothing. Waiters
 * are served origin by origin in turn, each origin in order.
 */
import type { Limits } from '../base/limits.ts';

type Grant = () => void;

interface Origin {
  inFlight: number;
  readonly waiting: Grant[];
}

export class Slots {
  readonly #limits: Limits;
  readonly #origins = new Map<string, Origin>();
  /** Origins with somebody waiting and room for them, in turn. */
  readonly #turn = new Set<string>();
  #inFlight = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    let n = 0;
    for (const origin of this.#origins.values()) n += origin.waiting.length;
    return n;
  }

  /** Resolves when it is this one's turn; `release` must be called once. */
  acquire(name: string): Promise<void> {
    let origin = this.#origins.get(name);
    if (!origin) {
      origin = { inFlight: 0, waiting: [] };
      this.#origins.set(name, origin);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    origin.waiting.push(resolve);
    this.#turn.add(name);
    this.#serve();
    return promise;
  }

  release(name: string): void {
    const origin = this.#origins.get(name);
    if (!origin) return;
    origin.inFlight--;
    this.#inFlight--;
    if (origin.waiting.length > 0) this.#turn.add(name);
    else if (origin.inFlight === 0) this.#origins.delete(name);
    this.#serve();
  }

  #serve(): void {
    while (this.#inFlight < this.#limits.deliveriesInFlightMax) {
      const name = this.#turn.values().next().value;
      if (name === undefined) return;
      this.#turn.delete(name);
      const origin = this.#origins.get(name);
      if (!origin || origin.inFlight >= this.#limits.deliveriesPerOriginMax) continue;
      const grant = origin.waiting.shift();
      if (!grant) continue;
      origin.inFlight++;
      this.#inFlight++;
      if (origin.waiting.length > 0) this.#turn.add(name);
      grant();
    }
  }
}
