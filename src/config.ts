/**
 * Every environment variable in one table: name, default, unit, sentence. This is the only reader of `process.env`; the table
 * in `docs/configuration.md` and the text of `--help` are made from it. CONTRACT §1 configuration.
 */
import { resolve } from 'node:path';
import { StartError } from './base/errors.ts';

export type Command = 'serve' | 'gateway';
type Kind = 'text' | 'port' | 'boolean' | 'base-url' | 'path' | 'choice' | 'positive';

export interface Variable {
  readonly name: string;
  readonly kind: Kind;
  readonly commands: readonly Command[];
  /** As text, or what happens without it. */
  readonly default?: string;
  readonly choices?: readonly string[];
  readonly required?: boolean;
  readonly unit?: string;
  readonly sentence: string;
}

const BOTH: readonly Command[] = ['serve', 'gateway'];
const SERVE: readonly Command[] = ['serve'];
const GATEWAY: readonly Command[] = ['gateway'];

export const VARIABLES: readonly Variable[] = [
  { name: 'HOST', kind: 'text', commands: BOTH, default: '127.0.0.1', sentence: 'Address to listen on.' },
  { name: 'PORT', kind: 'port', commands: BOTH, default: '8080', sentence: 'Port to listen on; 0 takes any free one.' },
  {
    name: 'BASE_URL',
    kind: 'base-url',
    commands: SERVE,
    sentence: 'Address by which others reach the server; without it http://HOST:<actual port>.',
  },
  {
    name: 'DATA_DIR',
    kind: 'path',
    commands: BOTH,
    default: './data',
    sentence: 'Folder of the embedded store or the spool; made when absent, its parent must exist.',
  },
  {
    name: 'MONGODB_URI',
    kind: 'text',
    commands: SERVE,
    sentence: 'Replica set to keep everything in; without it the embedded store is used.',
  },
  {
    name: 'SEED_FILE',
    kind: 'path',
    commands: SERVE,
    sentence: 'JSON with clients, users and resources, applied at every start.',
  },
  {
    name: 'MQTT_URL',
    kind: 'text',
    commands: SERVE,
    sentence: 'Broker to take readings from; this release does not connect to it yet and says so at start.',
  },
  {
    name: 'LOG_LEVEL',
    kind: 'choice',
    commands: BOTH,
    default: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    sentence: 'Least severe log line that is printed.',
  },
  {
    name: 'ALLOW_PRIVATE_ENDPOINTS',
    kind: 'boolean',
    commands: BOTH,
    default: 'false',
    sentence: 'Outgoing calls (webhooks, jwks_uri) may reach loopback and private addresses.',
  },
  {
    name: 'ALLOW_INSECURE_HTTP',
    kind: 'boolean',
    commands: BOTH,
    default: 'false',
    sentence: 'Outgoing calls may use http:, and the server may listen without TLS beyond loopback.',
  },
  {
    name: 'SECRET_KEY_FILE',
    kind: 'path',
    commands: SERVE,
    unit: '32 bytes, hex or base64',
    sentence: 'Key that encrypts secrets in the store; without it one is made on the first start and kept in DATA_DIR.',
  },
  {
    name: 'UNKNOWN_DEVICE',
    kind: 'choice',
    commands: SERVE,
    default: 'hold',
    choices: ['hold', 'create'],
    sentence:
      'What becomes of readings of a device that nobody registered: held, or a Device is created (never a Patient).',
  },
  {
    name: 'SERVER_URL',
    kind: 'base-url',
    commands: GATEWAY,
    required: true,
    sentence: 'Base address of the Vitalwire server.',
  },
  {
    name: 'CLIENT_ID',
    kind: 'text',
    commands: GATEWAY,
    required: true,
    sentence: 'client_id of this gateway at the server.',
  },
  {
    name: 'PRIVATE_KEY_FILE',
    kind: 'path',
    commands: GATEWAY,
    required: true,
    sentence: 'Private JWK with which the gateway signs its client assertions.',
  },
  {
    name: 'SPOOL_KEY_FILE',
    kind: 'path',
    commands: GATEWAY,
    unit: '32 bytes, hex or base64',
    sentence: 'Key that encrypts the spool; without it one is made in DATA_DIR.',
  },
  {
    name: 'SPOOL_MAX_MB',
    kind: 'positive',
    commands: GATEWAY,
    default: '1024',
    unit: 'MB',
    sentence: 'Size at which the spool is full and new readings are refused with 507.',
  },
  {
    name: 'LOCAL_TOKEN_FILE',
    kind: 'path',
    commands: GATEWAY,
    sentence: 'File with the bearer token that other hosts must send; without it only loopback is served.',
  },
];

