/** Conditional create, update, patch and delete: what they find, what they refuse, and that nothing slips in between. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bench, bench, heartRate, ids, patient, principal, type Sent } from './support/bench.ts';

const SYSTEM = 'urn:example:mrn';
const mrn = (value: string) => ({ identifier: [{ system: SYSTEM, value }] });
const query = (value: string): string => `identifier=${SYSTEM}|${value}`;
const noneExist = (value: string, as?: Sent['as']): Sent => ({
  headers: { 'if-none-exist': query(value) },
  ...(as && { as }),
});
const count = async (api: Bench, value: string): Promise<number> =>
  ids(await api.get(`Patient?${query(value)}`)).length;

test('conditional create: none 201, one 200 with that one, two 412', async () => {
  const api = await bench();
  const a = await api.post('Patient', patient(mrn('1')), noneExist('1'));
  const b = await api.post('Patient', patient({ ...mrn('1'), gender: 'male' }), noneExist('1'));
  assert.deepEqual([a.status, b.status, b.json.id, b.json.meta.versionId], [201, 200, a.json.id, '1']);
  assert.match(b.headers['location'] ?? '', new RegExp(`/Patient/${a.json.id}/`));
  await api.add(patient(mrn('1')));
  assert.equal((await api.post('Patient', patient(mrn('1')), noneExist('1'))).status, 412);
});

test('fifty conditional creates at once make one resource', async () => {
  const api = await bench();
  const all = await Promise.all(
    Array.from({ length: 50 }, () => api.post('Patient', patient(mrn('1')), noneExist('1'))),
  );
  assert.deepEqual(
    all
      .map((r) => r.status)
      .sort()
      .slice(-2),
    [200, 201],
  );
  assert.equal(new Set(all.map((r) => r.json.id)).size, 1);
  assert.equal(await count(api, '1'), 1);
});

test('another process that creates the same between search and commit: 200 with its resource', async () => {
  const api = await bench();
  api.store.beforeCommit(async () => void (await api.add(patient(mrn('1')))));
  const r = await api.post('Patient', patient(mrn('1')), noneExist('1'));
  assert.equal(r.status, 200);
  assert.equal(await count(api, '1'), 1);
});

test('who keeps losing gets 409 after the last repetition, not an endless loop', async () => {
  const api = await bench({ limits: { conflictRetriesMax: 2 } });
  const commit = api.store.commit;
  let tries = 0;
  api.store.commit = async () => {
    tries++;
    return { ok: false, refusal: { kind: 'guard', index: 0 } };
  };
  assert.equal((await api.post('Patient', patient())).status, 409);
  assert.equal(tries, 3);
  api.store.commit = commit;
});

const bad = ['no-such=1', 'identifier=', 'identifier=x&no-such=1', '', '_sort=name', '_count=1', '_id:nonsense=1'];
test('an unknown, empty or missing parameter is 400 even when lenient, in all four', async () => {
  const api = await bench();
  await api.add(patient({ identifier: [{ value: 'x' }] }));
  const headers = { prefer: 'handling=lenient' };
  for (const q of bad) {
    const all = {
      create: await api.post('Patient', patient(), { headers: { ...headers, 'if-none-exist': q } }),
      update: await api.put(`Patient?${q}`, patient(), { headers }),
      patch: await api.patch(`Patient?${q}`, [{ op: 'add', path: '/active', value: false }], { headers }),
      remove: await api.del(`Patient?${q}`, { headers }),
    };
    for (const [name, r] of Object.entries(all)) assert.equal(r.status, 400, `${name} ${q}: ${r.text}`);
  }
  assert.equal(ids(await api.get('Patient?identifier=x')).length, 1);
});

test('conditional update: none creates, one updates, several 412, another id 400', async () => {
  const api = await bench();
  const a = await api.put(`Patient?${query('1')}`, patient(mrn('1')));
  const b = await api.put(`Patient?${query('1')}`, patient({ ...mrn('1'), gender: 'male' }));
  assert.deepEqual([a.status, b.status, b.json.id, b.json.meta.versionId], [201, 200, a.json.id, '2']);
  assert.equal((await api.put(`Patient?${query('1')}`, patient({ ...mrn('1'), id: 'other' }))).status, 400);
  const stale = { headers: { 'if-match': 'W/"1"' } };
  assert.equal((await api.put(`Patient?${query('1')}`, patient(mrn('1')), stale)).status, 412);
  await api.add(patient(mrn('1')));
  assert.equal((await api.put(`Patient?${query('1')}`, patient(mrn('1')))).status, 412);
});

test('conditional update that finds none takes the right to create', async () => {
  const api = await bench();
  const as = principal('system/Patient.us');
  assert.equal((await api.put(`Patient?${query('1')}`, patient(mrn('1')), { as })).status, 403);
  assert.equal(await count(api, '1'), 0);
});

test('conditional delete is single', async () => {
  const api = await bench();
  const a = await api.add(patient(mrn('1')));
  await api.add(patient(mrn('1')));
  assert.equal((await api.del(`Patient?${query('1')}`)).status, 412);
  await api.del(a.ref);
  assert.equal((await api.del(`Patient?${query('1')}`)).status, 204);
  assert.equal((await api.del(`Patient?${query('1')}`)).status, 204, 'again');
  assert.equal(await count(api, '1'), 0);
});

test('conditional patch: one 200, none 404', async () => {
  const api = await bench();
  await api.add(patient(mrn('1')));
  const off = [{ op: 'replace', path: '/active', value: false }];
  const r = await api.patch(`Patient?${query('1')}`, off);
  assert.deepEqual([r.status, r.json['active']], [200, false]);
  assert.equal((await api.patch(`Patient?${query('2')}`, off)).status, 404);
});

test('a condition needs the right to search, and finds only what the token may see', async () => {
  const api = await bench();
  const system = 'http://terminology.hl7.org/CodeSystem/observation-category';
  const exam = [{ coding: [{ system, code: 'exam' }] }];
  await api.add(heartRate({ category: exam, identifier: [{ value: 'x' }] }));
  const writer = principal('system/Observation.cu');
  const headers = { 'if-none-exist': 'identifier=x' };
  assert.equal((await api.post('Observation', heartRate(), { as: writer, headers })).status, 403);
  const vital = principal(`system/Observation.cruds?category=${system}|vital-signs`);
  const r = await api.post('Observation', heartRate({ identifier: [{ value: 'x' }] }), { as: vital, headers });
  assert.equal(r.status, 201, 'the hidden one is no match, else the condition would tell that it exists');
});
