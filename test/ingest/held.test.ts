/** Nothing is dropped in silence: what is held is listed, replayed, cured, and counted. CONTRACT §5 held and rejected. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ADMIN, BASE_URL, GATEWAY, principal, type Result, SERIAL, Ward } from './world.ts';

type Json = Record<string, unknown>;
const statuses = (results: readonly Result[]): string => results.map((r) => r.status).join(' ');
const replayAll = async (w: Ward, as = ADMIN) =>
  (await w.request<{ results: Result[] }>('POST', '/held/$replay', '', as, {})).json.results;
const replayOne = (w: Ward, id: unknown, as = ADMIN) =>
  w.request<{ results: Result[] }>('POST', `/held/${String(id)}/$replay`, '', as, {});
const list = async (w: Ward, query: string, as = ADMIN) =>
  (await w.request<{ held: Json[]; next?: string }>('GET', `/held${query}`, '', as)).json;

test('the list: newest first, every field, filters, pages', async () => {
  const w = new Ward();
  const { serial, id } = await w.device({ worn: false });
  for (const over of [{ id: 'h1' }, { id: 'h2' }, { id: 'h3', kind: 'mood' }, { id: 'h4', unit: 'kg' }])
    await w.one(w.reading(serial, over));
  await w.one(w.reading('another', { id: 'h5' }));
  await w.one('no reading at all');
  const q = `device=${encodeURIComponent(`${SERIAL}|${serial}`)}`;
  const { held } = await list(w, `?${q}`);
  assert.deepEqual(
    held.map((x) => `${x['status']} ${x['reason']}`),
    ['rejected unit.incommensurable', 'held mapping.no-match', 'held device.unassociated', 'held device.unassociated'],
  );
  for (const name of ['id', 'status', 'reason', 'details', 'device', 'gateway', 'adapter', 'receivedAt', 'message'])
    assert.notEqual(held[1]?.[name], undefined, name);
  assert.deepEqual([held[1]?.['gateway'], held[1]?.['adapter']], ['gateway', 'readings']);
  assert.equal((held[1] as { message: Json }).message['id'], 'h3');
  assert.equal((await list(w, '')).held.length, 6);
  assert.equal((await list(w, `?${q}&reason=mapping.no-match`)).held.length, 1);
  assert.equal((await list(w, `?${q}&status=rejected`)).held.length, 1);
  assert.equal((await list(w, `?device=${serial}`)).held.length, 4);
  assert.equal((await list(w, `?device=Device/${id}`)).held.length, 4);
  assert.equal((await list(w, '?device=Device/none')).held.length, 0);
  assert.equal((await list(w, '?gateway=gateway')).held.length, 6);
  assert.equal((await list(w, '?gateway=other')).held.length, 0);
  const first = await list(w, `?${q}&_count=3`);
  assert.equal(first.held.length, 3);
  assert.ok(first.next?.startsWith(`${BASE_URL}/ingest/held?`));
  const second = await list(w, (first.next as string).slice(`${BASE_URL}/ingest/held`.length));
  assert.deepEqual(
    second.held.map((x) => x['id']),
    [held[3]?.['id']],
  );
  assert.equal(second.next, undefined);
  assert.equal((await w.request('GET', '/held?_count=x', '', ADMIN)).status, 400);
});

test('a gateway sees and replays what it sent, and nothing else', async () => {
  const w = new Ward();
  const { serial } = await w.device({ worn: false });
  await w.one(w.reading(serial, { id: 'mine' }));
  const [entry] = await w.held();
  const other = principal('other', 'system/Observation.c');
  assert.equal((await list(w, '', GATEWAY)).held.length, 1);
  assert.equal((await list(w, '', other)).held.length, 0);
  assert.equal((await list(w, '?gateway=gateway', other)).held.length, 0);
  const absent = await replayOne(w, 'no-such-id', other);
  const hidden = await replayOne(w, entry?.['id'], other);
  assert.deepEqual([hidden.status, hidden.text], [404, absent.text]);
  assert.equal((await replayOne(w, entry?.['id'], GATEWAY)).status, 200);
});

test('what is cured is filed once, at its own time, and leaves the list', async () => {
  const w = new Ward();
  const { id, serial, patient } = await w.device({ worn: false });
  await w.post([w.reading(serial, { id: 'p1' }), w.reading(serial, { id: 'p2', time: undefined })]);
  w.clock.ms += 3_600_000;
  const [second, first] = await w.held();
  assert.equal(statuses((await replayOne(w, first?.['id'])).json.results), 'held');
  await w.put(w.use(id, patient));
  const [one] = (await replayOne(w, first?.['id'])).json.results;
  assert.equal(one?.status, 'stored');
  const { json } = await w.observation(one as Result);
  assert.deepEqual(
    [json['subject'], json['effectiveDateTime']],
    [{ reference: `Patient/${patient}` }, '2026-05-06T07:08:09+02:00'],
  );
  assert.deepEqual(
    (await w.held()).map((x) => x['id']),
    [second?.['id']],
  );
  assert.equal((await replayOne(w, first?.['id'])).status, 404);
  // The other one had no time: it was measured when it came, not when it is replayed.
  const [late] = await replayAll(w);
  assert.equal((await w.observation(late as Result)).json['effectiveDateTime'], '2026-11-25T12:00:00.000Z');
  assert.equal((await w.one(w.reading(serial, { id: 'p1' }))).status, 'duplicate');
  assert.deepEqual(await w.balance(), { received: 3, stored: 2, duplicate: 1, held: 0, rejected: 0 });
});

test('the very same message is a duplicate of the held one and tries it once more', async () => {
  const w = new Ward();
  const { id, serial, patient } = await w.device({ worn: false });
  const reading = w.reading(serial, { id: 'c1' });
  const [a, b] = await w.post([reading, reading]);
  assert.deepEqual([a?.status, b?.status, b?.issue?.code], ['held', 'duplicate', 'device.unassociated']);
  assert.equal((await w.one(reading)).status, 'duplicate');
  assert.equal((await w.held()).length, 1);
  await w.put(w.use(id, patient));
  const cured = await w.one(reading);
  assert.deepEqual([cured.status, cured.observation?.length], ['duplicate', 1]);
  assert.equal((await w.held()).length, 0);
  assert.equal(w.memory.all('Observation').length, 1);
  assert.deepEqual(await w.balance(), { received: 4, stored: 1, duplicate: 3, held: 0, rejected: 0 });
});

test('a held message owns no identity: another of the same key is judged alone', async () => {
  const w = new Ward();
  const { serial } = await w.device();
  assert.equal((await w.one(w.reading(serial, { id: 'k', value: '999' }))).status, 'held');
  assert.equal((await w.one(w.reading(serial, { id: 'k', value: '72' }))).status, 'stored');
  assert.equal(statuses(await replayAll(w)), 'held');
  assert.equal((await w.held()).length, 1);
});

test('the reason that is shown is the newest one', async () => {
  const w = new Ward();
  const reading = w.reading('S-new', { id: 'x' });
  await w.one(reading);
  assert.equal((await w.held())[0]?.['reason'], 'device.unknown');
  await w.put({ resourceType: 'Device', id: 'new', identifier: [{ system: SERIAL, value: 'S-new' }] });
  await replayAll(w);
  assert.equal((await w.held('?reason=device.unassociated')).length, 1);
  assert.equal((await w.held('?reason=device.unknown')).length, 0);
  await w.put(w.use('new', 'p'));
  assert.equal((await w.one(reading)).status, 'duplicate');
  assert.equal((await w.held()).length, 0);
});

test('eight identical messages that are held at once: one is held, seven are duplicates of it', async () => {
  const w = new Ward();
  const results = await Promise.all(Array.from({ length: 8 }, () => w.one(w.reading('nobody', { id: 'same' }))));
  assert.deepEqual(results.map((r) => r.status).sort(), [...Array(7).fill('duplicate'), 'held']);
  assert.equal((await w.held()).length, 1);
  assert.deepEqual(await w.balance(), { received: 8, stored: 0, duplicate: 7, held: 1, rejected: 0 });
});

test('two replays and the message itself at once cure it once', async () => {
  const w = new Ward();
  const { id, serial, patient } = await w.device({ worn: false });
  const reading = w.reading(serial, { id: 'r' });
  await w.one(reading);
  await w.put(w.use(id, patient));
  const [entry] = await w.held();
  const answers = await Promise.all([replayAll(w), replayOne(w, entry?.['id']), replayAll(w), w.one(reading)]);
  const [all, one, again, direct] = answers;
  const seen = [...all, ...(one.json.results ?? []), ...again, direct].map((r) => r.status);
  // Whoever is first files it; the others find it gone from the list, or there as an Observation.
  assert.ok(seen.every((s) => s === 'stored' || s === 'duplicate') && seen.length > 0, seen.join(' '));
  assert.ok([200, 404].includes(one.status));
  assert.equal(w.memory.all('Observation').length, 1);
  assert.deepEqual(await w.balance(), { received: 2, stored: 1, duplicate: 1, held: 0, rejected: 0 });
  assert.equal((await w.held()).length, 0);
});

test('an association that another process adds is seen by a replay', async () => {
  const w = new Ward();
  const { id, serial } = await w.device({ worn: false });
  await w.one(w.reading(serial, { id: 'r' }));
  const use = { id: 'u', device: id, patient: 'p', start: 0, end: 8.64e15 };
  w.memory.documents.set('device-use\nu', {
    collection: 'device-use',
    key: 'u',
    body: JSON.stringify(use),
    tags: [id],
  });
  w.memory.stamps.set(`device-use/${id}`, 77_777);
  // Not woken: what the process believes is out of date, and the commit says so.
  assert.equal(statuses(await replayAll(w)), 'stored');
});

test('a dry run answers the same with stages and resources, and counts, holds and stores nothing', async () => {
  const w = new Ward({ unknownDevice: 'create' });
  const { serial, patient } = await w.device();
  const commits = w.memory.commits;
  const readings = [
    w.reading(serial, { id: 'd' }),
    w.reading(serial, { id: 'e', value: '999' }),
    w.reading(serial, { id: 'f', unit: 'kg' }),
    w.reading('unheard-of', { id: 'g' }),
    7,
  ];
  const results = await w.post(readings, GATEWAY, '?dry-run=true');
  assert.equal(statuses(results), 'stored held rejected held rejected');
  assert.ok(results.every((r) => Array.isArray(r.stages) && r.stages.length > 0 && Array.isArray(r.resources)));
  const observation = results[0]?.resources?.[0];
  assert.equal(observation?.['resourceType'], 'Observation');
  assert.deepEqual(observation?.['subject'], { reference: `Patient/${patient}` });
  assert.equal(results[3]?.resources?.[0]?.['resourceType'], 'Device');
  assert.equal((await w.request('POST', '/readings?dry-run=1', JSON.stringify({ readings }))).status, 400);
  assert.equal(w.memory.commits, commits);
  assert.deepEqual(await w.balance(), { received: 0, stored: 0, duplicate: 0, held: 0, rejected: 0 });
  assert.equal(statuses(await w.post(readings)), 'stored held rejected held rejected');
});

test('explain leads from an Observation back to every message that made it', async () => {
  const w = new Ward();
  const { serial, patient } = await w.device();
  const a = await w.one(w.reading(serial, { id: 'explain-me', version: 1, value: '70' }));
  await w.one(w.reading(serial, { id: 'explain-me', version: 2, value: '71.0' }));
  const id = a.observation?.[0]?.split('/')[1];
  const answer = await w.request<{ messages: Json[] }>('GET', `/explain/${id}`, '', ADMIN);
  assert.equal(answer.status, 200);
  assert.deepEqual(
    answer.json.messages.map((m) => [m['version'], (m['message'] as Json)['value'], m['adapter'], m['gateway']]),
    [
      ['2', '71.0', 'readings', 'gateway'],
      ['1', '70', 'readings', 'gateway'],
    ],
  );
  const stages = (answer.json.messages[0] as { stages: Json[] }).stages.map((s) => s['stage']);
  assert.deepEqual(stages, ['receive', 'decode', 'normalise', 'time', 'device', 'patient']);
  assert.ok(answer.text.includes(`Patient/${patient}`));
  assert.equal((await w.request('GET', `/explain/${id}`, '', GATEWAY)).status, 403);
  assert.equal((await w.request('GET', '/explain/none', '', ADMIN)).status, 404);
  await w.put({ resourceType: 'Observation', id: 'by-hand', status: 'final', code: { text: 'x' } });
  const other = await w.request<{ messages: Json[]; details: string }>('GET', '/explain/by-hand', '', ADMIN);
  assert.deepEqual([other.json.messages.length, /FHIR API/.test(other.json.details)], [0, true]);
});

test('the balance holds whatever comes, however it is batched, repeated, associated and replayed', async () => {
  const reading = fc.record({
    device: fc.constantFrom(0, 1, 2),
    id: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined }),
    value: fc.constantFrom('70', '71', '999', '0', 'NaN', 'odd'),
    version: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    unit: fc.constantFrom('/min', 'kg'),
    status: fc.option(fc.constant('entered-in-error'), { nil: undefined }),
  });
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.array(reading, { minLength: 1, maxLength: 6 }) },
    { weight: 1, arbitrary: fc.constant('replay' as const) },
    { weight: 1, arbitrary: fc.constant('wear' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const w = new Ward();
      const devices = [await w.device(), await w.device({ worn: false }), { id: 'x', serial: 'unknown', patient: 'p' }];
      let sent = 0;
      for (const what of steps) {
        if (what === 'replay') await replayAll(w);
        else if (what === 'wear') {
          const [, d] = devices as [unknown, { id: string; patient: string }];
          await w.put({ ...w.use(d.id, d.patient), id: 'worn-now' });
        } else {
          sent += what.length;
          const some = what.map((r) =>
            w.reading(devices[r.device]?.serial ?? '', {
              ...r,
              device: { identifier: [{ system: SERIAL, value: devices[r.device]?.serial }] },
            }),
          );
          await w.post(some);
        }
        const b = await w.balance();
        assert.equal(b['received'], sent);
        assert.equal(
          b['received'],
          Number(b['stored']) + Number(b['duplicate']) + Number(b['held']) + Number(b['rejected']),
        );
        assert.equal((await w.held('?status=held&_count=1000')).length, b['held']);
        assert.ok(Object.values(b).every((n) => n >= 0));
      }
    }),
    { numRuns: 60 },
  );
});
