/** Resource text is kept and given back byte for byte, as it is or as values of a skeleton. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { joinResource, splitResource } from '../../src/fhir/text.ts';
import { ALL } from '../../src/search/plan.ts';
import type { Skeleton } from '../../src/store/store.ts';
import { accessTo, committed, type OpenStore, observation, writeOf } from './support.ts';

const space = fc.constantFrom('', ' ', '\n', '\t', ' \r\n ');
const numberText = fc.constantFrom('37.00', '0', '-0', '1e3', '1E+05', '0.00000010', '123456789012345678.90', '5.40');
const stringText = fc.oneof(
  fc.string({ unit: 'binary' }).map((s) => JSON.stringify(s.toWellFormed())),
  fc.constantFrom(
    '"\\u00e9\\n\\/\\"\\\\"',
    '"é\u2028😀"',
    '"\\ud83d\\ude00"',
    '"\\u001f"',
    '""',
    '"a\u00a0b"',
    '"ß山\\t"',
  ),
);

/** JSON as text: no two of the same value need look alike. */
const { json } = fc.letrec<{ json: string; object: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    numberText,
    stringText,
    fc.constantFrom('true', 'false', 'null'),
    fc
      .tuple(space, fc.array(tie('json'), { maxLength: 3 }))
      .map(([s, items]) => `[${s}${items.join(`${s},${s}`)}${s}]`),
    tie('object'),
  ),
  object: fc
    .tuple(
      space,
      fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), tie('json')), { maxLength: 3, selector: ([n]) => n }),
    )
    .map(([s, members]) => `{${s}${members.map(([n, v]) => `${JSON.stringify(n)}${s}:${s}${v}`).join(`${s},`)}${s}}`),
}));

const resourceText = fc
  .record({ before: space, note: json, value: json, after: space })
  .map(
    ({ before, note, value, after: end }) =>
      `${before}{ "resourceType" : "Basic",${before}"extra":${note},"meta": {"versionId":"9","tag":[]},"more"\n:${value}${end}}`,
  );

export function textsContract(name: string, open: OpenStore): void {
  describe(`${name}: texts`, () => {
    const opened = open();
    after(async () => (await opened).store.close());

    test('any JSON comes back byte for byte', async () => {
      const { store } = await opened;
      await fc.assert(
        fc.asyncProperty(fc.array(resourceText, { minLength: 1, maxLength: 8 }), async (texts) => {
          const writes = texts.map((text) => ({ text, id: store.newId() }));
          const done = await committed(store, { writes: writes.map(({ text, id }) => writeOf(text, id, 0)) });
          for (const [i, { text, id }] of writes.entries()) {
            const { meta, body } = splitResource(text);
            const expected = joinResource('Basic', id, 1, done.written[i]?.lastUpdated as string, meta, body);
            assert.equal(done.written[i]?.text, expected);
            assert.equal((await store.read('Basic', id))?.text, expected);
          }
        }),
        { numRuns: 60 },
      );
    });

    test('a skeleton and its values are the text that they make, in every way to read it', async () => {
      const { store } = await opened;
      const skeleton: Skeleton = {
        key: 'heart-rate/1',
        parts: [',"status":"final","note":[{"text":', '}],"valueQuantity":{"value":', ',"unit":"/min"},"é":"', '"}'],
      };
      await fc.assert(
        fc.asyncProperty(
          stringText,
          numberText,
          fc.constantFrom('', 'é', '\\u001f', '\\\\', '😀'),
          async (...values) => {
            const meta = ',"profile":["http://hl7.org/fhir/StructureDefinition/heartrate"]';
            const [a, b] = [store.newId(), store.newId()];
            const plain = skeleton.parts.map((part, i) => part + (values[i] ?? '')).join('');
            const base = writeOf(observation('p', '2026-01-01T00:00:00Z'), a, 0);
            const done = await committed(store, {
              writes: [
                { ...base, draft: { type: 'Observation', id: a, meta, body: { skeleton, values } }, method: 'POST' },
                { ...base, draft: { type: 'Observation', id: b, meta, body: plain } },
              ],
            });
            const expected = (id: string): string =>
              joinResource('Observation', id, 1, done.written[0]?.lastUpdated as string, meta, plain);
            assert.deepEqual(
              done.written.map((w) => w.text),
              [expected(a), expected(b)],
            );
            assert.equal((await store.read('Observation', a))?.text, expected(a));
            assert.equal((await store.readVersion('Observation', a, 1))?.text, expected(a));
            const byId = { op: 'id', ids: [a, b] } as const;
            const page = await store.search(
              { type: 'Observation', filter: byId, sort: [], count: 2, total: false },
              accessTo('Observation', ALL),
            );
            assert.deepEqual(page.entries.map((e) => e.text).sort(), [expected(a), expected(b)].sort());
          },
        ),
        { numRuns: 40 },
      );
    });

    test('rows of a skeleton keep their text when the skeleton changes, and after a restart', async () => {
      const { store, reopen } = await open();
      const base = writeOf(observation('p', '2026-01-01T00:00:00Z'), 'x', 0);
      const write = (id: string, skeleton: Skeleton, follows = 0) => ({
        ...base,
        draft: { type: 'Observation', id, meta: '', body: { skeleton, values: ['1.0'] } },
        follows,
      });
      const ids = [store.newId(), store.newId()] as [string, string];
      const old = { key: 'kind', parts: [',"old":', '}'] };
      await committed(store, { writes: [write(ids[0], old)] });
      await committed(store, { writes: [write(ids[1], { key: 'kind', parts: [',"new":', '}'] })] });
      await committed(store, { writes: [write(ids[0], { key: 'kind', parts: [',"newer":', '}'] }, 1)] });
      const again = await reopen();
      assert.match((await again.readVersion('Observation', ids[0], 1))?.text ?? '', /,"old":1\.0\}$/);
      assert.match((await again.read('Observation', ids[0]))?.text ?? '', /,"newer":1\.0\}$/);
      assert.match((await again.read('Observation', ids[1]))?.text ?? '', /,"new":1\.0\}$/);
      await again.close();
    });
  });
}
