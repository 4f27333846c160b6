/** `vitalwire client list|add|disable|enable|rotate`: acts on the store of the configuration while a server may be running. */
import { readFileSync } from 'node:fs';
import { addClient, listClients, rotateClientKeys, setClientEnabled } from '../auth/clients.ts';
import { StartError } from '../base/errors.ts';
import { createLogger } from '../base/log.ts';
import { serveConfig } from '../config.ts';
import { type Opened, openStore } from './open.ts';
import { type Parsed, parseOptions, UsageError } from './usage.ts';

const HELP = `vitalwire client list [--json]
vitalwire client add --file FILE      registers a client; FILE has RFC 7591 metadata ("-" reads stdin)
vitalwire client disable <client_id>  ends its tokens within seconds
vitalwire client enable <client_id>
vitalwire client rotate <client_id> --file FILE   replaces its keys; FILE has {"jwks":…}, {"jwks_uri":…} or {"client_secret":…}

The store is that of DATA_DIR, as for serve.`;

type Verb = (opened: Opened, parsed: Parsed) => Promise<void>;

function oneId(parsed: Parsed): string {
  const [, id, ...rest] = parsed.positionals;
  if (id === undefined || rest.length > 0) throw new UsageError(`Name one client_id.\n\n${HELP}`);
  return id;
}

function metadata(parsed: Parsed): unknown {
  const file = parsed.values['file'];
  if (typeof file !== 'string') throw new UsageError(`--file is missing.\n\n${HELP}`);
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (cause) {
    throw new StartError(`${file} cannot be read as JSON: ${(cause as Error).message}.`);
  }
}

const print = (parsed: Parsed, data: unknown, lines: readonly string[]): void => {
  console.log(parsed.values['json'] ? JSON.stringify(data, null, 2) : lines.join('\n'));
};

const VERBS: Readonly<Record<string, Verb>> = {
  async list({ store }, parsed) {
    const clients = await listClients(store);
    print(
      parsed,
      { clients },
      clients.length === 0
        ? ['No client is registered.']
        : clients.map((c) => `${c.client_id}${c.disabled ? ' (disabled)' : ''}  ${c.scope ?? ''}`),
    );
  },
  async add({ store, sealer }, parsed) {
    const client = await addClient(store, sealer, metadata(parsed));
    print(parsed, client, [`${client.client_id} is registered.`]);
  },
  async disable({ store }, parsed) {
    const id = oneId(parsed);
    await setClientEnabled(store, id, false);
    print(parsed, { client_id: id, disabled: true }, [`${id} is disabled.`]);
  },
  async enable({ store }, parsed) {
    const id = oneId(parsed);
    await setClientEnabled(store, id, true);
    print(parsed, { client_id: id, disabled: false }, [`${id} is enabled.`]);
  },
  async rotate({ store, sealer }, parsed) {
    const id = oneId(parsed);
    await rotateClientKeys(store, sealer, id, metadata(parsed));
    print(parsed, { client_id: id, rotated: true }, [`The keys of ${id} are replaced.`]);
  },
};

export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseOptions(args, { file: { type: 'string' } });
  const [name] = parsed.positionals;
  if (parsed.values['help']) {
    console.log(HELP);
    return 0;
  }
  const verb = name !== undefined && Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!verb) throw new UsageError(name === undefined ? HELP : `client has no verb "${name}".\n\n${HELP}`);
  return withStore((opened) => verb(opened, parsed));
}

/** Opens the store of the configuration, logs to stderr, closes it again. */
export async function withStore(act: (opened: Opened) => Promise<void>): Promise<number> {
  const config = serveConfig();
  const log = createLogger(config.logLevel === 'info' ? 'error' : config.logLevel, true);
  const opened = await openStore(config, `${config.baseUrl ?? `http://${config.host}:${config.port}`}/fhir`, log);
  try {
    await act(opened);
    return 0;
  } finally {
    await opened.store.close();
  }
}
