/** What the answer of a receiver means. */
import type { Outcome } from './channels/rest-hook.ts';
import type { DeliveryError } from './state.ts';

/** The receiver says that it cannot take anything just now: 429 and the 5xx of proxies. */
const OVERLOADED = new Set([429, 502, 503, 504]);

/** It speaks of the whole origin, not of this endpoint. */
export const isOriginDown = (outcome: Outcome): boolean =>
  outcome.kind === 'none' || (outcome.kind === 'answer' && OVERLOADED.has(outcome.status));

/** The endpoint does not want to be asked again. */
export const isGone = (outcome: Outcome): boolean => outcome.kind === 'answer' && outcome.status === 410;

/** Only 2xx is an acknowledgement; a redirect is not followed and is none. */
export function errorOf(outcome: Outcome): DeliveryError | undefined {
  if (outcome.kind === 'none') return outcome.error;
  if (outcome.kind === 'aborted' || (outcome.status >= 200 && outcome.status < 300)) return undefined;
  return 'error-response';
}

/** For `Subscription.error`. */
export function sentence(outcome: Outcome): string {
  if (outcome.kind === 'answer') return `the endpoint answered ${outcome.status}`;
  return outcome.kind === 'none' && outcome.error === 'dns-resolution-error'
    ? 'the name of the endpoint could not be resolved'
    : 'the endpoint did not answer';
}
