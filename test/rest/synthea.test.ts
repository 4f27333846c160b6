/** Whole patient records made by Synthea go through as transactions, with every link between their entries resolved. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { absent, sharedData } from '../support/shared.ts';
import { bench } from './support/bench.ts';

const folder = sharedData('synthea');

test('each record is stored in one commit, and no link leads out of it', async (t) => {
  if (!folder) return t.skip(absent('synthea'));
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  assert.ok(files.length > 0);
  for (const file of files) {
    const api = await bench();
    const text = readFileSync(join(folder, file), 'utf8');
    const r = await api.post('', text);
    assert.equal(r.status, 200, `${file}: ${r.text.slice(0, 2000)}`);
    const sent = JSON.parse(text) as { entry: { resource: { resourceType: string } }[] };
    assert.equal(api.store.commits, 1);
    assert.deepEqual([...new Set(r.json.entry.map((e) => e.response.status))], ['201 Created'], file);
    assert.deepEqual(
      r.json.entry.map((e) => e.response.location.split('/')[0]),
      sent.entry.map((e) => e.resource.resourceType),
      'in order',
    );
    const known = new Set(r.json.entry.map((e) => e.response.location.replace(/\/_history.*/, '')));
    for (const { response } of r.json.entry) {
      const stored = (await api.get(response.location)).text;
      for (const [, reference = ''] of stored.matchAll(/"reference":\s*"([^"]+)"/g))
        assert.ok(reference.startsWith('#') || known.has(reference), `${file} ${response.location}: ${reference}`);
    }
  }
});
