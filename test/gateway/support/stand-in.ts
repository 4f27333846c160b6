/** A server that tells what reached it, and that fails on demand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Item {
  readonly id?: string;
  readonly [name: string]: unknown;
}

export interface Batch {
  readonly adapter: string;
  readonly authorization: string | undefined;
  readonly text: string;
  readonly items: readonly Item[];
}

export interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Cut the connection instead of answering. */
  readonly drop?: boolean;
}

export interface StandIn {
  readonly url: string;
  /** Everything that came to `/ingest`, also what was refused. */
  readonly batches: Batch[];
  readonly tokens: string[];
  readonly assertions: string[];
  /** Decides over a batch; undefined: stored. */
  judge: (batch: Batch) => Reply | undefined;
  items(): Item[];
  close(): Promise<void>;
}

const stored = (items: readonly Item[]): Reply => ({
  status: 200,
  body: { results: items.map((_, index) => ({ index, status: 'stored', observation: [`Observation/${index}`] })) },
});

export const unavailable: Reply = {
  status: 503,
  headers: { 'retry-after': '0' },
  body: { issue: { code: 'store.rejected', details: 'later' } },
};

/** @param port of a server that was there before; any free one without it */
export async function standIn(port = 0): Promise<StandIn> {
  const server = createServer((req, res) => void route(req, res));
  const self: StandIn = {
    url: '',
    batches: [],
    tokens: [],
    assertions: [],
    judge: () => undefined,
    items: () => self.batches.flatMap((b) => b.items),
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
  async function route(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const raw = Buffer.concat(await req.toArray());
    const reply = answer(req, raw);
    if (reply.drop) return void req.socket.destroy();
    res.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    res.end(JSON.stringify(reply.body ?? {}));
  }
  function answer(req: IncomingMessage, raw: Buffer): Reply {
    const path = req.url ?? '';
    if (path.endsWith('/.well-known/smart-configuration'))
      return { status: 200, body: { token_endpoint: `${self.url}/auth/token` } };
    if (path === '/auth/token') {
      const form = new URLSearchParams(raw.toString());
      self.assertions.push(form.get('client_assertion') ?? '');
      self.tokens.push(`token-${self.tokens.length + 1}`);
      return { status: 200, body: { access_token: self.tokens.at(-1), token_type: 'Bearer', expires_in: 300 } };
    }
    if (!path.startsWith('/ingest/')) return { status: 200, body: { status: 'ok' } };
    const text = (req.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
    const body = JSON.parse(text) as { readings?: Item[]; messages?: Item[] };
    const batch: Batch = {
      adapter: path.slice('/ingest/'.length),
      authorization: req.headers.authorization,
      text,
      items: body.readings ?? body.messages ?? [],
    };
    self.batches.push(batch);
    return self.judge(batch) ?? stored(batch.items);
  }
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  Object.assign(self, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  return self;
}
