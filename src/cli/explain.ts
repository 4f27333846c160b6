/** `vitalwire explain Observation/<id>`: the raw message as it came, and what each stage did. CONTRACT §1 explain. */
import type { Principal } from '../access/principal.ts';
import { systemClock } from '../base/clock.ts';
import { StartError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { silentLogger } from '../base/log.ts';
import { createDevices } from '../devices/index.ts';
import { createIngest } from '../ingest/index.ts';
import { withStore } from './client.ts';
import { parseOptions, UsageError } from './usage.ts';

const HELP = 'vitalwire explain Observation/<id> [--json]   the raw message, its adapter, and what each stage did';

/** Who has the data folder is the operator. */
const OPERATOR: Principal = Object.freeze({ clientId: 'command line', admin: true, scopes: [], scopeText: '' });

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args);
  if (values['help']) {
    console.log(HELP);
    return 0;
  }
  const id = /^(?:Observation\/)?([A-Za-z0-9\-.]{1,64})$/.exec(positionals[0] ?? '')?.[1];
  if (id === undefined || positionals.length > 1) throw new UsageError(HELP);
  return withStore(async ({ store }) => {
    const devices = createDevices({ store, clock: systemClock, limits, base: '' });
    const options = { store, devices, clock: systemClock, limits, log: silentLogger, base: '', baseUrl: '' };
    const ingest = createIngest({ ...options, unknownDevice: 'hold' });
    const request = { method: 'GET', path: `/explain/${id}`, query: '', headers: {}, body: '' };
    const { status, body } = await ingest.handle(request, OPERATOR);
    if (status !== 200) throw new StartError(`There is no device message behind Observation/${id}.`);
    console.log(values['json'] ? body : JSON.stringify(JSON.parse(body ?? ''), null, 2));
  });
}
