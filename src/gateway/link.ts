/** What is known about the way to the server: is it there, how far apart are the clocks, when may it be tried again. */
import type { Clock } from '../base/clock.ts';
import { backoffMs } from './retry.ts';
import type { Exchange, Unreachable } from './uplink.ts';

export interface Link {
  /** The last attempt reached a working server. */
  readonly connected: boolean;
  /** This clock minus the server's, milliseconds; the server tells whole seconds. Undefined until it answered once. */
  readonly skewMs: number | undefined;
  /** No attempt before this, milliseconds since 1970; 0 when nothing is wrong. */
  readonly notBefore: number;
  /** Milliseconds since 1970 of the last answer. */
  readonly heardAt: number | undefined;
  /** The server's time as far as it is known. */
  serverNow(): number;
  heard(exchange: Exchange): void;
  works(): void;
  failed(error: Unreachable): void;
}

/** A Date header has no fractions: on average the clock behind it is half a second further. */
const DATE_HEADER_MS_LOST = 500;
/** Below this the two clocks agree as far as a Date header can tell. */
const SKEW_MS_IGNORED = 2_000;

export function createLink(clock: Clock, random: () => number = Math.random): Link {
  let connected = false;
  let skewMs: number | undefined;
  let heardAt: number | undefined;
  let notBefore = 0;
  let attempts = 0;
  let failingSince = 0;
  return {
    get connected() {
      return connected;
    },
    get skewMs() {
      return skewMs;
    },
    get notBefore() {
      return notBefore;
    },
    get heardAt() {
      return heardAt;
    },
    serverNow: () => clock.now() - (skewMs !== undefined && Math.abs(skewMs) > SKEW_MS_IGNORED ? skewMs : 0),
    heard({ date }) {
      heardAt = clock.now();
      const at = Date.parse(Array.isArray(date) ? (date[0] ?? '') : (date ?? ''));
      if (Number.isFinite(at)) skewMs = Math.round(heardAt - at - DATE_HEADER_MS_LOST);
    },
    works() {
      connected = true;
      attempts = 0;
      notBefore = 0;
    },
    failed(error) {
      const now = clock.now();
      connected = false;
      // Batches that were under way together fail together: that is one failure.
      if (notBefore > now) return;
      if (attempts === 0) failingSince = now;
      const wait = backoffMs(attempts++, now - failingSince, random());
      // Retry-After is the least; the jitter on top keeps a fleet from coming back in one instant.
      notBefore = now + (error.retryAfterMs ?? 0) + wait;
    },
  };
}
