/** The walls of the house as an ordinary test: who may import whom, how large things may grow, and what is not said. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  fhir: ['base'],
  search: ['base', 'fhir'],
  store: ['base', 'fhir', 'search'],
  access: ['base', 'fhir', 'search'],
  audit: ['base', 'fhir', 'store'],
  rest: ['base', 'fhir', 'search', 'store', 'access', 'audit'],
  auth: ['base', 'store', 'access', 'audit'],
  devices: ['base', 'fhir', 'search', 'store'],
  ingest: ['base', 'fhir', 'search', 'store', 'access', 'audit', 'devices'],
  subscriptions: ['base', 'fhir', 'search', 'store', 'access', 'audit'],
  gateway: ['base'],
  web: ['base'],
  cli: ['*'],
};
/** Single files of another room that a room may import besides. */
const DOORS: Readonly<Record<string, RegExp>> = {
  gateway: /^src\/(ingest\/(wire|adapters\/.*)|devices\/kinds)\.ts$/,
};
/** package → files that may import it. Packages that are not listed may be imported anywhere. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  express: /^src\/(.*\/http\.ts|auth\/.*|web\/.*|server\.ts)$/,
  'oidc-provider': /^src\/auth\//,
  'node:sqlite': /^src\/(store\/sqlite|gateway)\//,
  mongodb: /^src\/store\/mongo\//,
  mqtt: /^src\/(ingest\/transports|gateway)\//,
  ws: /^src\/subscriptions\/channels\//,
  pino: /^src\/base\/log\.ts$/,
  '@lhncbc/ucum-lhc': /^src\/devices\/units[^/]*\.ts$/,
};
const BANNED: readonly { re: RegExp; except: RegExp; instead: string }[] = [
  {
    re: /\bDate\.now\(|new Date\(\)|performance\.now\(/,
    except: /^src\/(base\/clock|cli\/demo\/ehr\/script)\.ts$/,
    instead: 'a Clock (base/clock.ts)',
  },
  { re: /process\.env/, except: /^src\/config\.ts$/, instead: 'the table in config.ts' },
  { re: /(?<![\w.])fetch\(/, except: /^src\/cli\/demo\//, instead: 'an undici Pool' },
  { re: /: any\b|\bas any\b|@ts-(ignore|nocheck|expect-error)/, except: /^$/, instead: 'a type' },
  { re: /\b(TODO|FIXME|XXX|HACK)\b/, except: /^$/, instead: 'doing it, or an issue' },
];

function walk(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
    const path = join(dir, e.name);
    return e.isDirectory() ? walk(path) : [path];
  });
}
const name = (path: string): string => relative(root, path).split(sep).join('/');
const sources = walk(join(root, 'src'))
  .filter((p) => p.endsWith('.ts'))
  .map((p) => ({ file: name(p), text: readFileSync(p, 'utf8'), dir: join(p, '..') }));
const roomOf = (file: string): string | undefined => /^src\/([^/]+)\//.exec(file)?.[1];
const importsOf = (text: string): string[] =>
  [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\('([^']+)'\)|new URL\('(\.[^']+\.ts)'|\brequire\('([^']+)'\)/g,
    ),
  ].map((m) => (m[1] ?? m[2] ?? m[3] ?? m[4]) as string);

test('imports go one way, from room to room as the design says', () => {
  const wrong: string[] = [];
  for (const { file, text, dir } of sources) {
    const room = roomOf(file);
    for (const target of importsOf(text)) {
      if (!target.startsWith('.')) continue;
      const to = name(join(dir, target));
      const other = roomOf(to);
      if (room === undefined || other === room) continue;
      const may = ROOMS[room];
      assert.ok(may, `src/${room}/ is not a room of the design`);
      if (may.includes('*') || (other !== undefined && may.includes(other)) || DOORS[room]?.test(to)) continue;
      wrong.push(`${file} imports ${to}; ${room} may import ${may.join(', ') || 'nothing'}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('third-party packages stay where the design puts them', () => {
  const wrong = sources.flatMap(({ file, text }) =>
    importsOf(text)
      .filter((target) => PACKAGES[target] && !PACKAGES[target].test(file))
      .map((target) => `${file} imports ${target}`),
  );
  assert.deepEqual(wrong, []);
});

test('every dependency is used, and every imported package is a dependency', () => {
  const pkg = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const used = new Set(
    sources
      .flatMap(({ text }) => importsOf(text))
      .filter((t) => !t.startsWith('.') && !t.startsWith('node:'))
      .map((t) => /^(@[^/]+\/)?[^/]+/.exec(t)?.[0] as string),
  );
  assert.deepEqual([...used].filter((u) => !(u in pkg.dependencies) && u !== 'fhir').sort(), []);
  assert.deepEqual(
    Object.keys(pkg.dependencies).filter((d) => !used.has(d)),
    [],
  );
});

test('banned calls, with what to use instead', () => {
  const wrong = sources.flatMap(({ file, text }) =>
    text
      .split('\n')
      .flatMap((line, i) =>
        BANNED.filter((b) => !b.except.test(file) && b.re.test(line.replace(/^\s*(\/\/|\*|\/\*).*$/, ''))).map(
          (b) => `${file}:${i + 1} use ${b.instead}: ${line.trim()}`,
        ),
      ),
  );
  assert.deepEqual(wrong, []);
});

test('files are small: median at most 120 lines, most at most 300, none over 500', () => {
  const sizes = sources
    .map(({ file, text }) => ({ file, lines: text.split('\n').length }))
    .sort((a, b) => a.lines - b.lines);
  assert.deepEqual(
    sizes.filter((s) => s.lines > 500),
    [],
  );
  const median = sizes[Math.floor(sizes.length / 2)]?.lines ?? 0;
  assert.ok(median <= 120, `median ${median}`);
  const large = sizes.filter((s) => s.lines > 300);
  assert.ok(
    large.length <= sizes.length / 10,
    `over 300 lines: ${large.map((s) => `${s.file} ${s.lines}`).join(', ')}`,
  );
});

/** Begins a function at the margin or in a class: a declaration, a method, or an arrow with a body; the line or its end has the brace. */
const FUNCTION =
  /^( {2})?(?!(?:if|for|while|switch|catch|return|else|try|do)\b)((export )?(default )?(async )?function\b|(export )?const \w+\b[^=]*= (async )?\([^;]*$|(static |private |readonly |override )*(async )?(get |set )?[*]?#?\w+(<[^>]*>)?\()/;

test('functions are at most 70 lines', () => {
  const wrong: string[] = [];
  for (const { file, text } of sources) {
    const lines = text.split('\n');
    lines.forEach((line, i) => {
      // An arrow without a body, broken after =>, has no length to speak of.
      if (!FUNCTION.test(line) || line.endsWith('=>')) return;
      // The signature may be broken over lines: its last one opens the body.
      const open = lines.findIndex((l, j) => j >= i && /[{;,]$|\)$/.test(l) && !/[(,]$/.test(l));
      if (open - i > 12 || !lines[open]?.endsWith('{')) return;
      const indent = /^ */.exec(line)?.[0] ?? '';
      const end = lines.findIndex((l, j) => j > open && l.startsWith(`${indent}}`));
      if (end - i + 1 > 70) wrong.push(`${file}:${i + 1} ${end - i + 1} lines: ${line.trim()}`);
    });
  }
  assert.deepEqual(wrong, []);
});

test('both store engines have the same file names', (t) => {
  const engines = readdirSync(join(root, 'src/store')).filter((n) =>
    statSync(join(root, 'src/store', n)).isDirectory(),
  );
  if (engines.length < 2) return t.skip('there is one engine so far');
  const shared = ['index.ts', 'search.ts', 'history.ts', 'docs.ts', 'changes.ts', 'migrations.ts', 'lower.ts'];
  for (const engine of engines) {
    const files = readdirSync(join(root, 'src/store', engine));
    assert.deepEqual(
      shared.filter((f) => !files.includes(f)),
      [],
      engine,
    );
  }
});

test('nothing names a file of a machine, and the project speaks of itself alone', () => {
  const files = ['src', 'test', 'scripts', 'docs', 'bin', 'profiles']
    .flatMap((d) => walk(join(root, d)))
    .filter((p) => /\.(ts|js|md|sh|ya?ml)$/.test(p));
  const wrong = [...files, join(root, 'README.md'), join(root, 'CHANGELOG.md')]
    .filter((p) => name(p) !== 'test/tidy.test.ts')
    .filter((p) =>
      /\/work\/|\/root\/|\/home\/\w+\/|registry\.npmjs|deb\.debian|pypi\.org/.test(readFileSync(p, 'utf8')),
    )
    .map(name);
  assert.deepEqual(wrong, []);
});
