/** The only place that asks what time it is; tests pass their own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

let lastMs = -1;
let lastText = '';
/** FHIR instant in UTC with milliseconds, e.g. `2026-11-22T07:05:09.120Z`. Cached per millisecond: it is on every write. */
export function instant(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}
