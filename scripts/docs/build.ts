/** Writes the generated parts of the documentation from the tables in the code; `test/docs.test.ts` fails when they differ. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS } from '../../src/base/errors.ts';
import { VARIABLES } from '../../src/config.ts';

const root = join(import.meta.dirname, '../..');

export function configurationTable(): string {
  const rows = VARIABLES.map((v) => {
    const standard = v.required ? '*required*' : v.default === undefined ? 'unset' : `\`${v.default}\``;
    const values =
      v.kind === 'boolean'
        ? ' (`true`, `false`)'
        : v.choices
          ? ` (${v.choices.map((c) => `\`${c}\``).join(', ')})`
          : v.unit
            ? ` (${v.unit})`
            : '';
    return `| \`${v.name}\` | ${v.commands.join(', ')} | ${standard} | ${v.sentence}${values} |`;
  });
  return ['| variable | command | default | what it does |', '|---|---|---|---|', ...rows].join('\n');
}

export function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([code, e]) => `| \`${code}\` | ${e.status} | \`${e.issue}\` |`);
  return ['| code | HTTP status | OperationOutcome issue code |', '|---|---|---|', ...rows].join('\n');
}

/** Page → text; the text stands between two markers in the page. */
export const GENERATED: readonly (readonly [file: string, marker: string, text: () => string])[] = [
  ['README.md', 'configuration', configurationTable],
  ['docs/errors.md', 'errors', errorTable],
];

export function withGenerated(page: string, marker: string, text: string): string {
  const [start, end] = [`<!-- ${marker}: generated -->`, `<!-- /${marker} -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from === -1 || to === -1) throw new Error(`the markers of ${marker} are missing`);
  return `${page.slice(0, from + start.length)}\n${text}\n${page.slice(to)}`;
}

if (import.meta.main) {
  for (const [file, marker, text] of GENERATED) {
    const path = join(root, file);
    writeFileSync(path, withGenerated(readFileSync(path, 'utf8'), marker, text()));
    console.log(`${file}: ${marker}`);
  }
}
