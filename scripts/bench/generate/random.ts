/** A seeded random source (mulberry32): the same seed gives the same bytes on every machine. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }
  /** [0, 1) */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  /** Whole number below n. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  /** Roughly normal around 0 with deviation 1. */
  normal(): number {
    return this.next() + this.next() + this.next() + this.next() + this.next() + this.next() - 3;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  /** Index below n where the first tenth gets most of the picks: some patients are looked at far more often than others. */
  zipf(n: number): number {
    return this.next() < 0.8 ? this.below(Math.max(1, Math.floor(n / 10))) : this.below(n);
  }
}
