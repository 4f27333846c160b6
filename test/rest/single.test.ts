/** Interactions on single resources: what must hold, and what a naive server gets wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VitalwireError } from '../../src/base/errors.ts';
import { extract } from '../../src/fhir/extract.ts';
import { admin, BASE, bench, heartRate, patient, principal } from './support/bench.ts';

const vital = principal(
  'system/Observation.cruds?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
);
const exam = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'exam' }] }];

test('create: an id of the server, version 1, Location, ETag, Last-Modified, the resource; client id and version are ignored', async () => {
  const api = await bench();
  const r = await api.post('Patient', patient({ id: 'mine', meta: { versionId: '9', tag: [{ code: 'kept' }] } }));
  assert.equal(r.status, 201);
  assert.notEqual(r.json.id, 'mine');
  assert.equal(r.json.meta.versionId, '1');
  assert.deepEqual(r.json.meta.tag, [{ code: 'kept' }]);
  assert.equal(r.headers['location'], `${BASE}/Patient/${r.json.id}/_history/1`);
  assert.equal(r.headers['etag'], 'W/"1"');
  assert.match(r.headers['last-modified'] ?? '', /GMT$/);
  assert.equal(r.headers['cache-control'], 'no-store');
});

test('Prefer: minimal is empty, OperationOutcome is one, representation is the resource', async () => {
  const api = await bench();
  const post = (prefer: string) => api.post('Patient', patient(), { headers: { prefer } });
  assert.equal((await post('return=minimal')).text, '');
  assert.equal((await post('return=OperationOutcome')).json.resourceType, 'OperationOutcome');
  assert.equal((await post('return=representation')).json.resourceType, 'Patient');
});

test('who may not read gets nothing back, not even by asking for the representation', async () => {
  const api = await bench();
  const writer = principal('system/Observation.c');
  for (const headers of [{}, { prefer: 'return=representation' }] as Record<string, string>[]) {
    const r = await api.post('Observation', heartRate(), { as: writer, headers });
    assert.deepEqual([r.status, r.text], [201, '']);
    assert.ok(r.headers['location']);
  }
});

test('decimals come back to the digit', async () => {
  const api = await bench();
  for (const n of ['37.00', '0.50', '1.0E1', '-0.0310', '123456789012345.67']) {
    const text = JSON.stringify(
      heartRate({ code: { text: 'n' }, category: undefined, valueQuantity: { value: 4242 } }),
    ).replace('4242', n);
    const r = await api.post('Observation', text);
    const read = await api.get(`Observation/${r.json.id}`);
    const found = await api.get(`Observation?_id=${r.json.id}`);
    for (const { text: got } of [r, read, found]) assert.ok(got.includes(`"value":${n}}`), `${n} in ${got}`);
  }
});

test('read and vread are the stored bytes; absent 404, deleted 410', async () => {
  const api = await bench();
  const { id, ref } = await api.add(patient());
  const read = await api.get(ref);
  assert.equal(read.text, (await api.store.read('Patient', id))?.text);
  assert.equal((await api.get(`${ref}/_history/1`)).text, read.text);
  for (const url of ['Patient/absent', `${ref}/_history/2`, `${ref}/_history/abc`, `${ref}/_history/1/x`])
    assert.equal((await api.get(url)).status, 404, url);
  await api.del(ref);
  assert.equal((await api.get(ref)).status, 410);
  assert.equal((await api.get(`${ref}/_history/2`)).status, 410);
  assert.equal((await api.get(`${ref}/_history/1`)).status, 200);
});

test('a conditional read is 304 without a body', async () => {
  const api = await bench();
  const { ref } = await api.add(patient());
  const r = await api.get(ref, { headers: { 'if-none-match': 'W/"1"' } });
  assert.deepEqual([r.status, r.text, r.headers['etag']], [304, '', 'W/"1"']);
  assert.equal((await api.get(ref, { headers: { 'if-none-match': 'W/"2"' } })).status, 200);
});

test('what is hidden answers like what is absent, to the byte, on every way to it', async () => {
  const api = await bench();
  const { id } = await api.add(heartRate({ category: exam }));
  const gone = await api.add(heartRate({ category: exam }));
  await api.del(gone.ref);
  for (const hidden of [id, gone.id]) {
    const ways: [string, string, unknown?][] = [
      ['GET', 'Observation/ID'],
      ['GET', 'Observation/ID/_history'],
      ['GET', 'Observation/ID/_history/1'],
      ['DELETE', 'Observation/ID'],
      ['PUT', 'Observation/ID', heartRate({ id: 'ID' })],
      ['PATCH', 'Observation/ID', [{ op: 'replace', path: '/status', value: 'amended' }]],
    ];
    for (const [method, url, body] of ways) {
      const ask = (as: string) =>
        api.send(method, url.replace('ID', as), body && JSON.parse(JSON.stringify(body).replace('ID', as)), {
          as: vital,
        });
      const [there, absent] = [await ask(hidden), await ask('no-such')];
      assert.deepEqual(
        [there.status, there.text.replaceAll(hidden, 'X'), there.headers['etag']],
        [absent.status, absent.text.replaceAll('no-such', 'X'), absent.headers['etag']],
        `${method} ${url}`,
      );
      assert.ok([404, 204].includes(there.status), `${method} ${url} ${there.status}`);
    }
  }
  assert.equal((await api.get(`Observation/${id}`)).status, 200, 'and it was left alone');
});

test('an earlier version that the token may not see stays hidden though the newest is visible', async () => {
  const api = await bench();
  const { id, ref } = await api.add(heartRate({ category: exam }));
  await api.put(ref, heartRate({ id }));
  assert.equal((await api.get(`${ref}/_history/2`, { as: vital })).status, 200);
  assert.equal((await api.get(`${ref}/_history/1`, { as: vital })).status, 404);
  const history = await api.get(`${ref}/_history`, { as: vital });
  assert.deepEqual(
    history.json.entry.map((e) => e.resource.meta.versionId),
    ['2'],
  );
});

test('by scope it is 403 before any look-up, the same for what is there and what is not', async () => {
  const api = await bench();
  const { ref } = await api.add(patient());
  const as = principal('system/Observation.rs');
  const [a, b] = [await api.get(ref, { as }), await api.get('Patient/none', { as })];
  assert.deepEqual([a.status, b.status, a.json.issue[0]?.code], [403, 403, 'forbidden']);
  assert.equal(a.text, b.text);
  for (const [method, url] of [
    ['DELETE', 'Observation/1'],
    ['POST', 'Observation'],
    ['PUT', 'Observation/1'],
  ] as const)
    assert.equal(
      (await api.send(method, url, method === 'DELETE' ? undefined : heartRate({ id: '1' }), { as })).status,
      403,
    );
});

test('a write may not leave what the token may see', async () => {
  const api = await bench();
  assert.equal((await api.post('Observation', heartRate({ category: exam }), { as: vital })).status, 403);
  const { id, ref } = await api.add(heartRate());
  assert.equal((await api.put(ref, heartRate({ id, category: exam }), { as: vital })).status, 403);
  assert.equal((await api.put(ref, heartRate({ id, status: 'amended' }), { as: vital })).status, 200);
  const leave = [{ op: 'replace', path: '/category', value: exam }];
  assert.equal((await api.patch(ref, leave, { as: vital })).status, 403);
  assert.equal((await api.get(ref)).json.meta.versionId, '2');
});

test('update counts versions, honours If-Match and the id', async () => {
  const api = await bench();
  const { id, ref } = await api.add(patient());
  const r = await api.put(ref, patient({ id, gender: 'male' }));
  assert.deepEqual([r.status, r.json.meta.versionId, r.headers['etag']], [200, '2', 'W/"2"']);
  const put = (over: Record<string, unknown>, ifMatch: string) =>
    api.put(ref, patient({ id, ...over }), { headers: { 'if-match': ifMatch } });
  assert.equal((await put({ gender: 'female' }, 'W/"1"')).status, 412);
  assert.equal((await put({ gender: 'female' }, 'nonsense')).status, 400);
  assert.equal((await put({ gender: 'female' }, 'W/"2"')).json.meta.versionId, '3');
  assert.equal((await api.put(ref, patient({ id: 'another' }))).status, 400);
  assert.equal((await api.put(ref, patient())).status, 400, 'no id at all');
});

test('the same bytes make no new version, and still a stale If-Match is 412', async () => {
  const api = await bench();
  const { id, ref } = await api.add(patient());
  const commits = api.store.commits;
  const r = await api.put(ref, patient({ id, meta: { versionId: '77' } }));
  assert.deepEqual([r.status, r.json.meta.versionId, api.store.commits], [200, '1', commits]);
  assert.equal((await api.put(ref, patient({ id }), { headers: { 'if-match': 'W/"9"' } })).status, 412);
  assert.equal((await api.put(ref, patient({ id, meta: { tag: [{ code: 'x' }] } }))).json.meta.versionId, '2');
});

test('only administrators create by update, and revive', async () => {
  const api = await bench();
  const many = principal('system/Patient.cruds system/Observation.cruds');
  assert.equal((await api.put('Patient/new', patient({ id: 'new' }), { as: many })).status, 404);
  const r = await api.put('Patient/new', patient({ id: 'new' }));
  assert.deepEqual([r.status, r.json.id, r.json.meta.versionId], [201, 'new', '1']);
  await api.del('Patient/new');
  assert.equal((await api.put('Patient/new', patient({ id: 'new' }), { as: many })).status, 404);
  const revived = await api.put('Patient/new', patient({ id: 'new' }));
  assert.deepEqual([revived.status, revived.json.meta.versionId], [201, '3']);
  assert.equal(
    (await api.put('Patient/none', patient({ id: 'none' }), { headers: { 'if-match': 'W/"1"' } })).status,
    412,
  );
});

test('delete is 204 whether or not there is something; If-Match is honoured', async () => {
  const api = await bench();
  const { ref } = await api.add(patient());
  assert.equal((await api.del(ref, { headers: { 'if-match': 'W/"2"' } })).status, 412);
  for (const url of [ref, ref, 'Patient/never']) assert.equal((await api.del(url)).status, 204, url);
  assert.equal((await api.store.read('Patient', ref.slice(8)))?.version, 2, 'deleted once');
});

test('many updates of one resource at once all hold, one after the other', async () => {
  const api = await bench();
  const { id, ref } = await api.add(patient());
  const all = await Promise.all(
    Array.from({ length: 40 }, (_, n) => api.put(ref, patient({ id, birthDate: `19${10 + n}-01-01` }))),
  );
  assert.deepEqual([...new Set(all.map((r) => r.status))], [200]);
  assert.deepEqual(new Set(all.map((r) => r.json.meta.versionId)).size, 40);
});

test('another process that is faster: a plain update is judged again, a conditional one is 412', async () => {
  const api = await bench();
  const { id, ref } = await api.add(patient());
  const rival = async () => {
    const text = `,"active":false}`;
    await api.store.commit({
      writes: [
        {
          method: 'PUT',
          draft: { type: 'Patient', id, meta: '', body: text },
          terms: extract(patient({ active: false }), BASE),
          follows: Number((await api.get(ref)).json.meta.versionId),
        },
      ],
    });
  };
  api.store.beforeCommit(rival);
  assert.equal((await api.put(ref, patient({ id, gender: 'male' }))).json.meta.versionId, '3');
  api.store.beforeCommit(rival);
  const stale = await api.put(ref, patient({ id, gender: 'female' }), { headers: { 'if-match': 'W/"3"' } });
  assert.equal(stale.status, 412);
});

test('patch', async () => {
  const api = await bench();
  const { ref } = await api.add(heartRate());
  const set = (path: string, value: unknown) => api.patch(ref, [{ op: 'add', path, value }]);
  const r = await set('/note', [{ text: 'n' }]);
  assert.deepEqual([r.status, r.json.meta.versionId, r.json['note']], [200, '2', [{ text: 'n' }]]);
  assert.equal((await set('/status', 'nonsense')).status, 422, 'the result must be valid');
  assert.equal((await set('/id', 'other')).status, 400);
  assert.equal((await set('/resourceType', 'Patient')).status, 400);
  assert.equal((await api.patch('Observation/none', [])).status, 404);
  const xml = { headers: { 'content-type': 'application/xml-patch+xml' } };
  assert.equal((await api.patch(ref, '<diff/>', xml)).status, 415);
  assert.equal((await api.patch(ref, '{}')).status, 400);
  assert.equal((await api.get(ref)).json.meta.versionId, '2');
});

test('odd methods, paths and bodies are refused with an OperationOutcome', async () => {
  const api = await bench();
  const { ref } = await api.add(patient());
  const cases: [status: number, method: string, url: string, body?: string][] = [
    [404, 'GET', 'Patience/1'],
    [404, 'POST', 'Patience', '{"resourceType":"Patience"}'],
    [400, 'GET', 'Patient/%00'],
    [400, 'GET', 'Patient/%E0%A4%A'],
    [400, 'GET', `Patient/${'a'.repeat(65)}`],
    [400, 'PUT', 'Patient/a_b', '{"resourceType":"Patient","id":"a_b"}'],
    [400, 'DELETE', 'Patient/'],
    [400, 'PUT', 'Patient', '{"resourceType":"Patient"}'],
    [405, 'POST', ref, '{"resourceType":"Patient"}'],
    [405, 'DELETE', ''],
    [405, 'GET', ''],
    [405, 'BREW', 'Patient'],
    [405, 'POST', `${ref}/_history`],
    [405, 'GET', 'Patient/_search'],
    [404, 'GET', `${ref}/Observation`],
    [404, 'GET', `${ref}/_history/1/2`],
    [404, 'GET', 'metadata/x'],
    [400, 'POST', 'Patient', ''],
    [400, 'POST', 'Patient', '{"resourceType":"Patient",'],
    [400, 'POST', 'Patient', '[]'],
    [400, 'POST', 'Patient', '{"resourceType":"Device"}'],
    [422, 'POST', 'Patient', '{"resourceType":"Patient","shoeSize":43}'],
  ];
  for (const [status, method, url, body] of cases) {
    const r = await api.send(method, url, body, { headers: { 'content-type': 'application/fhir+json' } });
    assert.equal(r.status, status, `${method} ${url} ${body ?? ''}: ${r.text}`);
    assert.equal(r.json.resourceType, 'OperationOutcome', `${method} ${url}`);
    assert.match(r.headers['content-type'] ?? '', /^application\/fhir\+json/);
  }
  const plain = { headers: { 'content-type': 'text/plain' } };
  assert.equal((await api.post('Patient', patient(), plain)).status, 415);
});

test('faults are answered without their details, and unavailability with Retry-After', async () => {
  const api = await bench();
  api.store.read = () => {
    throw new Error('secret of the disk');
  };
  const r = await api.get('Patient/1');
  assert.equal(r.status, 500);
  assert.ok(!r.text.includes('secret'));
  api.store.commit = () => Promise.reject(new VitalwireError('server.busy', 'The queue is full.'));
  const busy = await api.post('Patient', patient());
  assert.deepEqual([busy.status, busy.headers['retry-after']], [429, '1']);
});

test('operations: found by name, type and level; unknown 404, or 403 where no scope could allow one', async () => {
  const api = await bench({
    operations: [
      {
        name: 'status',
        definition: 'x',
        type: 'Subscription',
        levels: ['instance', 'type'],
        methods: ['GET', 'POST'],
        handle: async (request) => ({ status: 200, body: JSON.stringify({ id: request.id ?? 'none' }) }),
      },
    ],
  });
  assert.equal((await api.get('Subscription/s1/$status')).json.id, 's1');
  assert.equal((await api.get('Subscription/$status')).json.id, 'none');
  for (const url of ['$status', 'Patient/$status', 'Subscription/s1/$other', 'Subscription/s1/$status/x'])
    assert.equal((await api.get(url)).status, 404, url);
  assert.equal((await api.del('Subscription/s1/$status')).status, 405);
  const narrow = principal('system/Observation.rs');
  assert.equal((await api.get('Patient/$everything', { as: narrow })).status, 403);
  assert.equal((await api.get('Observation/$lastn', { as: narrow })).status, 404);
});

test('AuditEvents are written by nobody', async () => {
  const api = await bench();
  assert.equal((await api.post('AuditEvent', { resourceType: 'AuditEvent' }, { as: admin })).status, 403);
});
