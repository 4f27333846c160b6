/** The examples of each adapter are its documentation and its test. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { adapter } from '../../src/ingest/adapters/index.ts';
import { GATEWAY, type Result, SERIAL, Ward } from './world.ts';

interface Example {
  readonly title: string;
  readonly message: string;
  readonly status: string;
  readonly issue?: string;
  readonly text?: string;
  readonly observation?: Readonly<Record<string, string | number>>;
}

const folder = join(import.meta.dirname, '../../src/ingest/adapters');
const names = readdirSync(folder, { withFileTypes: true })
  .filter((e) => e.isDirectory())
  .map((e) => e.name);

const inside = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], value);

test('every folder is an adapter with a README', () => {
  assert.ok(names.includes('readings'));
  for (const name of names) {
    assert.equal(adapter(name)?.name, name);
    assert.match(readFileSync(join(folder, name, 'README.md'), 'utf8'), new RegExp(`\`${name}\``));
  }
});

for (const name of names)
  for (const example of parse(readFileSync(join(folder, name, 'examples.yaml'), 'utf8')) as Example[])
    test(`${name}: ${example.title}`, async () => {
      const w = new Ward();
      await w.put({ resourceType: 'Device', id: 'd', identifier: [{ system: SERIAL, value: 'S-1' }] });
      await w.put(w.use('d', 'p'));
      const body = `{"${adapter(name)?.list}":[${example.message}]}`;
      const { json } = await w.request<{ results: Result[] }>('POST', `/${name}`, body, GATEWAY);
      const [result] = json.results;
      assert.deepEqual([result?.status, result?.issue?.code], [example.status, example.issue], JSON.stringify(result));
      if (example.status !== 'stored') return;
      const { json: observation, text } = await w.observation(result as Result);
      if (example.text !== undefined) assert.ok(text.includes(example.text), text);
      for (const [path, want] of Object.entries(example.observation ?? {}))
        assert.equal(inside(observation, path), want, `${path} of ${text}`);
    });
