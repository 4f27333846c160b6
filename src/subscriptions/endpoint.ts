/** Where notifications go: what can be said of an endpoint before anything is sent there. */
import { type OutgoingRules, outgoingMistake } from '../base/outgoing.ts';

export interface EndpointPolicy extends OutgoingRules {
  /** The server's own address, e.g. `https://fhir.example.org`. */
  readonly baseUrl: string;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|0\.0\.0\.0|\[::\])$/;
const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80');

/** The same socket by the same name, or by another name of this machine. */
function isOwnAddress(url: URL, baseUrl: string): boolean {
  const own = new URL(baseUrl);
  if (portOf(url) !== portOf(own)) return false;
  return url.hostname === own.hostname || (LOOPBACK.test(url.hostname) && LOOPBACK.test(own.hostname));
}

/** @returns a sentence that says why nothing may be sent there; undefined when it may. */
export function endpointMistake(endpoint: string, policy: EndpointPolicy): string | undefined {
  const mistake = outgoingMistake(endpoint, policy);
  if (mistake !== undefined) return `The endpoint is refused: ${mistake}.`;
  return isOwnAddress(new URL(endpoint), policy.baseUrl) ? 'The endpoint is this server itself.' : undefined;
}
