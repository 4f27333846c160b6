/** Builds the set: a folder, a seed, and the three processes, wired to each other. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instant, systemClock } from '../../base/clock.ts';
import type { Credentials } from '../../gateway/credentials.ts';
import { credentialsOf, type DemoClient, registerClient } from './access.ts';
import { Child, type Line } from './child.ts';
import type { EhrConfig } from './ehr.ts';
import { createLink, type Link } from './link.ts';
import { PATIENTS, wardResources } from './ward/patients.ts';

/** Unset and empty are the same: nothing of the shell's own settings for a server leaks in. */
const BARE = {
  HOST: '127.0.0.1',
  PORT: '0',
  BASE_URL: '',
  LOG_LEVEL: 'info',
  SECRET_KEY_FILE: '',
  MQTT_URL: '',
  UNKNOWN_DEVICE: '',
};
const LOCAL = { ...BARE, ALLOW_PRIVATE_ENDPOINTS: 'true', ALLOW_INSECURE_HTTP: 'true' };
const GATEWAY_DEFAULTS = { SPOOL_KEY_FILE: '', SPOOL_MAX_MB: '', LOCAL_TOKEN_FILE: '' };
const MAIN = '../../main.ts';

export interface Stage {
  readonly serverUrl: string;
  readonly gatewayUrl: string;
  readonly ehrUrl: string;
  readonly link: Link;
  readonly administrator: Credentials;
}

export interface Balance {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly held: number;
  readonly rejected: number;
}

export class Theatre {
  readonly #dir = mkdtempSync(join(tmpdir(), 'vitalwire-demo-'));
  readonly #children: Child[] = [];
  readonly #onDeath: (sentence: string) => void;
  #link: Link | undefined;

  constructor(onDeath: (sentence: string) => void) {
    this.#onDeath = onDeath;
  }

  #client(id: string, name: string, scope: string): { client: DemoClient; seed: unknown } {
    return registerClient(id, name, scope, join(this.#dir, `${id}.jwk.json`));
  }

  #start(
    name: string,
    program: string,
    args: readonly string[],
    env: Record<string, string>,
    onLine?: (line: Line) => void,
  ): Promise<string> {
    const child = new Child({ name, program, args, env, onDeath: this.#onDeath, ...(onLine ? { onLine } : {}) });
    this.#children.unshift(child);
    return child.listening();
  }

  /** @param onEhr each line that the EHR says. @throws Error with the last words of what does not start */
  async build(say: (step: string) => void, onEhr: (line: Line) => void): Promise<Stage> {
    const gateway = this.#client('demo-gateway', 'Ward gateway', 'system/Observation.c system/Device.rs');
    const ehr = this.#client(
      'demo-ehr',
      'Hospital EHR',
      'system/Subscription.cruds system/Observation.rs system/Patient.rs system/Device.rs',
    );
    const admin = this.#client('demo-admin', 'Accounting', 'system/*.cruds');
    const seed = {
      clients: [gateway.seed, ehr.seed, admin.seed],
      resources: wardResources(instant(systemClock.now() - 86_400_000)),
    };
    const seedFile = join(this.#dir, 'seed.json');
    writeFileSync(seedFile, JSON.stringify(seed));
    say('Starting the FHIR server …');
    const serverUrl = await this.#start('server', MAIN, ['serve'], {
      ...LOCAL,
      DATA_DIR: join(this.#dir, 'data'),
      SEED_FILE: seedFile,
    });
    this.#link = await createLink(serverUrl);
    say('Starting the edge gateway and the hospital EHR …');
    const ehrFile = join(this.#dir, 'ehr.json');
    const config: EhrConfig = { serverUrl, client: ehr.client, patients: PATIENTS.map((p) => p.id), port: 0 };
    writeFileSync(ehrFile, JSON.stringify(config));
    const [gatewayUrl, ehrUrl] = await Promise.all([
      this.#start('gateway', MAIN, ['gateway'], {
        ...LOCAL,
        ...GATEWAY_DEFAULTS,
        SERVER_URL: this.#link.url,
        CLIENT_ID: gateway.client.clientId,
        PRIVATE_KEY_FILE: gateway.client.keyFile,
        DATA_DIR: join(this.#dir, 'spool'),
      }),
      this.#start('EHR', './ehr.ts', [ehrFile], {}, onEhr),
    ]);
    return { serverUrl, gatewayUrl, ehrUrl, link: this.#link, administrator: credentialsOf(serverUrl, admin.client) };
  }

  /** From now on it is no surprise when something ends. */
  dismiss(): void {
    for (const child of this.#children) child.dismiss();
  }

  /** Ends the EHR and the gateway before the server, and leaves nothing behind. */
  async strike(): Promise<void> {
    this.dismiss();
    for (const child of this.#children) await child.stop();
    this.#link?.close();
    this.clear();
  }

  /** When there is no time for more: at the end of this process. */
  clear(): void {
    for (const child of this.#children) child.kill();
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function getJson<T>(url: string, token?: string): Promise<T> {
  const response = await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}`);
  return (await response.json()) as T;
}

export async function balanceOf({ serverUrl, administrator }: Stage): Promise<Balance> {
  return getJson<Balance>(`${serverUrl}/ingest/balance`, await administrator.token());
}

export async function gatewayStatus({ gatewayUrl }: Stage): Promise<{ connected: boolean; waiting: number }> {
  return getJson(`${gatewayUrl}/status`);
}
