/**
 * The SMART authorization server: who a token belongs to, and everything below `/auth`. Backend Services only so far: no
 * client gets a code, since there is no sign-in. CONTRACT §4.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Scope, TokenVerifier } from '../access/principal.ts';
import { type Clock, instant } from '../base/clock.ts';
import type { Limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { Sealer } from '../base/secret.ts';
import type { Store } from '../store/store.ts';
import { addressesOf } from './addresses.ts';
import { brandBundle } from './brand.ts';
import { smartConfiguration } from './discovery.ts';
import { authListener } from './http.ts';
import { createKeySource } from './key-source.ts';
import { loadKeys } from './keys.ts';
import { createProvider } from './provider.ts';
import { createRegistry, type Registry } from './registry.ts';
import { createVerifier, type TokenFacts, type Verifier } from './verifier.ts';

export interface AuthOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: Limits;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly sealer: Sealer;
  readonly allowPrivateEndpoints: boolean;
  readonly allowInsecureHttp: boolean;
}

export interface Auth {
  readonly verifier: TokenVerifier;
  /** Everything below `/auth`, and `/.well-known/oauth-authorization-server/auth`. Wants `req.url` as it came. */
  readonly handler: (req: IncomingMessage, res: ServerResponse) => void;
  /** JSON of `{BASE_URL}/fhir/.well-known/smart-configuration`. */
  discovery(): string;
  /** FHIR Bundle of `{BASE_URL}/brands`. */
  brandBundle(): string;
  /** Registered and not disabled. */
  clientEnabled(clientId: string): Promise<boolean>;
  /** The most that the client may get; empty for an unknown or disabled one. */
  scopeOf(clientId: string): Promise<readonly Scope[]>;
  /** Forgets what was read of clients and tokens: after documents of clients were written in this process. */
  refresh(): void;
  metrics(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

type Provider = ReturnType<typeof createProvider>;

/** What the store says of a token: it must be live, for this server, and of a client that may act. */
function finder(provider: Provider, registry: Registry, audience: string) {
  return async (token: string): Promise<TokenFacts | undefined> => {
    const found = await provider.ClientCredentials.find(token);
    if (!found?.isValid || found.clientId === undefined || found.aud !== audience) return undefined;
    if (!(await registry.active(found.clientId))) return undefined;
    return { clientId: found.clientId, scope: found.scope ?? '', expires: (found.exp ?? 0) * 1000 };
  };
}

/** @throws StartError when the secret key is not the one of the store. */
export async function createAuth(options: AuthOptions): Promise<Auth> {
  const { store, clock, log, limits, sealer } = options;
  const addresses = addressesOf(options.baseUrl);
  const registry = createRegistry(store, clock, limits);
  const keySource = createKeySource(options);
  const keys = await loadKeys(store, sealer);
  let issued = 0;
  // The provider and the verifier know each other: one ends tokens, the other looks them up.
  let verifier: Verifier;
  const provider = createProvider({
    store,
    clock,
    limits,
    log,
    sealer,
    addresses,
    keys,
    registry,
    keySource,
    revoked: (token) => verifier.drop(token),
    grantRevoked: (grantId) => verifier.dropGrant(grantId),
  });
  verifier = createVerifier({ clock, limits, find: finder(provider, registry, addresses.fhir) });
  provider.on('grant.success', () => {
    issued++;
  });
  const refresh = (): void => {
    registry.drop();
    verifier.dropAll();
  };
  // The command line disables a client in a process of its own.
  const stopListening = store.onForeignChange(refresh);
  const discovery = smartConfiguration(addresses);
  const brand = brandBundle(addresses, instant(clock.now()));
  return {
    verifier,
    handler: authListener(provider.callback(), addresses),
    discovery: () => discovery,
    brandBundle: () => brand,
    clientEnabled: async (clientId) => (await registry.active(clientId)) !== undefined,
    scopeOf: async (clientId) => (await registry.active(clientId))?.scopes ?? [],
    refresh,
    metrics: () => ({ tokensIssued: issued, tokenVerdicts: verifier.size }),
    async close() {
      stopListening();
      await keySource.close();
    },
  };
}
