/** W9: from the answer of a create to its arrival at the subscriber, with 1 and with 1,000 subscriptions. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readingText } from './generate/fleet.ts';
import { percentile } from './load.ts';
import { post, type World } from './population.ts';

const IG = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

export interface Delivery {
  readonly subscriptions: number;
  readonly events: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly problems: readonly string[];
}

interface Hook {
  readonly url: string;
  /** Focus → moment of arrival. */
  readonly arrived: Map<string, number>;
  readonly numbers: Map<string, number[]>;
  handshakes: number;
  close(): void;
}

async function openHook(): Promise<Hook> {
  const hook = { arrived: new Map<string, number>(), numbers: new Map<string, number[]>(), handshakes: 0 };
  const server = createServer((req, res) => {
    let text = '';
    req.on('data', (d) => {
      text += d;
    });
    req.on('end', () => {
      const at = performance.now();
      res.writeHead(200).end();
      if (text.includes('"handshake"')) hook.handshakes++;
      const list = hook.numbers.get(req.url as string) ?? [];
      for (const m of text.matchAll(/"event-number","valueString":"(\d+)"/g)) list.push(Number(m[1]));
      hook.numbers.set(req.url as string, list);
      for (const m of text.matchAll(/"focus","valueReference":\{"reference":"[^"]*\/(Observation\/[^"]+)"/g))
        if (!hook.arrived.has(m[1] as string)) hook.arrived.set(m[1] as string, at);
    });
  });
  await new Promise<void>((r) => server.listen(0, '127.0.0.1', r));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(hook, {
    url,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
}

const subscription = (endpoint: string, patient: string): string =>
  JSON.stringify({
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'benchmark',
    criteria: 'https://w3id.org/vitalwire/SubscriptionTopic/new-reading',
    _criteria: {
      extension: [{ url: `${IG}/backport-filter-criteria`, valueString: `Observation?patient=${patient}` }],
    },
    channel: {
      type: 'rest-hook',
      endpoint,
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${IG}/backport-payload-content`, valueCode: 'id-only' }] },
    },
  });

export async function deliver(
  world: World,
  subscriptions: number,
  events: number,
  perSecond: number,
): Promise<Delivery> {
  const hook = await openHook();
  const problems: string[] = [];
  const ids: string[] = [];
  try {
    for (let n = 0; n < subscriptions; n++) {
      const { status, text } = await post(
        world.server,
        '/fhir/Subscription',
        subscription(`${hook.url}/${n}`, world.patients[n % world.patients.length] as string),
      );
      if (status !== 201) throw new Error(`a Subscription was answered ${status}: ${text.slice(0, 200)}`);
      ids.push((JSON.parse(text) as { id: string }).id);
    }
    const shaken = performance.now() + 60_000;
    while (hook.handshakes < subscriptions && performance.now() < shaken) await new Promise((r) => setTimeout(r, 50));
    await new Promise((r) => setTimeout(r, 500));
    const sent = new Map<string, number>();
    const expected = Math.min(subscriptions, world.patients.length);
    for (let i = 0; i < events; i++) {
      let reading = world.fleet.next();
      while (reading.patient >= expected) reading = world.fleet.next();
      const before = performance.now();
      const { text } = await post(
        world.server,
        '/ingest/readings',
        `{"readings":[${readingText(reading)}]}`,
        'application/json',
      );
      const place = /Observation\/[A-Za-z0-9.-]+/.exec(text)?.[0];
      if (!place) problems.push(`a reading was answered ${text.slice(0, 120)}`);
      else sent.set(place, performance.now());
      world.stored++;
      await new Promise((r) =>
        setTimeout(r, Math.max(0, (1000 / perSecond) * (0.5 + world.random.next()) - (performance.now() - before))),
      );
    }
    const end = performance.now() + 20_000;
    while ([...sent.keys()].some((p) => !hook.arrived.has(p)) && performance.now() < end)
      await new Promise((r) => setTimeout(r, 20));
    const lags = [...sent].map(([place, at]) => (hook.arrived.get(place) ?? Number.POSITIVE_INFINITY) - at);
    if (lags.some((l) => l === Number.POSITIVE_INFINITY)) problems.push('events are missing');
    for (const [url, numbers] of hook.numbers)
      if (numbers.some((n, i) => n !== i + 1)) problems.push(`numbers at ${url} are not 1, 2, 3 …`);
    const sorted = Float64Array.from(lags.map((l) => Math.max(0, l))).sort();
    return {
      subscriptions,
      events: lags.length,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      problems: problems.slice(0, 5),
    };
  } finally {
    const { host: _host, ...headers } = await world.server.headers();
    for (const id of ids)
      await fetch(`${world.server.url}/fhir/Subscription/${id}`, { method: 'DELETE', headers }).catch(() => {});
    hook.close();
  }
}
