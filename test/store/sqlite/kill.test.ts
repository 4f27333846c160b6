/** Whatever was answered is there after the process was killed, once; whatever was not is there as a whole or not at all. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { ALL, type Filter } from '../../../src/search/plan.ts';
import { accessTo } from '../../contract/support.ts';
import { openIn, temporaryFolder } from './support.ts';

const CHILD = join(import.meta.dirname, 'kill-child.ts');
const ROUNDS = 4;
const ROUND_MS_MIN = 150;

/** Keys that the child had been answered for when it was killed. */
async function runAndKill(dir: string, from: number, ms: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, dir, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (part: Buffer) => {
    if (out === '') setTimeout(() => child.kill('SIGKILL'), ms);
    out += part;
  });
  const [code, signal] = await once(child, 'close');
  assert.deepEqual([code, signal], [null, 'SIGKILL'], 'the child only ends because it is killed');
  return out.split('\n').slice(0, -1);
}

test('a process that is killed while it commits loses nothing that it was answered for', {
  timeout: 60_000,
}, async () => {
  const dir = temporaryFolder();
  const answered: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    answered.push(...(await runAndKill(dir, round * 1_000_000, ROUND_MS_MIN + round * 70)));
    const store = await openIn(dir, { indexRowsPerMergeMin: 200 });
    const total = async (filter: Filter): Promise<number> =>
      (await store.search({ type: 'Observation', filter, sort: [], count: 0, total: true }, accessTo('Observation')))
        .total as number;
    const holders = await store.keyHolders(answered.flatMap((key) => [`${key}.0`, `${key}.1`]));
    assert.equal(holders.length, answered.length * 2, 'every key that was answered for is held');
    assert.equal(new Set(holders.map((h) => h.id)).size, holders.length);
    const stored = await total(ALL);
    assert.ok(stored >= answered.length * 2);
    // Both resources, the document and the counter of a batch came together.
    assert.deepEqual(await store.counters(['stored']), { stored });
    assert.equal((await store.docs({ collection: 'raw', limit: 1_000_000 })).length, stored / 2);
    const changes = await store.changesSince(0, 1_000_000);
    assert.deepEqual([changes.length, changes.at(-1)?.seq], [stored, stored]);
    let byPatient = 0;
    for (let p = 0; p < 7; p++)
      byPatient += await total({ op: 'reference', param: 'patient', type: 'Patient', id: `p${p}` });
    assert.equal(byPatient, stored, 'the index rows that were not merged yet are all there');
    let byDevice = 0;
    for (let d = 0; d < 5; d++)
      byDevice += await total({ op: 'reference', param: 'device', type: 'Device', id: `d${d}` });
    assert.equal(byDevice, stored);
    for (const { type, id } of holders.slice(0, 200))
      assert.match(
        (await store.read(type, id))?.text ?? '',
        new RegExp(`^\\{"resourceType":"Observation","id":"${id}"`),
      );
    await store.close();
  }
  assert.ok(answered.length > ROUNDS * 10, `only ${answered.length} commits were answered`);
});
