/**
 * A hospital EHR as a process of its own: signs in by SMART Backend Services, subscribes to its patients, receives, shows. It
 * says what happens as lines of JSON on stdout. `node src/cli/demo/ehr.ts <file>`; the file is an `EhrConfig`.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../base/clock.ts';
import { randomUrl } from '../../base/hash.ts';
import { credentialsOf, type DemoClient, fhirClient } from './access.ts';
import { type Arrival, Desk } from './ehr/desk.ts';
import { ehrListener } from './ehr/listener.ts';
import { renderPage } from './ehr/page.ts';
import { missed, person, subscribe, subscriptionFor, unsubscribeAll } from './ehr/subscriber.ts';

export interface EhrConfig {
  readonly serverUrl: string;
  readonly client: DemoClient;
  /** Ids of Patients. */
  readonly patients: readonly string[];
  /** 0 takes any free port. */
  readonly port: number;
}

/** One distinct event, for whoever counts. */
export interface EventLine {
  readonly msg: 'event';
  readonly patient: string;
  readonly number: number;
  readonly at: number;
  readonly device: string;
  readonly effective: string;
  readonly codes: readonly string[];
}

const GAP_MS_TOLERATED = 2_000;
const UNSUBSCRIBE_MS_MAX = 3_000;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function sayArrival({ patient, event, at }: Arrival): void {
  const o = event.observation;
  const line: EventLine = {
    msg: 'event',
    patient,
    number: event.number,
    at,
    device: o?.device?.reference ?? '',
    effective: o?.effectiveDateTime ?? '',
    codes: o?.code.coding?.map((c) => c.code ?? '') ?? [],
  };
  say(line);
}

async function main(file: string): Promise<void> {
  const config = JSON.parse(readFileSync(file, 'utf8')) as EhrConfig;
  const { serverUrl, patients } = config;
  const credentials = credentialsOf(serverUrl, config.client);
  const connect = fhirClient(serverUrl, credentials);
  const desk = new Desk(patients, systemClock, sayArrival);
  const secret = randomUrl();
  const client = await connect();
  const people = await Promise.all(patients.map((id) => person(client, id)));
  const page = () =>
    renderPage(
      people.map((p) => ({ person: p, ...desk.state(p.id) })),
      desk.lastNews,
      systemClock.now(),
    );
  const http = createServer(ehrListener({ desk, secret, page }));
  await new Promise<void>((done) => http.listen(config.port, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  await unsubscribeAll(client);
  const subscriptions = new Map<string, string>();
  for (const id of patients)
    subscriptions.set(id, await subscribe(client, subscriptionFor(id, `${url}/hook/${id}`, secret)));
  say({ msg: 'listening', url });

  const gaps = setInterval(() => {
    for (const [id, subscription] of subscriptions) {
      const { missing } = desk.state(id).feed;
      if (missing.length > 0) void fetchMissing(id, subscription, Math.min(...missing), Math.max(...missing));
    }
  }, GAP_MS_TOLERATED);
  async function fetchMissing(id: string, subscription: string, from: number, until: number): Promise<void> {
    try {
      desk.takeEvents(id, await missed(`${serverUrl}/fhir`, await credentials.token(), subscription, from, until));
    } catch (error) {
      console.error(`Events ${from} to ${until} of ${id} could not be fetched: ${(error as Error).message}`);
    }
  }

  await new Promise<void>((stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop());
  });
  clearInterval(gaps);
  // The demo may run on a store that stays: leave no subscription behind that no one listens to.
  const given = connect()
    .then(unsubscribeAll)
    .catch(() => undefined);
  await Promise.race([given, new Promise((done) => setTimeout(done, UNSUBSCRIBE_MS_MAX))]);
  process.exit(0);
}

await main(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
