import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GENERATED, withGenerated } from '../scripts/docs/build.ts';

for (const [file, marker, text] of GENERATED) {
  test(`${file}: the table of ${marker} is that of the code (npm run docs makes it)`, () => {
    const page = readFileSync(join(import.meta.dirname, '..', file), 'utf8');
    assert.equal(page, withGenerated(page, marker, text()));
  });
}
