/** The EHR's HTTP: webhook in, page and event stream out. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody, send } from '../../../base/http.ts';
import type { Desk } from './desk.ts';
import { PAGE_HEADERS } from './page.ts';

const NOTIFICATION_BYTES_MAX = 4 * 2 ** 20;

export interface EhrListenerOptions {
  readonly desk: Desk;
  /** Bearer secret that the server sends with each notification. */
  readonly secret: string;
  page(): string;
}

export function ehrListener(options: EhrListenerOptions): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    const patient = /^\/hook\/([^/?]+)$/.exec(req.url ?? '')?.[1];
    if (patient !== undefined && req.method === 'POST') void hook(options, patient, req, res);
    else if (req.url === '/stream' && req.method === 'GET') stream(options.desk, req, res);
    else if (req.url === '/' && req.method === 'GET')
      send(res, { status: 200, headers: PAGE_HEADERS, body: options.page() });
    else send(res, { status: 404, body: 'Not here.' });
  };
}

async function hook(
  { desk, secret }: EhrListenerOptions,
  patient: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const [given, expected] = [Buffer.from(req.headers.authorization ?? ''), Buffer.from(`Bearer ${secret}`)];
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return send(res, { status: 401 });
  if (!desk.knows(patient)) return send(res, { status: 404 });
  try {
    desk.take(patient, await readBody(req, NOTIFICATION_BYTES_MAX));
    send(res, { status: 200 });
  } catch (error) {
    console.error(`A notification could not be read: ${(error as Error).message}`);
    send(res, { status: 400 });
  }
}

function stream(desk: Desk, req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  res.write('retry: 1000\n\n');
  const stop = desk.watch((name, data) => {
    // A browser that does not read is let go rather than buffered for; it comes back by itself and gets the whole state.
    if (res.writableLength > NOTIFICATION_BYTES_MAX) req.socket.destroy();
    else res.write(`event: ${name}\ndata: ${data}\n\n`);
  });
  req.on('close', stop);
}
