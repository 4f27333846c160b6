/**
 * Where calls that others asked for (webhooks, `jwks_uri`) may go. The address is checked when the connection is made, after
 * the name was resolved, so a name that changes its mind between check and use gains nothing. CONTRACT §1
 * ALLOW_PRIVATE_ENDPOINTS, ALLOW_INSECURE_HTTP.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';

export interface OutgoingRules {
  /** Loopback and private addresses too. */
  readonly allowPrivateEndpoints: boolean;
  /** `http:` too. */
  readonly allowInsecureHttp: boolean;
}

/** Ranges of one's own network. Link-local stays closed even then: that is where clouds keep credentials. */
const OWN_NETWORK = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);

/** Whether a connection may be made to this IP address (text). Mapped IPv4 counts as what it maps; tunnels are refused. */
export function mayReach(address: string, rules: OutgoingRules): boolean {
  if (!ipaddr.isValid(address)) return false;
  const range = ipaddr.process(address).range();
  return range === 'unicast' || (rules.allowPrivateEndpoints && OWN_NETWORK.has(range));
}

/** `[::1]` → `::1`. */
const literal = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

/** What is wrong with an address that someone else gave us to call, as a sentence; undefined when nothing is. */
export function outgoingMistake(text: string, rules: OutgoingRules): string | undefined {
  const url = URL.parse(text);
  if (!url) return 'it is not an absolute URL';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'it must begin with https:';
  if (url.protocol === 'http:' && !rules.allowInsecureHttp)
    return 'it must begin with https: (http: is for servers with ALLOW_INSECURE_HTTP=true)';
  if (url.username !== '' || url.password !== '') return 'it must not hold a user name or password';
  if (url.hash !== '') return 'it must not have a fragment';
  const host = literal(url.hostname);
  if (ipaddr.isValid(host) && !mayReach(host, rules))
    return 'it names an address that is not public (loopback and private ones need ALLOW_PRIVATE_ENDPOINTS=true)';
  return undefined;
}

class AddressRefused extends Error {
  constructor(host: string) {
    super(`${host} has no address that may be reached`);
    this.name = 'AddressRefused';
  }
}

/** A connector for undici's Agent, Pool or Client that reaches nothing but what the rules allow. */
export function guardedConnector(
  rules: OutgoingRules,
  options: buildConnector.BuildOptions = {},
): buildConnector.connector {
  const lookup: LookupFunction = (hostname, given, callback) => {
    dnsLookup(hostname, { ...given, all: true }, (error, found) => {
      if (error) return callback(error, '');
      const allowed = (found as LookupAddress[]).filter((a) => mayReach(a.address, rules));
      const [first] = allowed;
      if (first === undefined) return callback(new AddressRefused(hostname), '');
      if (given.all) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ ...options, lookup });
  return (target, callback) => {
    const host = literal(target.hostname);
    // Node resolves no literal, so `lookup` never sees one.
    if (ipaddr.isValid(host) && !mayReach(host, rules)) return callback(new AddressRefused(host), null);
    return connect(target, callback);
  };
}
