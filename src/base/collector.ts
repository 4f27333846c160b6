/** Settings of V8's garbage collector for a process that lives long and forgets each request soon. */
import { setFlagsFromString } from 'node:v8';

/**
 * To be called before anything is under load. V8 notices that what waits for a commit survives a collection, and from then on
 * puts such objects among the old ones at once. Those are dead a moment later, but until the next full collection they keep
 * alive everything young that they refer to, so that nearly all of a request is copied twice and promoted. Without that habit
 * 100 readings a request cost a sixth less CPU and a FHIR create an eighth; see docs/performance.md.
 */
export function forgetSoon(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
