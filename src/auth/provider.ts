/**
 * oidc-provider, configured for SMART Backend Services: what the library does not do by itself is in the hooks below, each
 * naming why. It knows no user and no code: interactive grants are not among its grants. smart.md §2.
 */
import type { EventEmitter } from 'node:events';
import Provider, {
  type Adapter,
  type AdapterPayload,
  type Client,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { Clock } from '../base/clock.ts';
import type { Limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { Sealer } from '../base/secret.ts';
import type { Store } from '../store/store.ts';
import { type AdapterOptions, createAdapter } from './adapter.ts';
import { type Addresses, ROUTES } from './addresses.ts';
import { assertionMistake } from './assertion.ts';
import { grantScope } from './grant-scope.ts';
import { createGuessing } from './guessing.ts';
import { ASSERTION_ALGS, type PublicJwk } from './jwks.ts';
import type { KeySource } from './key-source.ts';
import type { ServerKeys } from './keys.ts';
import { answeredAway, correctAnswer, TooManyTries } from './oauth-answers.ts';
import type { ActiveClient, Registry } from './registry.ts';
import { secretMatches } from './secrets.ts';

export interface ProviderOptions extends Pick<AdapterOptions, 'revoked' | 'grantRevoked'> {
  readonly store: Store;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Logger;
  readonly sealer: Sealer;
  readonly addresses: Addresses;
  readonly keys: ServerKeys;
  readonly registry: Registry;
  readonly keySource: KeySource;
}

/** Our own members of a client. The library must not see `jwks_uri`, or it would fetch and cache by its own rules (trap 11). */
const REGISTERED_JWKS_URI = 'registered_jwks_uri';
const ALLOWED_ORIGINS = 'allowed_origins';

/** The kid that the assertion of the current request names, so that a rotated key is found. Nothing is believed yet. */
function kidAsked(): string | undefined {
  const params = Provider.ctx?.oidc?.params as { client_assertion?: unknown } | undefined;
  if (typeof params?.client_assertion !== 'string') return undefined;
  try {
    const header: unknown = JSON.parse(
      Buffer.from(params.client_assertion.split('.', 1)[0] as string, 'base64url').toString(),
    );
    const kid = (header as { kid?: unknown } | null)?.kid;
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}

/** Read-only: clients are written by `clients.ts` alone. */
function clientAdapter(registry: Registry, keySource: KeySource, sealer: Sealer): Adapter {
  const refuse = async (): Promise<never> => {
    throw new errors.InvalidRequest('clients are not written by this way');
  };
  return {
    async find(clientId) {
      const client = await registry.active(clientId);
      if (!client) return undefined;
      const keys =
        client.jwksUri === undefined ? (client.keys ?? []) : await keySource.keys(client.jwksUri, kidAsked());
      return metadataOf(client, keys, sealer);
    },
    upsert: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
    findByUid: refuse,
    findByUserCode: refuse,
  };
}

/** What the library is told of a client: its credentials, and of its grants those that are offered. */
function metadataOf(client: ActiveClient, keys: readonly PublicJwk[], sealer: Sealer): AdapterPayload {
  const signs = client.method === 'private_key_jwt';
  const metadata: Record<string, unknown> = {
    client_id: client.clientId,
    client_name: client.name,
    token_endpoint_auth_method: client.method,
    // SMART Backend Services: with a signed assertion only.
    grant_types: client.grantTypes.filter((grant) => signs && grant === 'client_credentials'),
    response_types: [],
    redirect_uris: [],
    [ALLOWED_ORIGINS]: [...client.origins],
  };
  if (signs) {
    metadata['jwks'] = { keys };
    metadata['token_endpoint_auth_signing_alg'] = client.signingAlg;
    metadata[REGISTERED_JWKS_URI] = client.jwksUri;
  }
  if (client.sealedSecret !== undefined) metadata['client_secret'] = sealer.open(client.sealedSecret);
  return metadata as AdapterPayload;
}

/** SMART's rules for assertions, on top of the library's. @throws InvalidClientAuth, 401 `invalid_client`. */
function assertionHook(options: ProviderOptions): Configuration['assertJwtClientAuthClaimsAndHeader'] {
  return (_ctx, claims, header, client) => {
    const mistake = assertionMistake(header, claims, {
      clientId: client.clientId,
      tokenUrl: options.addresses.url('token'),
      jwksUri: client[REGISTERED_JWKS_URI] as string | undefined,
      keys: (client.jwks?.keys ?? []) as readonly PublicJwk[],
      now: options.clock.now(),
      limits: options.limits,
    });
    if (mistake === undefined) return;
    const error = new errors.InvalidClientAuth(mistake);
    error.error_description = mistake;
    throw error;
  };
}

/** The one resource server: the FHIR API, with the scopes of this request. @throws InvalidScope, InvalidTarget. */
function resourceHook(options: ProviderOptions) {
  return async (ctx: KoaContextWithOIDC, resource: string, client: Client) => {
    const { fhir } = options.addresses;
    if (resource !== fhir) throw new errors.InvalidTarget(`The only resource is ${fhir}.`);
    const registered = await options.registry.active(client.clientId);
    const asked = ctx.oidc.params?.['scope'] as string | undefined;
    const granted = grantScope(asked, registered?.scopes ?? [], fhir, options.limits.scopesPerTokenMax);
    if ('refusal' in granted) throw new errors.InvalidScope(granted.refusal, asked ?? '');
    return {
      scope: granted.scope,
      audience: fhir,
      accessTokenTTL: options.limits.backendTokenSecondsMax,
      accessTokenFormat: 'opaque' as const,
    };
  };
}

function features(options: ProviderOptions): Configuration['features'] {
  const own = async (_ctx: KoaContextWithOIDC, client: Client, token: { clientId?: string | undefined }) =>
    token.clientId === client.clientId;
  return {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: own },
    revocation: { enabled: true, allowedPolicy: own },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => options.addresses.fhir,
      useGrantedResource: async () => true,
      getResourceServerInfo: resourceHook(options),
    },
    // All that needs a person, and all that the verifier does not check (proof of possession), stays off.
    devInteractions: { enabled: false },
    deviceFlow: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    registration: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
  };
}

function configuration(options: ProviderOptions): Configuration {
  const { addresses, keys, limits, registry } = options;
  const clients = clientAdapter(registry, options.keySource, options.sealer);
  const { authorization, token, introspection, revocation, jwks } = ROUTES;
  return {
    adapter: (model: string) => (model === 'Client' ? clients : createAdapter(model, options)),
    jwks: keys.jwks as Configuration['jwks'],
    cookies: { keys: [...keys.cookies] },
    routes: { authorization, token, introspection, revocation, jwks },
    responseTypes: [],
    scopes: ['openid'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: [...ASSERTION_ALGS] },
    assertJwtClientAuthClaimsAndHeader: assertionHook(options),
    clockTolerance: limits.clockSkewMsMax / 1000,
    extraClientMetadata: { properties: [REGISTERED_JWKS_URI, ALLOWED_ORIGINS] },
    formats: { bitsOfOpaqueRandomness: 256 },
    ttl: { ClientCredentials: limits.backendTokenSecondsMax },
    pkce: { required: () => true },
    // The routes of the API answer JSON whatever is accepted; pages are not the library's.
    renderError: (ctx, out) => {
      ctx.body = out;
    },
    clientBasedCORS: (_ctx, origin, client) => (client[ALLOWED_ORIGINS] as readonly string[]).includes(origin),
    discovery: {
      end_session_endpoint: addresses.url('end_session'),
      registration_endpoint: addresses.url('registration'),
      device_authorization_endpoint: addresses.url('device_authorization'),
    },
    features: features(options),
  };
}

export function createProvider(options: ProviderOptions): Provider {
  const { addresses, log, store, clock, limits } = options;
  const provider = new Provider(addresses.issuer, configuration(options));
  // Addresses come from BASE_URL, never from the Host header of a request.
  const context = provider.OIDCContext.prototype;
  context.urlFor = (name: string) => provider.urlFor(name);
  // As one string or not at all: trap 10. The exact check is in the assertion hook.
  context.clientJwtAuthExpectedAudience = () => new Set([addresses.url('token')]);

  const guessing = createGuessing(store, clock, limits);
  provider.Client.prototype.compareClientSecret = async function compare(this: Client, given: string) {
    const verdict = await guessing.attempt(this.clientId, () => secretMatches(this.clientSecret ?? '', given));
    if ('wait' in verdict) {
      Provider.ctx?.set('Retry-After', String(verdict.wait));
      throw new TooManyTries();
    }
    return verdict.right;
  };

  provider.use(correctAnswer);
  logTo(log, provider);
  return provider;
}

function logTo(log: Logger, provider: Provider): void {
  const failed = (error: Error): void => log.error({ err: error }, 'the authorization server failed');
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError): void => {
    const reason = error.error_detail ?? error.error_description;
    log.info({ client: ctx.oidc?.client?.clientId, error: error.error, reason }, 'a client was refused');
  };
  // Koa's own; without a listener it prints a stack trace.
  (provider as EventEmitter).on('error', failed);
  provider.on('server_error', (ctx, error) => {
    if (answeredAway(ctx, error)) log.warn({ cause: error.cause }, error.message);
    else failed(error);
  });
  provider.on('grant.error', refused);
  provider.on('introspection.error', refused);
  provider.on('revocation.error', refused);
}
