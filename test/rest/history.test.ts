/** History of a resource, a type and the system. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, BASE, bench, heartRate, patient, principal } from './support/bench.ts';

const methods = (r: Answer): string => (r.json.entry ?? []).map((e) => e.request.method).join(' ');

test('newest first, with request and response; a delete has no resource', async () => {
  const api = await bench();
  const { id, ref } = await api.add(patient());
  await api.put(ref, patient({ id, gender: 'male' }));
  await api.del(ref);
  await api.put(ref, patient({ id }));
  const r = await api.get(`${ref}/_history`);
  assert.deepEqual([r.json.type, methods(r)], ['history', 'PUT DELETE PUT POST']);
  assert.deepEqual(
    r.json.entry.map((e) => e.resource?.meta.versionId ?? '-'),
    ['4', '-', '2', '1'],
  );
  assert.deepEqual(
    r.json.entry.map((e) => e.request.url),
    [ref, ref, ref, 'Patient'],
  );
  assert.deepEqual(
    r.json.entry.map((e) => e.response.etag),
    ['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"'],
  );
  assert.ok(r.json.entry.every((e) => e.fullUrl === `${BASE}/${ref}` && e.response.lastModified && e.response.status));
  assert.equal((await api.get('Patient/none/_history')).status, 404);
});

test('pages by _count to the end; _since bounds it', async () => {
  const api = await bench();
  for (let i = 0; i < 5; i++) await api.add(patient());
  const seen: string[] = [];
  let url: string | undefined = 'Patient/_history?_count=2';
  for (let n = 0; url && n < 5; n++) {
    const r: Answer = await api.get(url);
    seen.push(...r.json.entry.map((e) => e.resource.id));
    url = r.json.link.find((l) => l.relation === 'next')?.url;
  }
  assert.equal(new Set(seen).size, 5);
  const third = (await api.get(`Patient/${seen[2]}`)).json.meta.lastUpdated;
  const since = await api.get(`Patient/_history?_since=${third}`);
  assert.deepEqual(
    since.json.entry.map((e) => e.resource.id),
    seen.slice(0, 3),
  );
});

test('type and system history take s and show what the token may see', async () => {
  const api = await bench();
  await api.add(patient());
  await api.add(heartRate());
  const r = await api.get('_history');
  assert.deepEqual(
    r.json.entry.map((e) => e.resource.resourceType),
    ['Observation', 'Patient'],
  );
  const narrow = await api.get('_history', { as: principal('system/Patient.rs') });
  assert.deepEqual(
    narrow.json.entry.map((e) => e.resource.resourceType),
    ['Patient'],
  );
  assert.equal((await api.get('Observation/_history', { as: principal('system/Patient.rs') })).status, 403);
  assert.equal((await api.get('Patient/_history', { as: principal('system/Patient.r') })).status, 403);
  assert.equal((await api.get('_history', { as: principal('system/Patient.c') })).status, 403);
});

test('what is no count, page or instant is 400', async () => {
  const api = await bench();
  for (const q of ['_count=-1', '_count=0', '_count=many', '_since=yesterday', '_before=x'])
    assert.equal((await api.get(`Patient/_history?${q}`)).status, 400, q);
  const r = await api.get('Patient/_history?_count=5000');
  assert.match(r.json.link[0]?.url ?? '', /_count=1000/);
});
