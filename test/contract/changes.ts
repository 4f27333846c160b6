/** The change log: in order, without gaps, whoever writes; and the wake-up that goes with it. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Change } from '../../src/store/store.ts';
import { committed, deletion, type OpenStore, observation, patient, writeOf } from './support.ts';

const at = '2026-01-01T00:00:00Z';

export function changesContract(name: string, open: OpenStore): void {
  describe(`${name}: changes`, () => {
    const opened = open();
    after(async () => (await opened).store.close());

    test('a reader that follows the log sees every change once, in order, while many write', async () => {
      const { store } = await opened;
      const seen: Change[] = [];
      let last = await store.lastSeq();
      let writing = true;
      const follow = (async () => {
        for (;;) {
          const more = writing;
          const changes = await store.changesSince(last, 7);
          seen.push(...changes);
          last = changes.at(-1)?.seq ?? last;
          if (!more && changes.length === 0) return;
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      const expected: string[] = [];
      const lane = async (n: number): Promise<void> => {
        for (let i = 0; i < 15; i++) {
          const ids = [`lane-${n}-${i}`, store.newId()];
          expected.push(...ids.map((id) => `Patient/${id}/1`), `Patient/${ids[0]}/2`);
          await committed(store, { writes: ids.map((id) => writeOf(patient(), id, 0)) });
          await store.commit({ writes: [writeOf(patient(), ids[0] as string, 7)] });
          await committed(store, { writes: [writeOf(patient(), ids[0] as string, 1)] });
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, n) => lane(n)));
      writing = false;
      await follow;
      assert.deepEqual(seen.map((c) => `${c.type}/${c.id}/${c.version}`).sort(), expected.sort());
      for (let i = 1; i < seen.length; i++) {
        const [a, b] = [seen[i - 1] as Change, seen[i] as Change];
        assert.ok(a.seq < b.seq && a.at <= b.at, 'numbers rise, and times never fall');
      }
      assert.deepEqual(await store.changesSince(last, 10), []);
      assert.equal(await store.lastSeq(), last);
    });

    test('a change says what was done, and its terms while they are at hand', async () => {
      const { store } = await opened;
      const after0 = await store.lastSeq();
      store.keepTerms((type) => type === 'Observation');
      const done = await committed(store, { writes: [writeOf(observation('p', at), 'ch1', 0)] });
      await committed(store, { writes: [deletion('Observation', 'ch1', 1)] });
      const changes = await store.changesSince(after0, 10);
      assert.deepEqual(
        changes.map((c) => [c.method, c.version]),
        [
          ['POST', 1],
          ['DELETE', 2],
        ],
      );
      assert.equal(changes[0]?.at, Date.parse(done.written[0]?.lastUpdated as string));
      const { terms } = changes[0] as Change;
      assert.ok(terms?.token.some((t) => t.param === 'code' && t.code === '8867-4'));
      const after = await store.lastSeq();
      await committed(store, { writes: [writeOf(patient(), store.newId(), 0)] });
      store.keepTerms(() => false);
      await committed(store, { writes: [writeOf(observation('p', at), store.newId(), 0)] });
      const others = await store.changesSince(after, 10);
      assert.deepEqual(
        others.map((c) => c.terms),
        [undefined, undefined],
        'nothing is kept that nobody asks for',
      );
    });

    test('a listener that throws keeps nobody from being answered', async () => {
      const { store } = await opened;
      const stop = store.onChange(() => {
        throw new Error('a fault of the listener');
      });
      const done = await committed(store, { writes: [writeOf(patient(), store.newId(), 0)] });
      assert.equal(done.written.length, 1);
      stop();
      await committed(store, { writes: [writeOf(patient(), store.newId(), 0)] });
    });

    test('listeners are called before the commit is answered, and not for documents alone', async () => {
      const { store } = await opened;
      const calls: [number, string[]][] = [];
      const stop = store.onChange((seq, types) => calls.push([seq, [...types].sort()]));
      const done = await committed(store, {
        writes: [writeOf(patient(), store.newId(), 0), writeOf(observation('p', at), store.newId(), 0)],
      });
      assert.deepEqual(calls, [[done.seq, ['Observation', 'Patient']]]);
      const docs = await committed(store, { docs: [{ op: 'put', doc: { collection: 'c', key: 'k', body: '' } }] });
      assert.equal(docs.seq, 0);
      stop();
      await committed(store, { writes: [writeOf(patient(), store.newId(), 0)] });
      assert.equal(calls.length, 1);
    });
  });
}
