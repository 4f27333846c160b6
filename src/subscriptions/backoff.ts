/** When a failed delivery is tried again: 5 s, 30 s, 2 m, 10 m, 30 m, then hourly, ±20 %. In units of the first wait: */
const STEPS: readonly number[] = [1, 6, 24, 120, 360, 720];
const JITTER = 0.2;

/**
 * @param msMin the first wait
 * @param failures how many attempts failed since the last success, 1 or more
 * @param retryAfterMs what the receiver asked for, already bounded; it never shortens the wait
 * @param random [0, 1)
 */
export function retryDelay(
  msMin: number,
  failures: number,
  retryAfterMs: number | undefined,
  random = Math.random(),
): number {
  const step = msMin * (STEPS[Math.min(failures, STEPS.length) - 1] ?? 1);
  return Math.max(Math.round(step * (1 - JITTER + 2 * JITTER * random)), retryAfterMs ?? 0);
}

/** `Retry-After` as ms from now: seconds or an HTTP date. RFC 9110 §10.2.3 */
export function retryAfter(header: string | undefined, nowMs: number, msMax: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), msMax);
}
