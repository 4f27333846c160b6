import { runPlay } from './demo/run.ts';
import { parseOptions, UsageError } from './usage.ts';

const HELP = `vitalwire demo [--exit] [--seconds <number>] [--seed <number>]

A simulated ward on this machine: three patients with thermometer, pulse oximeter, spirometer and blood pressure cuff post
through an edge gateway to a server on the embedded store (or MONGODB_URI); a hospital EHR, a process of its own, subscribes
and shows their latest vital signs. Everything it writes goes to a temporary folder and is removed at the end.

  --exit           run to the end, print one JSON summary as the last line of stdout; exit 1 if anything is missing
  --seconds <n>    how long the ward measures with --exit (default 18)
  --seed <n>       another ward: the same number gives the same patients' course (default 1)`;

const SECONDS = '18';
const SECONDS_MAX = 3600;

/** `vitalwire demo`: resolves with the exit code. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    exit: { type: 'boolean' },
    seconds: { type: 'string', default: SECONDS },
    seed: { type: 'string', default: '1' },
  });
  if (values['help']) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`demo takes no argument, but was given "${positionals.join(' ')}".`);
  const number = (name: string, max: number): number => {
    const text = String(values[name]);
    if (/^\d{1,9}$/.test(text) && Number(text) <= max) return Number(text);
    throw new UsageError(`--${name} takes a whole number of at most ${max}, not "${text}".`);
  };
  return runPlay({
    exit: values['exit'] === true,
    seconds: number('seconds', SECONDS_MAX),
    seed: number('seed', 999_999_999),
  });
}

export { runDemo as run };
