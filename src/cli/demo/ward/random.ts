/** Reproducible randomness: the same seed gives the same ward. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** Standard normal. */
  normal(): number;
}

/** mulberry32: 32 bits of state, good enough for a simulated patient. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    // Box-Muller; 1 - next() is never 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

/** A value that wanders about zero and comes back: an Ornstein-Uhlenbeck process. */
export function wanderer(random: Random, deviation: number, minutesToForget: number): (minutes: number) => number {
  let value = random.normal() * deviation;
  return (minutes) => {
    const keep = Math.exp(-minutes / minutesToForget);
    value = value * keep + random.normal() * deviation * Math.sqrt(1 - keep * keep);
    return value;
  };
}
