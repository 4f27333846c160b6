/** When a failed delivery is tried again: 5 s, 30 s, 2 m, 10 m, 30 m, then hourly, ±20 %. */
const STEPS_MS: readonly number[] = [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000];
const JITTER = 0.2;

/**
 * @param failures how many attempts failed since the last success, 1 or more
 * @param retryAfterMs what the receiver asked for, already bounded; it never shortens the wait
 * @param random [0, 1)
 */
export function retryDelay(failures: number, retryAfterMs: number | undefined, random = Math.random()): number {
  const step = STEPS_MS[Math.min(failures, STEPS_MS.length) - 1] ?? 0;
  return Math.max(Math.round(step * (1 - JITTER + 2 * JITTER * random)), retryAfterMs ?? 0);
}

/** `Retry-After` as ms from now: seconds or an HTTP date. RFC 9110 §10.2.3 */
export function retryAfter(header: string | undefined, nowMs: number, msMax: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), msMax);
}
