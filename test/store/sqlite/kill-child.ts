/** Commits without end and says what was answered: `<n>` for each, on stdout. Killed by kill.test.ts. */
import { writeSync } from 'node:fs';
import { observation, writeOf } from '../../contract/support.ts';
import { openIn } from './support.ts';

const [dir = '', from = '0'] = process.argv.slice(2);
const store = await openIn(dir, { indexRowsPerMergeMin: 200 });
let n = Number(from);

async function lane(): Promise<void> {
  for (;;) {
    const key = String(n++);
    const one = (nth: number) => {
      const text = observation(`p${n % 7}`, `2026-01-01T00:${String(n % 60).padStart(2, '0')}:00Z`, {
        device: { reference: `Device/d${n % 5}` },
      });
      return writeOf(text, store.newId(), 0, { key: `${key}.${nth}`, keyNote: key, origin: `raw/${key}#${nth}` });
    };
    const done = await store.commit({
      writes: [one(0), one(1)],
      docs: [{ op: 'insert', doc: { collection: 'raw', key, body: key, tags: [`mod-${n % 3}`] } }],
      counters: { stored: 2 },
    });
    if (!done.ok) throw new Error(JSON.stringify(done.refusal));
    writeSync(1, `${key}\n`);
  }
}
await Promise.all(Array.from({ length: 12 }, lane));
