/** HTTP without a framework: what the hot routes are made of, and the request and response that rooms pass to each other. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createGunzip } from 'node:zlib';
import { VitalwireError } from './errors.ts';
import { limits } from './limits.ts';

/** A request as plain data: from a socket, an entry of a Bundle, or a test. */
export interface PlainRequest {
  readonly method: string;
  /** Percent-encoded, below the mount point, begins with `/`: `/Observation/123`. */
  readonly path: string;
  /** Raw, without the question mark. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface PlainResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws VitalwireError `request.malformed` when the bytes are not UTF-8. */
function decode(parts: readonly Buffer[], length: number): string {
  const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, length);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new VitalwireError('request.malformed', 'The body is not UTF-8. Send JSON encoded as UTF-8.', { cause });
  }
}

const tooLarge = (bytesMax: number): VitalwireError =>
  new VitalwireError('request.too-large', `The body is larger than ${bytesMax} bytes. Send it in smaller parts.`);

/**
 * Reads the whole body, inflating gzip, with a bound on the bytes after inflating.
 * @throws VitalwireError `request.too-large`, `request.malformed` (broken gzip, not UTF-8), `request.media-type` (other encodings).
 */
export function readBody(req: IncomingMessage, bytesMax: number): Promise<string> {
  const encoding = (req.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip')
    return Promise.reject(
      new VitalwireError('request.media-type', `Content-Encoding ${encoding} is not supported; use gzip or none.`),
    );
  if (Number(req.headers['content-length']) > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const gunzip = encoding === 'gzip' ? createGunzip() : undefined;
    const source = gunzip ? req.pipe(gunzip) : req;
    const fail = (error: unknown): void => {
      source.removeAllListeners('data');
      if (gunzip) req.unpipe(gunzip);
      gunzip?.destroy();
      req.resume();
      reject(error);
    };
    source.on('data', (part: Buffer) => {
      length += part.length;
      if (length > bytesMax) fail(tooLarge(bytesMax));
      else parts.push(part);
    });
    source.on('end', () => {
      try {
        resolve(length === 0 ? '' : decode(parts, length));
      } catch (error) {
        reject(error);
      }
    });
    gunzip?.on('error', (cause) =>
      fail(new VitalwireError('request.malformed', 'The body is not valid gzip.', { cause })),
    );
    req.on('error', fail);
    req.on('aborted', () =>
      fail(new VitalwireError('request.malformed', 'The connection closed before the body was complete.')),
    );
  });
}

const sendsBody = (req: IncomingMessage): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;

/**
 * Lets the rest of a body flow away, within bounds. A connection that is closed while its client still writes is reset, and
 * with it the answer is lost that says why. RFC 9112 §9.6
 */
function drained(req: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let left = limits.drainBytesMax;
    const done = (): void => {
      clearTimeout(timer);
      req.off('data', count);
      resolve();
    };
    const count = (part: Buffer): void => {
      left -= part.length;
      if (left < 0) done();
    };
    const timer = setTimeout(done, limits.drainMsMax);
    for (const event of ['end', 'close', 'error']) req.once(event, done);
    req.on('data', count);
    req.resume();
  });
}

/** Writes head and body in one go; no etag is computed, nothing is serialised. A body that nobody read is let flow away first. */
export function send(res: ServerResponse, response: PlainResponse): void {
  const { req } = res;
  if (req && !req.complete && !req.destroyed && sendsBody(req)) void drained(req).then(() => write(res, response));
  else write(res, response);
}

function write(res: ServerResponse, response: PlainResponse): void {
  if (res.headersSent || res.destroyed) return;
  const body = response.body ?? '';
  const headers: Record<string, string | number> = { ...response.headers };
  const bytes = Buffer.byteLength(body);
  if (response.status !== 204 && response.status !== 304) headers['content-length'] = bytes;
  res.writeHead(response.status, headers);
  if (res.req?.method === 'HEAD' || response.status === 204) res.end();
  // As many bytes as characters is ASCII, and that needs no conversion: the same bytes in a third of the time.
  else res.end(body, bytes === body.length ? 'latin1' : 'utf8');
}

/** `application/fhir+json; charset=utf-8` → `application/fhir+json`. */
export const mediaType = (header: string | undefined): string => (header ?? '').split(';', 1)[0]!.trim().toLowerCase();
