import { forgetSoon } from '../base/collector.ts';
import { helpTable, serveConfig } from '../config.ts';
import { startServer } from '../server.ts';
import { untilSignal } from './signals.ts';
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
  // From the first moment: whoever reads the line "listening" may send one before anything else happens here.
  const signal = untilSignal();
  forgetSoon();
  const server = await startServer(serveConfig());
  await server.stop(await signal);
  return 0;
}
