/** The same again, corrected, contradicted, taken back; and many at once. CONTRACT §5 identity of a reading. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, noteText, parseNote } from '../../src/ingest/identity.ts';
import { Ward } from './world.ts';

test('the same again is a duplicate that names the Observation, by id or without one', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  for (const over of [{ id: 'r-1' }, { time: '2026-05-06T08:00:00.125Z' }, { sequence: 17 }]) {
    const a = await w.one(w.reading(serial, over));
    const b = await w.one(w.reading(serial, over));
    assert.deepEqual([a.status, b.status, b.observation], ['stored', 'duplicate', a.observation]);
  }
  const other = await w.device();
  assert.equal((await w.one(w.reading(other.serial, { id: 'r-1' }))).status, 'stored');
});

test('two readings within one second are two, in whatever resolution; one instant in two zones is one', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const at = async (time: string, over = {}) => (await w.one(w.reading(serial, { time, ...over }))).status;
  assert.equal(await at('2026-05-06T12:00:00.120Z'), 'stored');
  assert.equal(await at('2026-05-06T12:00:00.480Z'), 'stored');
  assert.equal(await at('2026-05-06T12:00:00.480100Z'), 'stored');
  assert.equal(await at('2026-05-06T12:00:00.4801Z'), 'duplicate');
  assert.equal(await at('2026-05-06T14:00:00.12+02:00'), 'duplicate');
  assert.equal(await at('2026-05-06T12:00:00.120Z', { kind: 'pulse-rate' }), 'stored');
});

test('none of several values at one time is lost: another content is held, never overwritten', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const [a, b, c] = await w.post([
    w.reading(serial, { value: '71' }),
    w.reading(serial, { value: '72' }),
    w.reading(serial, { value: '71' }),
  ]);
  assert.deepEqual(
    [a?.status, b?.status, b?.issue?.code, c?.status],
    ['stored', 'held', 'version.conflict', 'duplicate'],
  );
  assert.equal((await w.observation(a as never)).json['valueQuantity'] !== undefined, true);
  assert.equal((await w.held()).length, 1);
});

test('readings without id and time are told apart by what they say', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const results = await w.post([
    w.reading(serial, { time: undefined, value: '71' }),
    w.reading(serial, { time: undefined, value: '72' }),
  ]);
  assert.deepEqual(
    results.map((r) => r.status),
    ['stored', 'stored'],
  );
  // With an id the time of reception is no part of the content.
  const a = await w.one(w.reading(serial, { time: undefined, id: 'x' }));
  w.clock.ms += 60_000;
  const b = await w.one(w.reading(serial, { time: undefined, id: 'x' }));
  assert.deepEqual([b.status, b.observation], ['duplicate', a.observation]);
});

test('a higher version is the next one and corrected, a lower one a duplicate, in one request or several', async () => {
  for (const together of [true, false]) {
    const w = new Ward();
    const { serial } = await w.device();
    const readings = [
      w.reading(serial, { id: 'v', version: 1, value: '70' }),
      w.reading(serial, { id: 'v', version: 3, value: '74' }),
      w.reading(serial, { id: 'v', version: 2, value: '72' }),
      w.reading(serial, { id: 'v', value: '75' }),
    ];
    const results = together ? await w.post(readings) : [];
    if (!together) for (const reading of readings) results.push(await w.one(reading));
    assert.deepEqual(
      results.map((r) => r.issue?.code ?? r.status),
      ['stored', 'stored', 'duplicate', 'version.conflict'],
    );
    const { json } = await w.observation(results[0] as never);
    assert.deepEqual(
      [
        (json['meta'] as Record<string, unknown>)['versionId'],
        json['status'],
        (json['valueQuantity'] as { value: number }).value,
      ],
      ['2', 'corrected', 74],
    );
  }
});

test('entered-in-error takes back what is stored, keeps history, and waits for what is not there yet', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const a = await w.one(w.reading(serial, { id: 'e', kind: 'body-temperature', value: '37.00', unit: 'Cel' }));
  const b = await w.one(w.reading(serial, { id: 'e', status: 'entered-in-error' }));
  assert.deepEqual([b.status, b.observation], ['stored', a.observation]);
  const { json, text } = await w.observation(a);
  assert.deepEqual([json['status'], (json['meta'] as Record<string, unknown>)['versionId']], ['entered-in-error', '2']);
  assert.match(text, /"value":37\.00,/);
  const id = a.observation?.[0]?.split('/')[1] as string;
  assert.equal(JSON.parse((await w.store.readVersion('Observation', id, 1))?.text ?? '{}').status, 'final');
  assert.equal((await w.one(w.reading(serial, { id: 'e', status: 'entered-in-error' }))).status, 'duplicate');
  assert.equal(
    (await w.one(w.reading(serial, { id: 'e', kind: 'body-temperature', value: '37.00', unit: 'Cel' }))).status,
    'duplicate',
  );
  const early = await w.one(w.reading(serial, { id: 'later', status: 'entered-in-error' }));
  assert.deepEqual([early.status, early.issue?.code], ['held', 'version.conflict']);
  const [both, back] = await w.post([
    w.reading(serial, { id: 'one' }),
    w.reading(serial, { id: 'one', status: ['entered-in-error'] }),
  ]);
  assert.deepEqual([both?.status, back?.status], ['stored', 'stored']);
  assert.equal((await w.observation(both as never)).json['status'], 'entered-in-error');
});

test('a note is read as it was written, and every standing of two notes has one verdict', () => {
  for (const note of [
    { content: 'abc', retracted: false },
    { content: 'abc', version: 0, retracted: false },
    { content: '', version: 12, retracted: true },
  ])
    assert.deepEqual(parseNote(noteText(note)), note);
  const n = (content: string, version?: number, retracted = false) => ({
    content,
    retracted,
    ...(version === undefined ? {} : { version }),
  });
  assert.equal(compare(n('a'), n('a')), 'duplicate');
  assert.equal(compare(n('a'), n('b')), 'conflict');
  assert.equal(compare(n('a', 1), n('b', 1)), 'conflict');
  assert.equal(compare(n('a', 2), n('b', 1)), 'duplicate');
  assert.equal(compare(n('a'), n('b', 0)), 'newer');
  assert.equal(compare(n('a', 5), n('', 4, true)), 'duplicate');
  assert.equal(compare(n('a', 5), n('', undefined, true)), 'retract');
  assert.equal(compare(n('a', 5, true), n('a', 6)), 'newer');
  assert.equal(compare(n('a', 5, true), n('a', 5)), 'duplicate');
});

test('eight identical requests at once: one is stored, seven are duplicates that name it', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  const results = await Promise.all(Array.from({ length: 8 }, () => w.one(w.reading(serial, { id: 'same' }))));
  assert.deepEqual(results.map((r) => r.status).sort(), [...Array(7).fill('duplicate'), 'stored']);
  assert.equal(new Set(results.map((r) => r.observation?.[0])).size, 1);
  assert.equal(w.memory.all('Observation').length, 1);
  assert.deepEqual(await w.balance(), { received: 8, stored: 1, duplicate: 7, held: 0, rejected: 0 });
});

test('a correction that races another is judged again, and the higher version stays', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  await w.one(w.reading(serial, { id: 'v', version: 1, value: '70' }));
  const results = await Promise.all(
    [3, 2, 4].map((version) => w.one(w.reading(serial, { id: 'v', version, value: String(70 + version) }))),
  );
  assert.ok(results.every((r) => r.status === 'stored' || r.status === 'duplicate'));
  const { json } = await w.observation(results[0] as never);
  assert.equal((json['valueQuantity'] as { value: number }).value, 74);
});
