import { helpTable, serveConfig } from '../config.ts';
import { startServer } from '../server.ts';
import { parseOptions, UsageError } from './usage.ts';

const HELP = `vitalwire serve

Runs the server. It is configured by environment variables; none must be set.

${helpTable('serve')}

When it serves, one line of JSON on stdout has "msg":"listening" and "url".`;

/** `vitalwire serve`: resolves with the exit code once the server was stopped by SIGTERM or SIGINT. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args);
  if (values['help']) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length > 0)
    throw new UsageError(`serve takes no argument, but was given "${positionals.join(' ')}".`);
  const server = await startServer(serveConfig());
  const signal = await new Promise<string>((resolve) => {
    // Kept while it stops: without a listener a second signal would end the process before requests in flight are answered.
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve(name));
  });
  await server.stop(signal);
  return 0;
}
