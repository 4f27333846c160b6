/** Small keyed documents, counters, stamps. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Doc, DocQuery, DocWrite } from '../../src/store/store.ts';
import { committed, type OpenStore, refusalOf } from './support.ts';

const doc = (key: string, body: string, more: Partial<Doc> = {}): Doc => ({ collection: 'docs', key, body, ...more });

export function documentsContract(name: string, open: OpenStore): void {
  describe(`${name}: documents`, () => {
    const opened = open();
    after(async () => (await opened).store.close());
    const write = async (...docs: DocWrite[]) => (await opened).store.commit({ docs });

    test('put, read, put again, delete', async () => {
      const { store } = await opened;
      const body = 'é😀\u0000 "quoted" \n';
      await write({ op: 'put', doc: doc('a', body, { tags: ['x', 'y'] }) });
      assert.deepEqual(await store.doc('docs', 'a'), doc('a', body, { tags: ['x', 'y'] }));
      await write({ op: 'put', doc: doc('a', 'second', { tags: ['y', 'z'] }) });
      const listed = async (...tags: string[]) =>
        (await store.docs({ collection: 'docs', tags, limit: 10 })).map((d) => d.key);
      assert.deepEqual([await listed('x'), await listed('y'), await listed('z')], [[], ['a'], ['a']]);
      await write({ op: 'delete', collection: 'docs', key: 'a' });
      assert.equal(await store.doc('docs', 'a'), undefined);
      assert.deepEqual(await listed('y'), []);
      assert.ok(
        (await write({ op: 'delete', collection: 'docs', key: 'a' })).ok,
        'to delete what is not there is no error',
      );
      assert.equal(await store.doc('other', 'a'), undefined);
    });

    test('of many inserts of one key one is stored', async () => {
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          write({ op: 'put', doc: doc(`other-${i}`, 'o') }, { op: 'insert', doc: doc('raced', String(i)) }),
        ),
      );
      assert.equal(all.filter((one) => one.ok).length, 1);
      const { store } = await opened;
      for (const [i, one] of all.entries()) {
        if (!one.ok) assert.deepEqual(refusalOf(one), { kind: 'doc-exists', index: 1 });
        assert.equal((await store.doc('docs', `other-${i}`)) !== undefined, one.ok, 'a refused batch leaves nothing');
      }
    });

    test('of many replacements of one body one is stored', async () => {
      const { store } = await opened;
      await write({ op: 'put', doc: doc('swapped', 'was') });
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, i) => write({ op: 'replace', doc: doc('swapped', `is ${i}`), was: 'was' })),
      );
      assert.equal(all.filter((one) => one.ok).length, 1);
      assert.deepEqual(refusalOf(all.find((one) => !one.ok) ?? { ok: true, written: [], seq: 0 }), {
        kind: 'doc-changed',
        index: 0,
      });
      assert.match((await store.doc('docs', 'swapped'))?.body ?? '', /^is /);
      const nothing = await write({ op: 'replace', doc: doc('not-there', 'x'), was: '' });
      assert.deepEqual(refusalOf(nothing), { kind: 'doc-changed', index: 0 });
    });

    test('an expired document is gone at once, in every way, and its key is free', async () => {
      const { store } = await opened;
      const expires = Date.now() + 60;
      await write({ op: 'put', doc: doc('short', 'one', { expires, tags: ['short'] }) });
      await write({ op: 'put', doc: doc('long', 'two', { expires: Date.now() + 60_000, tags: ['short'] }) });
      assert.deepEqual((await store.docs({ collection: 'docs', tags: ['short'], limit: 9 })).length, 2);
      await new Promise((resolve) => setTimeout(resolve, expires - Date.now() + 5));
      assert.equal(await store.doc('docs', 'short'), undefined);
      assert.deepEqual(
        (await store.docs({ collection: 'docs', tags: ['short'], limit: 9 })).map((d) => d.key),
        ['long'],
      );
      assert.equal((await write({ op: 'replace', doc: doc('short', 'new'), was: 'one' })).ok, false);
      assert.ok((await write({ op: 'insert', doc: doc('short', 'again') })).ok);
      assert.deepEqual(await store.doc('docs', 'short'), doc('short', 'again'));
    });

    test('lists go by key, from and to, up and down, by prefix, by all of the tags', async () => {
      const { store } = await opened;
      const keys = ['a1', 'a2', 'a3', 'b1', 'b2', 'é1'];
      await committed(store, {
        docs: keys.map((key, i) => ({
          op: 'put' as const,
          doc: { collection: 'list', key, body: key, tags: i % 2 === 0 ? ['even', 'all'] : ['all'] },
        })),
      });
      const list = async (query: Partial<DocQuery>) =>
        (await store.docs({ collection: 'list', limit: 10, ...query })).map((d) => d.key).join();
      assert.equal(await list({}), 'a1,a2,a3,b1,b2,é1');
      assert.equal(await list({ descending: true, limit: 2 }), 'é1,b2');
      assert.equal(await list({ prefix: 'a' }), 'a1,a2,a3');
      assert.equal(await list({ prefix: 'a', descending: true }), 'a3,a2,a1');
      assert.equal(await list({ after: 'a2', before: 'b2' }), 'a3,b1');
      assert.equal(await list({ prefix: 'a', after: 'a1', limit: 1 }), 'a2');
      assert.equal(await list({ tags: ['even'] }), 'a1,a3,b2');
      assert.equal(await list({ tags: ['all', 'even'], after: 'a1' }), 'a3,b2');
      assert.equal(await list({ tags: ['all', 'even', 'none'] }), '');
      assert.equal(await list({ tags: ['even'], prefix: 'b', descending: true }), 'b2');
      assert.equal(await list({ collection: 'lis' }), '');
    });

    test('counters add up, stamps rise with each touch', async () => {
      const { store } = await opened;
      await Promise.all(
        Array.from({ length: 20 }, () => store.commit({ counters: { 'n.a': 2, 'n.b': -1 }, touches: ['s'] })),
      );
      assert.deepEqual(await store.counters(['n.a', 'n.b', 'n.c']), { 'n.a': 40, 'n.b': -20, 'n.c': 0 });
      const stamp = await store.guard('s');
      await store.commit({ touches: ['s'] });
      assert.ok((await store.guard('s')) > stamp);
      assert.equal(await store.guard('never'), 0);
    });
  });
}
