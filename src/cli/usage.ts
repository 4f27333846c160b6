import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** Wrong usage of the command line: exit 2. */
export class UsageError extends Error {}

export interface Parsed {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** Strict option parsing; `--help` and `--json` are known everywhere. @throws UsageError */
export function parseOptions(args: readonly string[], options: ParseArgsOptionsConfig = {}): Parsed {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' }, ...options },
      allowPositionals: true,
      strict: true,
    });
    return { values: values as Parsed['values'], positionals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
