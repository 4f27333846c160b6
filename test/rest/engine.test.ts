/** The interactions on the embedded engine, where what holds takes both: hiding, history, races, links, pages, includes. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { absent, sharedData } from '../support/shared.ts';
import { type Answer, bench, heartRate, ids, patient, principal } from './support/bench.ts';

const SYSTEM = 'http://terminology.hl7.org/CodeSystem/observation-category';
const exam = [{ coding: [{ system: SYSTEM, code: 'exam' }] }];
const vital = principal(`system/Observation.cruds?category=${SYSTEM}|vital-signs`);
const api = await bench({ engine: 'sqlite' });

test('what is hidden answers like what is absent, and is found by no search', async () => {
  const { id, ref } = await api.add(heartRate({ category: exam, subject: { reference: 'Patient/h' } }));
  const [there, none] = [await api.get(ref, { as: vital }), await api.get('Observation/none', { as: vital })];
  assert.deepEqual([there.status, there.text.replaceAll(id, 'X')], [404, none.text.replaceAll('none', 'X')]);
  const r = await api.get('Observation?subject=Patient/h&_total=accurate', { as: vital });
  assert.deepEqual([r.json.total, ids(r)], [0, []]);
  await api.del(ref);
  assert.equal((await api.get(ref, { as: vital })).status, 404, 'not 410, which would tell that it was there');
});

test('history shows the versions that the token may see, while the newest is one of them', async () => {
  const { id, ref } = await api.add(heartRate({ category: exam }));
  await api.put(ref, heartRate({ id }));
  const seen = async () => (await api.get(`${ref}/_history`, { as: vital })).json.entry.map((e) => e.response.etag);
  assert.deepEqual(await seen(), ['W/"2"']);
  await api.del(ref);
  assert.deepEqual(await seen(), ['W/"3"', 'W/"2"']);
  assert.deepEqual(
    (await api.get(`${ref}/_history`)).json.entry.map((e) => e.request.method),
    ['DELETE', 'PUT', 'POST'],
  );
});

test('fifty conditional creates at once make one resource; forty updates at once make forty versions', async () => {
  const how = { headers: { 'if-none-exist': 'identifier=once' } };
  const all = await Promise.all(
    Array.from({ length: 50 }, () => api.post('Patient', patient({ identifier: [{ value: 'once' }] }), how)),
  );
  assert.deepEqual(all.map((r) => r.status).filter((status) => status === 201).length, 1);
  assert.equal(ids(await api.get('Patient?identifier=once')).length, 1);
  const { id, ref } = await api.add(patient());
  const put = (n: number) => api.put(ref, patient({ id, birthDate: `19${10 + n}-01-01` }));
  assert.deepEqual(
    [...new Set((await Promise.all(Array.from({ length: 40 }, (_, n) => put(n)))).map((r) => r.status))],
    [200],
  );
  assert.equal((await api.get(ref)).json.meta.versionId, '41');
});

test('a transaction resolves its links in text and index; a retry of it creates nothing twice', async () => {
  const U = 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0';
  const sent = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        resource: heartRate({ subject: { reference: U }, identifier: [{ value: 'tx' }] }),
        request: { method: 'POST', url: 'Observation', ifNoneExist: 'identifier=tx' },
      },
      {
        fullUrl: U,
        resource: patient({ identifier: [{ value: 'tx' }] }),
        request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=tx' },
      },
    ],
  };
  const all = await Promise.all(Array.from({ length: 10 }, () => api.post('', sent)));
  assert.deepEqual([...new Set(all.map((r) => r.status))], [200]);
  const [p] = ids(await api.get('Patient?identifier=tx'));
  assert.equal(ids(await api.get('Patient?identifier=tx')).length, 1);
  assert.equal(ids(await api.get(`Observation?subject=Patient/${p}`)).length, 1);
});

test('pages to the end while others write; included is what the token may see', async () => {
  const p = await api.add(patient());
  const own = principal('patient/*.rs', { patient: p.id });
  const all: string[] = [];
  for (let i = 0; i < 7; i++)
    all.push(
      (await api.add(heartRate({ subject: { reference: p.ref }, performer: [{ reference: 'Patient/other' }] }))).id,
    );
  const seen: string[] = [];
  let url: string | undefined =
    `Observation?subject=${p.ref}&_count=3&_include=Observation:subject&_include=Observation:performer`;
  for (let n = 0; url && n < 6; n++) {
    const r: Answer = await api.get(url, { as: own });
    seen.push(...ids(r));
    const included = r.json.entry.filter((e) => e.search.mode === 'include').map((e) => e.resource.id);
    assert.deepEqual(included, [p.id]);
    url = r.json.link.find((l) => l.relation === 'next')?.url;
    await api.add(heartRate({ subject: { reference: p.ref } }));
  }
  assert.deepEqual(seen, all.reverse());
});

test('whole patient records go through', async (t) => {
  const folder = sharedData('synthea');
  if (!folder) return t.skip(absent('synthea'));
  for (const file of readdirSync(folder)) {
    const r = await api.post('', readFileSync(join(folder, file), 'utf8'));
    assert.equal(r.status, 200, file);
    const p = r.json.entry.find((e) => e.response.location.startsWith('Patient/'))?.response.location.split('/')[1];
    const sent = r.json.entry.filter((e) => e.response.location.startsWith('Observation/')).length;
    assert.equal((await api.get(`Observation?patient=${p}&_summary=count`)).json.total, sent, file);
  }
});
