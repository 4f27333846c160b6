/** /metrics: what each room counts, in Prometheus text. Nothing is added to the hot paths: the rooms' numbers are read on scrape. */
import type { IncomingMessage } from 'node:http';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { TokenVerifier } from './access/principal.ts';
import type { MaybePromise } from './base/types.ts';

/** Numbers of one room by name; a name that ends in `_total` only grows. */
export type Source = () => MaybePromise<Readonly<Record<string, number>>>;

export interface Metrics {
  answer(req: IncomingMessage): Promise<{ status: number; type: string; body: string }>;
}

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

/** Without login from loopback, unless a proxy stands between; else for administrators. CONTRACT §1 health. */
async function allowed(req: IncomingMessage, verifier: TokenVerifier): Promise<boolean> {
  const proxied = req.headers['x-forwarded-for'] !== undefined || req.headers['forwarded'] !== undefined;
  if (!proxied && LOOPBACK.has(req.socket.remoteAddress ?? '')) return true;
  const token = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  return token !== undefined && ((await verifier.verify(token))?.admin ?? false);
}

export function createMetrics(sources: Readonly<Record<string, Source>>, verifier: TokenVerifier): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'vitalwire_' });
  const gauges = new Map<string, Gauge>();
  const set = (name: string, value: number): void => {
    let gauge = gauges.get(name);
    if (!gauge) {
      gauge = new Gauge({ name, help: name.replaceAll('_', ' '), registers: [registry] });
      gauges.set(name, gauge);
    }
    gauge.set(value);
  };
  return {
    async answer(req) {
      if (!(await allowed(req, verifier)))
        return {
          status: 403,
          type: 'text/plain',
          body: 'Metrics are for administrators: send a bearer token with system/*.cruds.\n',
        };
      for (const [room, source] of Object.entries(sources)) {
        // The others are wanted most when the store does not answer.
        const found = await Promise.resolve()
          .then(source)
          .catch(() => undefined);
        set(`vitalwire_${room}_up`, found ? 1 : 0);
        for (const [name, value] of Object.entries(found ?? {}))
          set(`vitalwire_${room}_${name.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`, value);
      }
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    },
  };
}
