/** The rest-hook channel: one POST over a kept-alive connection, never redirected, with one deadline for all of it. */
import { type Dispatcher, Pool } from 'undici';
import type { Clock } from '../../base/clock.ts';
import type { Limits } from '../../base/limits.ts';
import { guardedConnector, type OutgoingRules, outgoingMistake } from '../../base/outgoing.ts';
import { retryAfter } from '../backoff.ts';

export interface Post {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For name, connection, TLS, request and answer together. */
  readonly timeoutMs: number;
  /** Ends the attempt early; used up by it. */
  readonly abort: AbortController;
}

export type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfterMs?: number | undefined }
  /** `code` of the error, for the log. */
  | { readonly kind: 'none'; readonly error: 'no-response' | 'dns-resolution-error'; readonly code: string }
  | { readonly kind: 'aborted' };

interface Line {
  readonly pool: Pool;
  inFlight: number;
}

const codeOf = (error: unknown): string => {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name ?? 'Error');
};
const DNS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENODATA', 'EAI_NONAME']);
/** The receiver closed a kept-alive connection while the request was on its way: nothing about the receiver's health. */
const STALE = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export class RestHook {
  readonly #rules: OutgoingRules;
  readonly #limits: Limits;
  readonly #clock: Clock;
  /** In order of last use. */
  readonly #lines = new Map<string, Line>();

  constructor(rules: OutgoingRules, limits: Limits, clock: Clock) {
    this.#rules = rules;
    this.#limits = limits;
    this.#clock = clock;
  }

  get origins(): number {
    return this.#lines.size;
  }

  async post(post: Post): Promise<Outcome> {
    // The rules of the deployment may have become stricter since the endpoint was accepted.
    if (outgoingMistake(post.endpoint, this.#rules) !== undefined)
      return { kind: 'none', error: 'no-response', code: 'ADDRESS_REFUSED' };
    const url = new URL(post.endpoint);
    const line = this.#line(url.origin);
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      post.abort.abort();
    }, post.timeoutMs);
    line.inFlight++;
    try {
      return await this.#send(line, url, post);
    } catch (error) {
      if (late) return { kind: 'none', error: 'no-response', code: 'TIMEOUT' };
      if (post.abort.signal.aborted) return { kind: 'aborted' };
      const code = codeOf(error);
      return { kind: 'none', error: DNS.has(code) ? 'dns-resolution-error' : 'no-response', code };
    } finally {
      clearTimeout(deadline);
      line.inFlight--;
    }
  }

  async #send(line: Line, url: URL, post: Post): Promise<Outcome> {
    const { signal } = post.abort;
    const request: Dispatcher.RequestOptions = {
      method: 'POST',
      path: url.pathname + url.search,
      headers: post.headers,
      body: post.body,
      signal,
    };
    let answer: Dispatcher.ResponseData;
    try {
      answer = await line.pool.request(request);
    } catch (error) {
      if (signal.aborted || !STALE.has(codeOf(error))) throw error;
      answer = await line.pool.request(request);
    }
    // The body says nothing that is needed; it is read to its bound so that the connection can be used again.
    await answer.body.dump({ limit: this.#limits.deliveryResponseBytesMax, signal }).catch(() => undefined);
    const header = answer.headers['retry-after'];
    const text = Array.isArray(header) ? header[0] : header;
    return {
      kind: 'answer',
      status: answer.statusCode,
      retryAfterMs: retryAfter(text, this.#clock.now(), this.#limits.deliveryRetryAfterMsMax),
    };
  }

  #line(origin: string): Line {
    const known = this.#lines.get(origin);
    if (known) {
      this.#lines.delete(origin);
      this.#lines.set(origin, known);
      return known;
    }
    if (this.#lines.size >= this.#limits.deliveryOriginsMax) this.#dropOldestIdle();
    const pool = new Pool(origin, {
      connect: guardedConnector(this.#rules, { timeout: this.#limits.deliveryConnectMsMax }),
      connections: this.#limits.deliveriesPerOriginMax,
      pipelining: 1,
      // One deadline stands over the whole attempt.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const line = { pool, inFlight: 0 };
    this.#lines.set(origin, line);
    return line;
  }

  #dropOldestIdle(): void {
    for (const [origin, line] of this.#lines) {
      if (line.inFlight > 0) continue;
      this.#lines.delete(origin);
      void line.pool.close().catch(() => undefined);
      return;
    }
  }

  async close(): Promise<void> {
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    await Promise.all(lines.map((line) => line.pool.destroy().catch(() => undefined)));
  }
}
