import { resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { createLogger } from '../base/log.ts';
import { helpTable, readValues } from '../config.ts';
import type { GatewayConfig } from '../gateway/config.ts';
import { startGateway } from '../gateway/index.ts';
import { untilSignal } from './signals.ts';
import { parseOptions, UsageError } from './usage.ts';

const HELP = `vitalwire gateway

Takes readings on loopback, keeps them on disk while the server is out of reach, and sends them on in order.

${helpTable('gateway')}`;

function config(): { gateway: GatewayConfig; logLevel: string } {
  const v = readValues('gateway');
  return {
    logLevel: v['LOG_LEVEL'] as string,
    gateway: {
      serverUrl: (v['SERVER_URL'] as string).replace(/\/+$/, ''),
      clientId: v['CLIENT_ID'] as string,
      privateKeyFile: v['PRIVATE_KEY_FILE'] as string,
      dataDir: resolve(v['DATA_DIR'] as string),
      host: v['HOST'] as string,
      port: Number(v['PORT']),
      spoolKeyFile: v['SPOOL_KEY_FILE'],
      spoolMaxMb: Number(v['SPOOL_MAX_MB']),
      localTokenFile: v['LOCAL_TOKEN_FILE'],
      allowInsecureHttp: v['ALLOW_INSECURE_HTTP'] === 'true',
      allowPrivateEndpoints: v['ALLOW_PRIVATE_ENDPOINTS'] === 'true',
    },
  };
}

/** `vitalwire gateway`: resolves with the exit code once it was stopped by SIGTERM or SIGINT. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args);
  if (values['help']) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length > 0)
    throw new UsageError(`gateway takes no argument, but was given "${positionals.join(' ')}".`);
  const { gateway, logLevel } = config();
  const log = createLogger(logLevel);
  // From the first moment: whoever reads the line "listening" may send one before anything else happens here.
  const signal = untilSignal();
  const running = await startGateway(gateway, log, systemClock);
  log.info({ url: running.url }, 'listening');
  await signal;
  await running.close();
  return 0;
}
