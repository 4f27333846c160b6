/** The bare machine: node:http with a fixed answer to GET, and POST parsed and appended to a file with one fdatasync for all that wait. */
import { closeSync, fdatasync, openSync, write } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const answer = Buffer.from(JSON.stringify({ resourceType: 'Observation', filler: 'x'.repeat(1060) }));
const file = openSync(process.argv[2] as string, 'a');
let waiting: { text: string; res: ServerResponse }[] = [];
let busy = false;

function flush(): void {
  if (busy || waiting.length === 0) return;
  busy = true;
  const batch = waiting;
  waiting = [];
  write(file, batch.map((w) => w.text).join('\n'), () =>
    fdatasync(file, () => {
      busy = false;
      for (const { res } of batch)
        res.writeHead(201, { 'content-type': 'application/json', 'content-length': 2 }).end('{}');
      flush();
    }),
  );
}

const server = createServer((req, res) => {
  if (req.method === 'GET') {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
    return;
  }
  const parts: Buffer[] = [];
  req.on('data', (d) => parts.push(d));
  req.on('end', () => {
    const text = Buffer.concat(parts).toString();
    JSON.parse(text);
    waiting.push({ text, res });
    // Those that arrive in the same turn share the write.
    setImmediate(flush);
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
process.on('SIGTERM', () => {
  closeSync(file);
  process.exit(0);
});
