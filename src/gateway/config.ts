import { StartError } from '../base/errors.ts';

/** What `vitalwire gateway` is told; `src/config.ts` reads it from the environment. CONTRACT §6. */
export interface GatewayConfig {
  /** Base address of the server, without a trailing slash. */
  readonly serverUrl: string;
  readonly clientId: string;
  /** File with the private JWK. */
  readonly privateKeyFile: string;
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** 32 bytes, hex or base64; without it a key is made in `dataDir`. */
  readonly spoolKeyFile?: string | undefined;
  readonly spoolMaxMb: number;
  /** File with the bearer token of other hosts; without it only loopback is served. */
  readonly localTokenFile?: string | undefined;
  readonly allowInsecureHttp: boolean;
  readonly allowPrivateEndpoints: boolean;
}

const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i;

export const isLoopbackName = (host: string): boolean => LOOPBACK_NAME.test(host);

/** Addresses as sockets report them. */
export const isLoopbackAddress = (address: string | undefined): boolean =>
  address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address);

/**
 * The access token and every reading go to this address: over plain http only where no one can listen.
 * @throws StartError
 */
export function assertServerUrl(config: GatewayConfig): void {
  const url = new URL(config.serverUrl);
  if (url.protocol === 'http:' && !config.allowInsecureHttp && !isLoopbackName(url.hostname))
    throw new StartError(
      `SERVER_URL ${config.serverUrl} is not encrypted. Use https:, or set ALLOW_INSECURE_HTTP=true if that network can be trusted.`,
    );
}
