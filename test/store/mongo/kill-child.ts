/** Commits without end and says what was answered: `<n>` for each, on stdout. Killed by kill.test.ts. */
import { writeSync } from 'node:fs';
import { VitalwireError } from '../../../src/base/errors.ts';
import { observation, writeOf } from '../../contract/support.ts';
import { openAt } from './support.ts';

const LANES = 12;
const [uri = '', from = '0'] = process.argv.slice(2);
const store = await openAt(uri);
let n = Number(from);

/** The same batch until it is answered: the database goes away too. */
async function send(key: string, of: number): Promise<void> {
  for (let again = false; ; again = true)
    try {
      const one = (nth: number) =>
        writeOf(observation(`p${of % 7}`, '2026-01-01T00:00:00Z'), store.newId(), 0, { key: `${key}.${nth}` });
      const done = await store.commit({
        writes: [one(0), one(1)],
        docs: [{ op: 'insert', doc: { collection: 'raw', key, body: key } }],
        counters: { stored: 2 },
      });
      if (!done.ok && !(again && done.refusal.kind === 'key')) throw new Error(JSON.stringify(done.refusal));
      return;
    } catch (error) {
      if (!(error instanceof VitalwireError) || error.status !== 503) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

async function lane(): Promise<void> {
  for (;;) {
    const of = n++;
    await send(String(of), of);
    writeSync(1, `${of}\n`);
  }
}
await Promise.all(Array.from({ length: LANES }, lane));
