#!/usr/bin/env node
// Plain JavaScript on purpose: an old Node must be able to read this file in order to say that it is too old.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `Vitalwire needs Node.js 24 or newer, but this is ${process.versions.node}. In a checkout, "npm ci" brings the right one: use "npm start" or node_modules/.bin/node.`,
  );
  process.exit(1);
}
const { existsSync } = await import('node:fs');
const { enableCompileCache } = await import('node:module');
const { fileURLToPath } = await import('node:url');
// What was compiled once is kept, which saves a third of the next start. In the package's own folder, never in the temporary one
// that other users can write to: this is code. Where the folder is read-only nothing is kept.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)));
const source = new URL('../src/main.ts', import.meta.url);
const built = new URL('../dist/main.js', import.meta.url);
// A checkout runs from source; Node strips no types below node_modules, so an installed package runs what was built.
const main = await import(existsSync(source) && !source.pathname.includes('/node_modules/') ? source.href : built.href);
await main.run(process.argv.slice(2));
