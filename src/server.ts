/** The composition root: builds every room, wires them, listens, and closes them in order. */

import { createHmac } from 'node:crypto';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Auth, createAuth } from './auth/index.ts';
import { systemClock } from './base/clock.ts';
import { StartError } from './base/errors.ts';
import { limits } from './base/limits.ts';
import { createLogger, type Logger } from './base/log.ts';
import { type Opened, openStore } from './cli/open.ts';
import { applySeed } from './cli/seed.ts';
import type { ServeConfig } from './config.ts';
import { createDevices } from './devices/index.ts';
import { type Listener, notReady, ready, type State } from './front.ts';
import { ingestListener } from './ingest/http.ts';
import { createIngest, type Ingest } from './ingest/index.ts';
import { createMetrics } from './metrics.ts';
import type { RestContext } from './rest/context.ts';
import { fhirListener } from './rest/http.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions/index.ts';
import { pages } from './web/index.ts';

export interface RunningServer {
  readonly url: string;
  /** Stops accepting, finishes what is in flight, flushes, closes. */
  stop(reason: string): Promise<void>;
}

interface Rooms extends Opened {
  readonly auth: Auth;
  readonly ingest: Ingest;
  readonly subscriptions: Subscriptions;
  readonly rest: RestContext;
}

/** @throws StartError with sentences for the operator. */
export async function startServer(config: ServeConfig): Promise<RunningServer> {
  const log = createLogger(config.logLevel);
  const state: State = { status: 'starting', reason: 'the store is being opened' };
  let listener: Listener = notReady(state);
  const http = createServer(
    { requestTimeout: limits.requestMsMax, keepAliveTimeout: limits.keepAliveMsMax },
    (req, res) => listener(req, res),
  );
  const url = await listen(http, config);
  let rooms: Rooms;
  try {
    rooms = await buildRooms(config, config.baseUrl ?? url, log);
  } catch (error) {
    http.close();
    http.closeAllConnections();
    throw error;
  }
  listener = frontDoor(rooms, state, log);
  state.status = 'ready';
  rooms.subscriptions.start();
  if (config.mqttUrl !== undefined) log.warn('MQTT_URL is set, but this release does not take readings by MQTT yet');
  log.info({ url }, 'listening');
  return { url, stop: (reason) => stop(http, rooms, state, reason, log) };
}

function frontDoor(rooms: Rooms, state: State, log: Logger): Listener {
  const { store, auth, ingest, subscriptions, rest } = rooms;
  const metrics = createMetrics(
    { store: () => store.stats(), ingest: () => ingest.metrics(), subscriptions: () => subscriptions.metrics() },
    auth.verifier,
  );
  return ready({
    state,
    log,
    fhir: fhirListener(rest, auth.verifier),
    ingest: ingestListener(ingest, auth.verifier, limits),
    auth: auth.handler,
    pages: pages({ baseUrl: rest.baseUrl }),
    discovery: auth.discovery(),
    webhookKeys: subscriptions.webhookKeys(),
    brands: auth.brandBundle(),
    metrics: (req) => metrics.answer(req),
    ping: async () => store.ping(),
  });
}

/** Resolves with the address that others can use on this machine. */
function listen(http: HttpServer, config: ServeConfig): Promise<string> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${config.host}:${config.port}`;
      const why =
        error.code === 'EADDRINUSE'
          ? 'another program listens there. Stop it or set PORT'
          : `${error.code}: ${error.message}. Set HOST and PORT`;
      reject(new StartError(`The server cannot listen on ${where}: ${why}.`));
    });
    http.listen({ host: config.host, port: config.port }, () => {
      const { port } = http.address() as AddressInfo;
      resolve(
        `http://${config.host.includes(':') && !config.host.startsWith('[') ? `[${config.host}]` : config.host}:${port}`,
      );
    });
  });
}

async function buildRooms(config: ServeConfig, baseUrl: string, log: Logger): Promise<Rooms> {
  const base = `${baseUrl}/fhir`;
  const opened = await openStore(config, base, log);
  const { store, sealer } = opened;
  try {
    const clock = systemClock;
    const { allowPrivateEndpoints, allowInsecureHttp } = config;
    const auth = await createAuth({
      store,
      clock,
      log,
      limits,
      baseUrl,
      sealer,
      allowPrivateEndpoints,
      allowInsecureHttp,
    });
    const devices = createDevices({ store, clock, limits, base });
    const ingest = createIngest({
      store,
      devices,
      clock,
      limits,
      log,
      base,
      baseUrl,
      unknownDevice: config.unknownDevice,
    });
    const subscriptions = await createSubscriptions({
      store,
      clock,
      log,
      limits,
      base,
      baseUrl,
      sealer,
      allowPrivateEndpoints,
      allowInsecureHttp,
      clientEnabled: (clientId) => auth.clientEnabled(clientId),
    });
    const rest: RestContext = {
      store,
      clock,
      limits,
      log,
      base,
      baseUrl,
      secret: createHmac('sha256', opened.secretKey).update('paging cursors').digest(),
      rules: [...devices.rules, ...subscriptions.rules],
      operations: subscriptions.operations,
      topics: subscriptions.topics,
      smart: JSON.parse(auth.discovery()),
    };
    if (config.seedFile !== undefined) {
      const outcome = await applySeed(config.seedFile, rest, sealer);
      log.info(outcome, 'seed applied');
    }
    return { ...opened, auth, ingest, subscriptions, rest };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** CONTRACT §1 shut-down: finish requests in flight, flush, within 10 s. */
async function stop(http: HttpServer, rooms: Rooms, state: State, reason: string, log: Logger): Promise<void> {
  state.status = 'stopping';
  state.reason = 'the server is stopping';
  log.info({ reason }, 'stopping');
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  // A kept-alive connection becomes idle when its last answer is out; `close` alone would wait for its client to leave.
  const sweep = setInterval(() => http.closeIdleConnections(), 25);
  const force = setTimeout(() => http.closeAllConnections(), limits.shutdownMsMax);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
  await rooms.subscriptions.stop();
  await rooms.auth.close();
  await rooms.store.close();
  log.info('stopped');
}
