/** The edge program: takes readings, keeps them on disk, sends them on. This file wires and closes its parts. */
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { type Clock, instant } from '../base/clock.ts';
import { StartError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { assertServerUrl, type GatewayConfig } from './config.ts';
import { assertCanSign, createCredentials } from './credentials.ts';
import { readLocalToken, readSigningKey, readSpoolKey } from './keys.ts';
import { createLink, type Link } from './link.ts';
import { createListener } from './listener.ts';
import { createQueue } from './queue.ts';
import { type Spool, SqliteSpool } from './spool.ts';
import { startSync } from './sync.ts';
import { createUplink } from './uplink.ts';
import { createView, type GatewayStatus } from './view.ts';

export type { GatewayConfig } from './config.ts';

/** CONTRACT §6 gateway, more. */
const SCOPE = 'system/Observation.c system/Device.rs';
/** What is under way to the server gets this long when the gateway stops; the spool keeps the rest. */
const UPLOAD_MS_AT_STOP = 2_000;

/**
 * Starts the gateway, whether or not its server can be reached.
 * @returns its address on this machine, and how to stop it within 10 s
 * @throws StartError
 */
export async function startGateway(
  config: GatewayConfig,
  log: Logger,
  clock: Clock,
): Promise<{ url: string; close(): Promise<void> }> {
  assertServerUrl(config);
  const key = readSigningKey(config.privateKeyFile);
  assertCanSign(key);
  const localToken = readLocalToken(config.localTokenFile);
  const spool = openSpool(config, log);
  const link = createLink(clock);
  const queue = createQueue(spool);
  const view = createView();
  const { serverUrl, clientId } = config;
  const stopping = new AbortController();
  const dispatcher = new Agent({ keepAliveTimeout: 30_000, connect: { timeout: limits.gatewayRequestMsMax } });
  const shared = { serverUrl, dispatcher, heard: link.heard };
  const credentials = createCredentials({
    ...shared,
    clientId,
    key,
    scope: SCOPE,
    serverNow: link.serverNow,
    requestMsMax: limits.gatewayRequestMsMax,
  });
  const uplink = createUplink({ ...shared, credentials, now: () => clock.now(), signal: stopping.signal });
  const listener = createListener({
    clock,
    log,
    view,
    localToken,
    serverNow: link.serverNow,
    status: () => statusOf(spool, link),
    deadLetters: (itemsMax) => spool.deadLetters(itemsMax),
    async keep(items) {
      queue.added(await spool.append(items));
      sync.kick();
    },
  });
  const http = createServer({ requestTimeout: limits.requestMsMax, keepAliveTimeout: limits.keepAliveMsMax }, listener);
  const url = await listen(http, config).catch((error: unknown) => {
    spool.close();
    throw error;
  });
  const sync = startSync({ spool, queue, uplink, link, clock, log });
  return {
    url,
    async close() {
      await stopListening(http);
      const timer = setTimeout(() => stopping.abort(), UPLOAD_MS_AT_STOP);
      await sync.stop();
      clearTimeout(timer);
      spool.close();
      await dispatcher.destroy();
    },
  };
}

function openSpool(config: GatewayConfig, log: Logger): Spool {
  try {
    mkdirSync(config.dataDir, { recursive: false, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST')
      throw new StartError(
        `DATA_DIR ${config.dataDir} cannot be made: ${code}. Its parent folder must exist and be writable.`,
      );
  }
  try {
    return new SqliteSpool(
      config.dataDir,
      readSpoolKey(config.spoolKeyFile, config.dataDir, log),
      config.spoolMaxMb * 2 ** 20,
    );
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `DATA_DIR ${config.dataDir} cannot be written: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}.`,
    );
  }
}

function statusOf(spool: Spool, link: Link): GatewayStatus {
  const { waiting, oldest, rejected, lastAck } = spool.totals();
  return {
    connected: link.connected,
    waiting,
    oldest: oldest === undefined ? null : instant(oldest),
    rejected,
    skewMs: link.skewMs ?? null,
    lastAck: lastAck === undefined ? null : instant(lastAck),
  };
}

function listen(http: Server, { host, port }: GatewayConfig): Promise<string> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'another program listens there. Stop it or set PORT'
          : `${error.code}. Set HOST and PORT`;
      reject(new StartError(`The gateway cannot listen on ${host}:${port}: ${why}.`));
    });
    http.listen({ host, port }, () => {
      const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
      resolve(`http://${name}:${(http.address() as AddressInfo).port}`);
    });
  });
}

/** Requests in flight are finished; an idle connection does not hold up the end. CONTRACT §1 shut-down. */
async function stopListening(http: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  const sweep = setInterval(() => http.closeIdleConnections(), 25);
  const force = setTimeout(() => http.closeAllConnections(), limits.shutdownMsMax / 2);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}
