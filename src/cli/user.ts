/** `vitalwire user add|list|disable|enable`. */
import { readFileSync } from 'node:fs';
import { addUser, listUsers, setUserEnabled } from '../auth/users.ts';
import { StartError } from '../base/errors.ts';
import { withStore } from './client.ts';
import { parseOptions, UsageError } from './usage.ts';

const HELP = `vitalwire user list [--json]
vitalwire user add --file FILE       FILE has {"username","password","fhirUser"?,"totp_secret"?} ("-" reads stdin)
vitalwire user disable <username>
vitalwire user enable <username>`;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args, { file: { type: 'string' } });
  const [verb, name] = positionals;
  if (values['help']) {
    console.log(HELP);
    return 0;
  }
  const print = (data: unknown, line: string): void =>
    console.log(values['json'] ? JSON.stringify(data, null, 2) : line);
  if (verb === 'list')
    return withStore(async ({ store }) => {
      const users = await listUsers(store);
      print(
        { users },
        users.map((u) => `${u.username}${u.disabled ? ' (disabled)' : ''}  ${u.fhirUser ?? ''}`).join('\n') ||
          'There is no user.',
      );
    });
  if (verb === 'add') {
    const file = values['file'];
    if (typeof file !== 'string') throw new UsageError(`--file is missing.\n\n${HELP}`);
    let metadata: unknown;
    try {
      metadata = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
    } catch (cause) {
      throw new StartError(`${file} cannot be read as JSON: ${(cause as Error).message}.`);
    }
    return withStore(async ({ store, sealer }) => {
      const user = await addUser(store, sealer, metadata);
      print({ username: user.username }, `${user.username} is added.`);
    });
  }
  if ((verb === 'disable' || verb === 'enable') && name !== undefined)
    return withStore(async ({ store }) => {
      await setUserEnabled(store, name, verb === 'enable');
      print({ username: name, disabled: verb === 'disable' }, `${name} is ${verb}d.`);
    });
  throw new UsageError(HELP);
}
