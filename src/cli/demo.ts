import { runPlay } from './demo/run.ts';
import { parseOptions, UsageError } from './usage.ts';

const HELP = `vitalwire demo [--exit] [--seed <number>]

A simulated ward on this machine: three patients with thermometer, pulse oximeter, spirometer and blood pressure cuff post
through an edge gateway to a server on the embedded store (or MONGODB_URI); a hospital EHR, a process of its own, subscribes
and shows their latest vital signs. Everything it writes goes to a temporary folder and is removed at the end.

  --exit           run to the end, print one JSON summary as the last line of stdout; exit 1 if anything is missing
  --seed <number>  another ward: the same number gives the same patients' course (default 1)`;

/** `vitalwire demo`: resolves with the exit code. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args, { exit: { type: 'boolean' }, seed: { type: 'string' } });
  if (values['help']) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`demo takes no argument, but was given "${positionals.join(' ')}".`);
  const seed = values['seed'] ?? '1';
  if (typeof seed !== 'string' || !/^\d{1,9}$/.test(seed)) throw new UsageError('--seed takes a whole number.');
  return runPlay({ exit: values['exit'] === true, seed: Number(seed) });
}

export { runDemo as run };
