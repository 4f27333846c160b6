/** A subscriber's endpoint that remembers what it was told. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

interface Parameter {
  name: string;
  valueString?: string;
  valueCode?: string;
  valueReference?: { reference: string };
  part?: Parameter[];
}
interface Notification {
  resourceType: 'Bundle';
  id: string;
  entry: { fullUrl?: string; resource?: { resourceType: string; parameter?: Parameter[] } & Record<string, unknown> }[];
}

export interface ReceivedEvent {
  readonly number: number;
  readonly focus: string | undefined;
  readonly at: number;
  readonly bundle: string;
}

export class Receiver {
  readonly events: ReceivedEvent[] = [];
  readonly bodies: string[] = [];
  handshakes = 0;
  status = 200;
  private readonly server: Server;
  private constructor() {
    this.server = createServer((req, res) => {
      let text = '';
      req.on('data', (d) => (text += d));
      req.on('end', () => {
        if (this.status < 300) this.take(text);
        res.writeHead(this.status).end();
      });
    });
  }
  static async start(t: TestContext): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((r) => receiver.server.listen(0, '127.0.0.1', r));
    t.after(() => {
      receiver.server.closeAllConnections();
      receiver.server.close();
    });
    return receiver;
  }
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }
  private take(text: string): void {
    const bundle = JSON.parse(text) as Notification;
    const parameters = bundle.entry[0]?.resource?.parameter ?? [];
    const type = parameters.find((p) => p.name === 'type')?.valueCode;
    if (type === 'handshake') this.handshakes++;
    this.bodies.push(text);
    for (const event of parameters.filter((p) => p.name === 'notification-event')) {
      const part = (name: string): Parameter | undefined => event.part?.find((p) => p.name === name);
      this.events.push({
        number: Number(part('event-number')?.valueString),
        focus: part('focus')?.valueReference?.reference,
        at: Date.now(),
        bundle: bundle.id,
      });
    }
  }
  /** Events without repetitions, in the order of first arrival. */
  distinct(): ReceivedEvent[] {
    const seen = new Set<number>();
    return this.events.filter((e) => !seen.has(e.number) && seen.add(e.number));
  }
  async until(condition: () => boolean, msMax: number, what: string): Promise<void> {
    const end = Date.now() + msMax;
    while (!condition()) {
      if (Date.now() > end)
        throw new Error(
          `${what}: not within ${msMax} ms; ${this.distinct().length} events, ${this.handshakes} handshakes`,
        );
      await new Promise((r) => setTimeout(r, 25));
    }
  }
}
