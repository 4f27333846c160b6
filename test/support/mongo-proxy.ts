/** A network between the driver and the database that does what networks do: it cuts, refuses, and loses answers. */
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';

export class MongoProxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** Connections are refused while it is set. */
  away = false;
  /** The next command with this name is passed on, and the connection cut in the place of its answer. */
  loseAnswerOf: string | undefined;
  /** The connection of the next command with this name is cut, and the command reaches the database so many ms later. */
  delay: { readonly command: string; readonly ms: number } | undefined;
  /** `hold` as soon as so many bytes come at once: in the middle of a large command. */
  holdAtBytes: number | undefined;
  /** Answers that were lost. */
  lost = 0;
  #held = false;

  private constructor(server: Server, target: { host: string; port: number }) {
    this.#server = server;
    this.#target = target;
  }

  /** @param uri of a database on one host. */
  static async before(uri: string): Promise<MongoProxy> {
    const { hostname, port } = new URL(uri);
    const server = createServer();
    const proxy = new MongoProxy(server, { host: hostname, port: Number(port || 27_017) });
    server.on('connection', (client) => proxy.#join(client));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  /** The same database by way of the proxy. */
  uri(of: string): string {
    const url = new URL(of);
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    url.searchParams.set('directConnection', 'true');
    return url.href;
  }

  #join(client: Socket): void {
    if (this.away) return void client.destroy();
    const database = dial(this.#target);
    const pair = [client, database] as const;
    this.#pairs.add(pair);
    if (this.#held) for (const socket of pair) socket.pause();
    const end = (): void => {
      client.destroy();
      database.destroy();
      this.#pairs.delete(pair);
    };
    let losing = false;
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => {
      if (this.holdAtBytes !== undefined && bytes.length >= this.holdAtBytes) {
        this.holdAtBytes = undefined;
        this.hold();
      }
      const { delay } = this;
      if (delay && bytes.includes(delay.command)) {
        this.delay = undefined;
        client.off('close', end).destroy();
        setTimeout(() => database.write(bytes), delay.ms);
        return;
      }
      // The name of a command stands in clear in its BSON.
      if (this.loseAnswerOf !== undefined && bytes.includes(this.loseAnswerOf)) {
        this.loseAnswerOf = undefined;
        losing = true;
      }
      database.write(bytes);
    });
    database.on('data', (bytes) => {
      if (!losing) return void client.write(bytes);
      this.lost++;
      end();
    });
  }

  /** Nothing comes through and nothing is cut, until `release`: what was on its way arrives then. */
  hold(): void {
    this.#held = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  release(): void {
    this.#held = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
  }

  async close(): Promise<void> {
    this.away = true;
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
