/**
 * Keys behind a `jwks_uri`. Kept no longer than the client's Cache-Control says, asked for again early when an assertion names
 * a key that is not among them (a rotation), and fetched only from where outgoing calls may go. SMART App Launch 2.2
 * client-confidential-asymmetric: JWKS caching.
 */
import { Agent, request } from 'undici';
import type { Clock } from '../base/clock.ts';
import type { Limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { guardedConnector, type OutgoingRules, outgoingMistake } from '../base/outgoing.ts';
import { type PublicJwk, usableKeys } from './jwks.ts';

export interface KeySource {
  /** The keys at `uri` now; empty when they cannot be had. `kid`: the key that is wanted. */
  keys(uri: string, kid: string | undefined): Promise<readonly PublicJwk[]>;
  close(): Promise<void>;
}

export interface KeySourceOptions extends OutgoingRules {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Logger;
}

interface Entry {
  readonly keys: readonly PublicJwk[];
  readonly freshUntil: number;
  /** When it was asked for again early, within the last minute. */
  early: readonly number[];
}

/** Without a word from the client. */
const DEFAULT_MS = 60_000;

const one = (header: string | string[] | undefined): string =>
  Array.isArray(header) ? header.join(', ') : (header ?? '');

/** Milliseconds for which an answer may be kept. RFC 9111 §4.2, as a private cache that never serves stale. */
export function freshness(headers: Readonly<Record<string, string | string[] | undefined>>, now: number): number {
  const control = one(headers['cache-control']).toLowerCase();
  if (/(^|[\s,])no-(store|cache)\b/.test(control)) return 0;
  const age = Number(one(headers['age'])) || 0;
  const maxAge = /(?:^|[\s,])max-age\s*=\s*"?(\d+)/.exec(control);
  if (maxAge) return Math.max(0, Number(maxAge[1]) - age) * 1000;
  const expires = one(headers['expires']);
  if (expires !== '') return Math.max(0, (Date.parse(expires) || 0) - now);
  return DEFAULT_MS;
}

async function readBounded(body: AsyncIterable<Buffer>, bytesMax: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > bytesMax) throw new Error(`the key set is larger than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

export function createKeySource(options: KeySourceOptions): KeySource {
  const { clock, limits, log } = options;
  const agent = new Agent({
    connect: guardedConnector(options, { timeout: limits.jwksFetchMsMax }),
    headersTimeout: limits.jwksFetchMsMax,
    bodyTimeout: limits.jwksFetchMsMax,
    maxHeaderSize: 16 * 1024,
    connections: 2,
  });
  const entries = new Map<string, Entry>();
  const under = new Map<string, Promise<Entry>>();

  async function fetchKeys(uri: string): Promise<Entry> {
    const mistake = outgoingMistake(uri, options);
    if (mistake !== undefined) throw new Error(mistake);
    const signal = AbortSignal.timeout(limits.jwksFetchMsMax);
    // undici follows no redirect by itself: a redirect is an answer that is not 200.
    const response = await request(uri, { dispatcher: agent, signal, headers: { accept: 'application/json' } });
    if (response.statusCode !== 200) {
      response.body.on('error', () => undefined).destroy();
      throw new Error(`it answered ${response.statusCode}, not 200`);
    }
    const text = await readBounded(response.body, limits.jwksBytesMax);
    const now = clock.now();
    const kept = Math.min(freshness(response.headers, now), limits.jwksCacheMsMax);
    return { keys: usableKeys(JSON.parse(text)), freshUntil: now + kept, early: [] };
  }

  /** One call at a time for an address, however many assertions wait for it. */
  function refresh(uri: string): Promise<Entry> {
    const running = under.get(uri);
    if (running) return running;
    const started = fetchKeys(uri)
      .then((entry) => {
        entry.early = entries.get(uri)?.early ?? [];
        entries.delete(uri);
        if (entries.size >= limits.jwksCacheEntriesMax) entries.delete(entries.keys().next().value as string);
        entries.set(uri, entry);
        return entry;
      })
      .finally(() => under.delete(uri));
    under.set(uri, started);
    return started;
  }

  return {
    async keys(uri, kid) {
      const entry = entries.get(uri);
      const now = clock.now();
      if (entry && now < entry.freshUntil) {
        if (kid === undefined || entry.keys.some((key) => key.kid === kid)) return entry.keys;
        // Anyone can name an unknown key, so the client's server is not asked again at will.
        entry.early = entry.early.filter((at) => at > now - 60_000);
        if (entry.early.length >= limits.jwksRefetchesPerMinuteMax) return entry.keys;
        entry.early = [...entry.early, now];
      }
      try {
        return (await refresh(uri)).keys;
      } catch (error) {
        log.warn({ host: URL.parse(uri)?.host, reason: (error as Error).message }, 'jwks_uri gave no keys');
        return [];
      }
    },
    close: () => agent.destroy(),
  };
}
