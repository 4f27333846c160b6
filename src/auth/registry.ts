/** The clients that may act now, with what is needed at every request. A small cache in front of the store. */
import type { Scope } from '../access/principal.ts';
import { parseScopes } from '../access/scopes.ts';
import type { Clock } from '../base/clock.ts';
import type { Limits } from '../base/limits.ts';
import type { Store } from '../store/store.ts';
import { CLIENTS, DISABLED, parseClient, type StoredClient } from './clients.ts';

export interface ActiveClient extends StoredClient {
  readonly scopes: readonly Scope[];
  /** Origins of its redirect and launch URIs. */
  readonly origins: ReadonlySet<string>;
}

export interface Registry {
  /** Undefined when there is no such client or it is disabled. */
  active(clientId: string): Promise<ActiveClient | undefined>;
  /** Forgets what was read. */
  drop(): void;
}

const originsOf = (uris: readonly string[]): ReadonlySet<string> =>
  new Set(uris.map((uri) => URL.parse(uri)?.origin ?? 'null').filter((origin) => origin !== 'null'));

export function createRegistry(store: Store, clock: Clock, limits: Limits): Registry {
  const known = new Map<string, { client: ActiveClient; until: number }>();
  let round = 0;

  async function read(clientId: string): Promise<ActiveClient | undefined> {
    const doc = await store.doc(CLIENTS, clientId);
    if (!doc || (await store.doc(DISABLED, clientId))) return undefined;
    const client = parseClient(doc);
    return {
      ...client,
      scopes: parseScopes(client.scope),
      origins: originsOf([...client.redirectUris, ...client.launchUris]),
    };
  }

  return {
    async active(clientId) {
      const now = clock.now();
      const hit = known.get(clientId);
      if (hit && now < hit.until) return hit.client;
      const started = round;
      const client = await read(clientId);
      // What is not there is not remembered: names come from outside, and a client that was just added works at once.
      known.delete(clientId);
      if (client && started === round) {
        if (known.size >= limits.clientRecordsMax) known.delete(known.keys().next().value as string);
        known.set(clientId, { client, until: now + limits.clientRecordMsMax });
      }
      return client;
    },
    drop() {
      round++;
      known.clear();
    },
  };
}
