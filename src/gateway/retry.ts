/** How long to wait after a failure. */
import { limits } from '../base/limits.ts';

/**
 * Full jitter over a window that doubles from 1 s. The window is bounded by a quarter of how long it has been failing (at
 * least 4 s, at most 5 minutes): a short cut is noticed within seconds, a long one costs the network little, and no one
 * ever gives up.
 * @param attempt 0 for the first failure
 * @param failingMs since the first failure of this row
 * @param random in [0, 1)
 */
export function backoffMs(attempt: number, failingMs: number, random: number): number {
  const { gatewayRetryMsMin: min, gatewayRetryMsMax: max } = limits;
  const bound = Math.min(max, Math.max(4 * min, failingMs / 4));
  const window = Math.min(bound, min * 2 ** Math.min(attempt, 30));
  return Math.round(random * window);
}

/** RFC 9110 §10.2.3: seconds or an HTTP date. Undefined when absent or unreadable. */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim();
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), limits.gatewayRetryAfterMsMax) : undefined;
}