export type Values = Readonly<Record<string, string | undefined>>;

/** What is wrong with one value, as a sentence; undefined when nothing is. */
function mistakeOf(v: Variable, value: string): string | undefined {
  switch (v.kind) {
    case 'port':
      return /^\d{1,5}$/.test(value) && Number(value) <= 65_535
        ? undefined
        : `must be a port from 0 to 65535, not "${value}"`;
    case 'positive':
      return /^\d{1,9}$/.test(value) && Number(value) > 0
        ? undefined
        : `must be a positive whole number, not "${value}"`;
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : `must be true or false, not "${value}"`;
    case 'choice':
      return v.choices?.includes(value) ? undefined : `must be one of ${v.choices?.join(', ')}, not "${value}"`;
    case 'base-url': {
      const url = URL.canParse(value) ? new URL(value) : undefined;
      if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash)
        return `must be an http(s) address without user, query or fragment, such as https://vitalwire.example, not "${value}"`;
      return undefined;
    }
    default:
      return undefined;
  }
}

/**
 * Values of a command by name, defaults filled in; unset and empty are the same.
 * @throws StartError with every mistake at once.
 */
export function readValues(command: Command, env: NodeJS.ProcessEnv = process.env): Values {
  const values: Record<string, string | undefined> = {};
  const mistakes: string[] = [];
  for (const v of VARIABLES) {
    if (!v.commands.includes(command)) continue;
    const given = env[v.name]?.trim();
    const value = given === undefined || given === '' ? v.default : given;
    values[v.name] = value;
    if (value === undefined) {
      if (v.required) mistakes.push(`${v.name} must be set. ${v.sentence}`);
      continue;
    }
    const mistake = mistakeOf(v, value);
    if (mistake) mistakes.push(`${v.name} ${mistake}.`);
  }
  if (mistakes.length > 0) throw new StartError(mistakes);
  return values;
}

export interface ServeConfig {
  readonly host: string;
  readonly port: number;
  /** Without a trailing slash; undefined: made from host and actual port. */
  readonly baseUrl?: string | undefined;
  readonly dataDir: string;
  readonly mongodbUri?: string | undefined;
  readonly seedFile?: string | undefined;
  readonly mqttUrl?: string | undefined;
  readonly logLevel: string;
  readonly allowPrivateEndpoints: boolean;
  readonly allowInsecureHttp: boolean;
  readonly secretKeyFile?: string | undefined;
  readonly unknownDevice: 'hold' | 'create';
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/i;

export function serveConfig(env?: NodeJS.ProcessEnv): ServeConfig {
  const v = readValues('serve', env);
  const host = v['HOST'] as string;
  const allowInsecureHttp = v['ALLOW_INSECURE_HTTP'] === 'true';
  if (!allowInsecureHttp && !LOOPBACK.test(host))
    throw new StartError(
      `HOST is ${host}, but without TLS the server listens on loopback only. Put a TLS proxy in front and set ALLOW_INSECURE_HTTP=true, or set HOST=127.0.0.1.`,
    );
  return {
    host,
    port: Number(v['PORT']),
    baseUrl: v['BASE_URL']?.replace(/\/+$/, ''),
    dataDir: resolve(v['DATA_DIR'] as string),
    mongodbUri: v['MONGODB_URI'],
    seedFile: v['SEED_FILE'],
    mqttUrl: v['MQTT_URL'],
    logLevel: v['LOG_LEVEL'] as string,
    allowPrivateEndpoints: v['ALLOW_PRIVATE_ENDPOINTS'] === 'true',
    allowInsecureHttp,
    secretKeyFile: v['SECRET_KEY_FILE'],
    unknownDevice: v['UNKNOWN_DEVICE'] as 'hold' | 'create',
  };
}

/** The environment of child processes that the demo starts: this one plus `more`. */
export function childEnvironment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...more };
}

/** The table of one command as text for `--help`. */
export function helpTable(command: Command): string {
  return VARIABLES.filter((v) => v.commands.includes(command))
    .map((v) => {
      const standard = v.required ? 'required' : v.default === undefined ? 'unset' : `default ${v.default}`;
      const notes = [standard, v.kind === 'boolean' ? 'true|false' : v.choices?.join('|'), v.unit]
        .filter(Boolean)
        .join('; ');
      return `  ${v.name.padEnd(24)} ${v.sentence}\n  ${''.padEnd(24)} (${notes})`;
    })
    .join('\n');
}
