/**
 * A load generator over raw keep-alive sockets: it costs the machine little, so that what is measured is the server. Closed loop
 * with n connections (each sends its next request when the last is answered), bounded by seconds or by a number of requests.
 */
import { connect, type Socket } from 'node:net';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface LoadOptions {
  readonly connections: number;
  readonly secondsMax: number;
  readonly requestsMax?: number;
  /** The bytes of request i, or undefined when there is no more. */
  next(i: number): Buffer | undefined;
  /** Called for each answer when given; `body` is the text. */
  answered?(i: number, status: number, body: string): void;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Status → number of answers. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly connectionErrors: number;
}

/** Nearest-rank percentile of sorted values. */
export const percentile = (sorted: ArrayLike<number>, share: number): number =>
  sorted.length === 0 ? Number.NaN : (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number);

export function requestBytes(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = method === 'GET' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}${length}\r\n${body}`);
}

interface Answer {
  status: number;
  headEnd: number;
  /** Bytes of the whole message, or -1 while that is not known (chunked). */
  length: number;
}

function parseHead(buffer: Buffer): Answer | undefined {
  const headEnd = buffer.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = buffer.toString('latin1', 0, headEnd);
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return { status, headEnd: headEnd + 4, length: headEnd + 4 + Number(length) };
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const end = buffer.indexOf('\r\n0\r\n\r\n', headEnd + 2);
    return { status, headEnd: headEnd + 4, length: end === -1 ? -1 : end + 7 };
  }
  return { status, headEnd: headEnd + 4, length: headEnd + 4 };
}

class Connection {
  private buffer: Buffer = Buffer.alloc(0);
  private sentAt = 0;
  private index = -1;
  private readonly socket: Socket;
  private readonly run: Run;
  constructor(target: Target, run: Run) {
    this.run = run;
    this.socket = connect(target.port, target.host);
    this.socket.setNoDelay(true);
    this.socket.on('connect', () => this.send());
    this.socket.on('data', (data) => this.take(data));
    this.socket.on('error', () => run.failed());
    this.socket.on('close', () => run.closed());
  }
  private send(): void {
    const work = this.run.take();
    if (!work) {
      this.socket.end();
      return;
    }
    this.index = work.i;
    this.sentAt = performance.now();
    this.socket.write(work.bytes);
  }
  private take(data: Buffer): void {
    this.buffer = this.buffer.length === 0 ? data : Buffer.concat([this.buffer, data]);
    const answer = parseHead(this.buffer);
    if (!answer || answer.length === -1 || this.buffer.length < answer.length) return;
    const body = this.run.wantsBody ? this.buffer.toString('utf8', answer.headEnd, answer.length) : '';
    this.run.record(this.index, answer.status, performance.now() - this.sentAt, body);
    this.buffer = this.buffer.length === answer.length ? Buffer.alloc(0) : this.buffer.subarray(answer.length);
    this.send();
  }
}

class Run {
  readonly latencies: number[] = [];
  readonly statuses: Record<string, number> = {};
  errors = 0;
  readonly wantsBody: boolean;
  private i = 0;
  private open: number;
  private readonly until: number;
  private readonly options: LoadOptions;
  private readonly done: () => void;
  constructor(options: LoadOptions, done: () => void) {
    this.options = options;
    this.done = done;
    this.open = options.connections;
    this.wantsBody = options.answered !== undefined;
    this.until = performance.now() + options.secondsMax * 1000;
  }
  take(): { i: number; bytes: Buffer } | undefined {
    if (performance.now() >= this.until || this.i >= (this.options.requestsMax ?? Number.POSITIVE_INFINITY))
      return undefined;
    const i = this.i++;
    const bytes = this.options.next(i);
    return bytes && { i, bytes };
  }
  record(i: number, status: number, ms: number, body: string): void {
    this.latencies.push(ms);
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    this.options.answered?.(i, status, body);
  }
  failed(): void {
    this.errors++;
  }
  closed(): void {
    if (--this.open === 0) this.done();
  }
}

export async function load(target: Target, options: LoadOptions): Promise<LoadResult> {
  const at = performance.now();
  let run: Run | undefined;
  await new Promise<void>((resolve) => {
    const started = new Run(options, resolve);
    run = started;
    for (let c = 0; c < options.connections; c++) new Connection(target, started);
  });
  const { latencies, statuses, errors } = run as unknown as Run;
  const seconds = (performance.now() - at) / 1000;
  const sorted = Float64Array.from(latencies).sort();
  return {
    requests: sorted.length,
    seconds,
    perSecond: sorted.length / seconds,
    statuses,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    p999Ms: percentile(sorted, 0.999),
    connectionErrors: errors,
  };
}
