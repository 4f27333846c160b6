/** argv → command. Each command is one file of `cli/`, loaded only when it is asked for. */
import { StartError } from './base/errors.ts';
import { UsageError } from './cli/usage.ts';

interface CommandModule {
  run(args: readonly string[]): Promise<number>;
}

interface Command {
  readonly summary: string;
  /** Runs until a signal ends it. */
  readonly stays?: boolean;
  load(): Promise<CommandModule>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: { summary: 'run the server', stays: true, load: () => import('./cli/serve.ts') },
  gateway: { summary: 'run the edge gateway', stays: true, load: () => import('./cli/gateway.ts') },
  demo: {
    summary: 'a simulated ward, a gateway, a server and a hospital EHR on this machine',
    load: () => import('./cli/demo.ts'),
  },
  client: {
    summary: 'list, add, disable, enable and rotate registered clients',
    load: () => import('./cli/client.ts'),
  },
  user: { summary: 'add, disable and enable users', load: () => import('./cli/user.ts') },
  explain: {
    summary: 'what became of a device message: raw text and every stage',
    load: () => import('./cli/explain.ts'),
  },
};

const usage = (): string =>
  `vitalwire <command> [options]\n\n${Object.entries(COMMANDS)
    .map(([name, c]) => `  ${name.padEnd(10)} ${c.summary}`)
    .join('\n')}\n\nEvery command has --help.`;

/** Runs one command and sets the exit code: 0 done, 1 failed, 2 wrong usage. CONTRACT §1 command line, more. */
export async function run(argv: readonly string[]): Promise<void> {
  const [name, ...args] = argv;
  if (name === undefined || name === '--help' || name === 'help') {
    console.log(usage());
    process.exitCode = name === undefined ? 2 : 0;
    return;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    console.error(`There is no command "${name}".\n\n${usage()}`);
    process.exitCode = 2;
    return;
  }
  try {
    process.exitCode = await (await command.load()).run(args);
    // Everything is flushed. While Node winds itself down no handler is left for a repeated SIGTERM, which would spoil the exit code.
    if (command.stays && !args.includes('--help') && !args.includes('-h')) process.exit();
  } catch (error) {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    if (error instanceof UsageError || error instanceof StartError) console.error(error.message);
    else console.error(error);
    // A failed start may leave a listening socket or a worker behind; there is nothing left to wait for.
    process.exit();
  }
}

if (import.meta.main) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 24) {
    console.error(`Vitalwire needs Node.js 24 or newer, but this is ${process.versions.node}.`);
    process.exit(1);
  }
  await run(process.argv.slice(2));
}
