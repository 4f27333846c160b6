/** One batch to the server, and what its answer means for the items. */
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type Dispatcher, request } from 'undici';
import { limits } from '../base/limits.ts';
import type { Credentials } from './credentials.ts';
import { retryAfterMs } from './retry.ts';

/** What any answer of the server tells beside its content. */
export interface Exchange {
  readonly status: number;
  readonly date: string | string[] | undefined;
}

/** The server cannot be used now; nothing is known about the items, and they are sent again later. */
export class Unreachable extends Error {
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  constructor(message: string, more: { status?: number; retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'Unreachable';
    this.status = more.status;
    this.retryAfterMs = more.retryAfterMs;
  }
}

export interface ItemAnswer {
  readonly status: 'stored' | 'duplicate' | 'held' | 'rejected';
  readonly code: string;
  readonly details: string;
}

export type BatchAnswer =
  /** By index; an index without an entry has no verdict and is sent again. */
  | { readonly kind: 'answered'; readonly items: ReadonlyMap<number, ItemAnswer> }
  /** The server refuses the batch for what is in it. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly details: string }
  /** The server broke on it, perhaps because of one item. */
  | { readonly kind: 'fault'; readonly status: number };

export interface UplinkOptions {
  readonly serverUrl: string;
  readonly credentials: Credentials;
  readonly dispatcher: Dispatcher;
  readonly now: () => number;
  readonly heard: (exchange: Exchange) => void;
  readonly signal: AbortSignal;
}

export interface Uplink {
  /** @throws Unreachable */
  send(adapter: string, items: readonly string[]): Promise<BatchAnswer>;
  /** Is the server there, does it know us? @throws Unreachable */
  probe(): Promise<void>;
}

const compress = promisify(gzip);
const GZIP_BYTES_MIN = 1024;

export function createUplink(options: UplinkOptions): Uplink {
  const { serverUrl, credentials, heard } = options;
  return {
    async send(adapter, items) {
      const list = adapter === 'readings' ? 'readings' : 'messages';
      const text = `{"${list}":[${items.join(',')}]}`;
      const zipped = text.length >= GZIP_BYTES_MIN;
      const body = zipped ? await compress(text, { level: constants.Z_BEST_SPEED }) : text;
      const first = await authorized(body, zipped, adapter);
      // A token may have been revoked, or the server restored from a backup: one new token, at once.
      return first.statusCode === 401 ? judge(await authorized(body, zipped, adapter), options) : judge(first, options);
    },
    async probe() {
      await credentials.token();
      const answer = await call(options, `${serverUrl}/healthz`, { method: 'GET' });
      heard({ status: answer.statusCode, date: answer.headers['date'] });
      if (answer.statusCode !== 200)
        throw new Unreachable(`the server answered ${answer.statusCode}`, { status: answer.statusCode });
    },
  };

  async function authorized(body: string | Buffer, zipped: boolean, adapter: string): Promise<Answer> {
    const token = await credentials.token();
    const answer = await call(options, `${serverUrl}/ingest/${adapter}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json',
        ...(zipped ? { 'content-encoding': 'gzip' } : {}),
      },
      body,
    });
    if (answer.statusCode === 401 || answer.statusCode === 403) credentials.forget(token);
    heard({ status: answer.statusCode, date: answer.headers['date'] });
    return answer;
  }
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

async function call(
  { dispatcher, signal }: UplinkOptions,
  url: string,
  how: { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: string | Buffer },
): Promise<Answer> {
  try {
    const timeout = AbortSignal.timeout(limits.gatewayRequestMsMax);
    const { statusCode, headers, body } = await request(url, {
      ...how,
      dispatcher,
      signal: AbortSignal.any([signal, timeout]),
    });
    let text = '';
    for await (const part of body.setEncoding('utf8')) {
      text += part;
      if (text.length > limits.gatewayAnswerBytesMax) throw new Error('the answer of the server is too long');
    }
    return { statusCode, headers, text };
  } catch (cause) {
    throw new Unreachable('the server does not answer', { cause });
  }
}

/** 408, 425, 429 and these say "later"; any other 5xx may be the fault of one item. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

function judge({ statusCode, headers, text }: Answer, { now }: UplinkOptions): BatchAnswer {
  if (statusCode === 200) {
    const items = itemAnswers(text);
    return items ? { kind: 'answered', items } : { kind: 'fault', status: 200 };
  }
  const issue = issueOf(text);
  const later = LATER.has(statusCode) || statusCode === 401 || statusCode === 403 || statusCode < 400;
  // Only a Vitalwire may refuse an item for good. A proxy's 404 page says nothing about a reading.
  if (later || (statusCode < 500 && !issue))
    throw new Unreachable(`the server answered ${statusCode} ${issue?.code ?? ''}`.trim(), {
      status: statusCode,
      retryAfterMs: retryAfterMs(headers['retry-after'], now()),
    });
  if (statusCode >= 500) return { kind: 'fault', status: statusCode };
  return { kind: 'refused', status: statusCode, code: issue!.code, details: issue!.details };
}

interface Issue {
  readonly code: string;
  readonly details: string;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function issueIn(holder: Record<string, unknown> | undefined): Issue | undefined {
  const issue = holder?.['issue'];
  if (typeof issue !== 'object' || issue === null) return undefined;
  const { code, details } = issue as Record<string, unknown>;
  return typeof code === 'string' ? { code, details: typeof details === 'string' ? details : '' } : undefined;
}

const issueOf = (text: string): Issue | undefined => issueIn(parse(text));

const VERDICTS: readonly string[] = ['stored', 'duplicate', 'held', 'rejected'];

function itemAnswers(text: string): ReadonlyMap<number, ItemAnswer> | undefined {
  const results = parse(text)?.['results'];
  if (!Array.isArray(results)) return undefined;
  const items = new Map<number, ItemAnswer>();
  for (const result of results as Record<string, unknown>[]) {
    const { index, status } = result ?? {};
    if (typeof index !== 'number' || typeof status !== 'string' || !VERDICTS.includes(status)) continue;
    const issue = issueIn(result);
    items.set(index, {
      status: status as ItemAnswer['status'],
      code: issue?.code ?? '',
      details: issue?.details ?? '',
    });
  }
  return items;
}
