/** batch and transaction: order, links, all or nothing, and the place of what is wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, BASE, type Bench, bench, heartRate, ids, patient, principal } from './support/bench.ts';

const U1 = 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0';
const U2 = 'urn:uuid:88f151c0-a954-468a-88bd-5ae15c08e059';

type Entry = Record<string, unknown> | null;
const bundle = (type: string, entry: readonly Entry[]) => ({ resourceType: 'Bundle', type, entry });
const post = (resource: Record<string, unknown>, fullUrl?: string, request: Record<string, unknown> = {}) => ({
  ...(fullUrl && { fullUrl }),
  resource,
  request: { method: 'POST', url: resource['resourceType'], ...request },
});
const put = (url: string, resource: Record<string, unknown>, request: Record<string, unknown> = {}) => ({
  resource,
  request: { method: 'PUT', url, ...request },
});
const ask = (method: string, url: string, request: Record<string, unknown> = {}) => ({
  request: { method, url, ...request },
});

const transaction = (api: Bench, ...entry: Entry[]): Promise<Answer> => api.post('', bundle('transaction', entry));
const batch = (api: Bench, ...entry: Entry[]): Promise<Answer> => api.post('', bundle('batch', entry));
const statuses = (r: Answer): string => r.json.entry.map((e) => e.response.status.slice(0, 3)).join(' ');
const count = async (api: Bench, type: string): Promise<number> =>
  (await api.get(`${type}?_summary=count`)).json.total ?? -1;

test('transaction: links are resolved, the answer is in the order of the request, in one commit', async () => {
  const api = await bench();
  const r = await transaction(
    api,
    post(
      heartRate({ subject: { reference: U1 }, device: { reference: U2 } }),
      'urn:uuid:4f1d7c2e-64a1-4c7e-9a53-0c2a3c1f0b11',
    ),
    post(patient(), U1),
    post({ resourceType: 'Device' }, U2),
  );
  assert.deepEqual([r.json.type, statuses(r), api.store.commits], ['transaction-response', '201 201 201', 1]);
  const refs = r.json.entry.map((e) => /^(\w+\/[^/]+)\/_history\/1$/.exec(e.response.location)?.[1] ?? '');
  assert.deepEqual(
    refs.map((x) => x.split('/')[0]),
    ['Observation', 'Patient', 'Device'],
  );
  const o = (await api.get(refs[0] ?? '')).json;
  assert.deepEqual([o['subject'], o['device']], [{ reference: refs[1] }, { reference: refs[2] }]);
  assert.deepEqual(ids(await api.get(`Observation?subject=${refs[1]}`)), [o.id], 'the index has the new reference');
  for (const e of r.json.entry) assert.ok(e.response.etag === 'W/"1"' && e.response.lastModified && !e.resource);
});

test('transaction: decimals keep their digits, also in an entry whose links are replaced', async () => {
  const api = await bench();
  const text = JSON.stringify(
    bundle('transaction', [post(patient(), U1), post(heartRate({ subject: { reference: U1 } }))]),
  );
  const r = await api.post('', text.replace('"value":66', '"value":66.00'));
  assert.ok((await api.get(r.json.entry[1]?.response.location ?? '')).text.includes('"value":66.00'));
});

test('transaction: return=representation gives the resources to who may read them', async () => {
  const api = await bench();
  const headers = { prefer: 'return=representation' };
  const sent = bundle('transaction', [post(heartRate())]);
  assert.equal((await api.post('', sent, { headers })).json.entry[0]?.resource.resourceType, 'Observation');
  const as = principal('system/Observation.c');
  assert.equal((await api.post('', sent, { headers, as })).json.entry[0]?.resource, undefined);
});

const wrongs: [what: string, status: number, entry: Entry, place: string][] = [
  ['no entry', 400, null, 'Bundle.entry[1]'],
  ['no request', 400, { resource: patient() }, 'Bundle.entry[1]'],
  ['an invalid resource', 422, post({ resourceType: 'Observation', status: 'final' }), 'Bundle.entry[1].resource'],
  ['an unknown type', 404, post({ resourceType: 'Patience' }), 'Bundle.entry[1]'],
  [
    'a type that differs from the url',
    400,
    post(patient(), undefined, { url: 'Device' }),
    'Bundle.entry[1].resource.resourceType',
  ],
  ['an id that differs from the url', 400, put('Patient/a', patient({ id: 'b' })), 'Bundle.entry[1].resource.id'],
  ['no resource', 400, ask('POST', 'Patient'), 'Bundle.entry[1]'],
  ['a method that is none', 400, ask('BREW', 'Patient'), 'Bundle.entry[1]'],
  ['a misspelt condition', 400, post(patient(), undefined, { ifNoneExists: 'identifier=1' }), 'Bundle.entry[1]'],
  [
    'a stale ifMatch',
    412,
    put('Patient/there', patient({ id: 'there', gender: 'male' }), { ifMatch: 'W/"9"' }),
    'Bundle.entry[1]',
  ],
  ['a malformed ifMatch', 400, put('Patient/there', patient({ id: 'there' }), { ifMatch: '1' }), 'Bundle.entry[1]'],
  [
    'an unknown parameter in a condition',
    400,
    post(patient(), undefined, { ifNoneExist: 'nope=1' }),
    'Bundle.entry[1]',
  ],
  ['another server', 400, ask('GET', 'https://other.example/fhir/Patient/1'), 'Bundle.entry[1]'],
  ['a server that only begins like this one', 400, ask('GET', `${BASE}x/Patient/1`), 'Bundle.entry[1]'],
  ['a path that climbs', 400, ask('GET', 'Patient/../../metadata'), 'Bundle.entry[1]'],
  ['a path that climbs in code', 400, ask('GET', 'Patient/%2e%2e/metadata'), 'Bundle.entry[1]'],
  ['a Bundle within', 404, { ...ask('POST', ''), resource: bundle('batch', []) }, 'Bundle.entry[1]'],
  ['a read of nothing', 404, ask('GET', 'Patient/none'), 'Bundle.entry[1]'],
  ['a patch of nothing', 404, ask('PATCH', 'Patient/none'), 'Bundle.entry[1]'],
  [
    'a conditional reference to none',
    412,
    post(heartRate({ subject: { reference: 'Patient?identifier=none' } })),
    'Bundle.entry[1]',
  ],
];

test('transaction: whatever is wrong with one entry, nothing of it is stored, and the place is named', async () => {
  for (const [what, status, entry, place] of wrongs) {
    const api = await bench();
    await api.put('Patient/there', patient({ id: 'there' }));
    const r = await transaction(api, post(heartRate()), entry);
    assert.equal(r.status, status, `${what}: ${r.text}`);
    const expression = r.json.issue[0]?.expression[0] ?? '';
    assert.ok(expression === place || expression.startsWith(`${place}.`), `${what}: ${expression}`);
    assert.equal(await count(api, 'Observation'), 0, what);
  }
});

test('transaction: one denial refuses the whole, before anything is looked up', async () => {
  const api = await bench();
  const as = principal('system/Observation.cruds');
  const sent = bundle('transaction', [post(heartRate()), ask('DELETE', 'Patient/x')]);
  const r = await api.post('', sent, { as });
  assert.deepEqual([r.status, r.json.issue[0]?.code], [403, 'forbidden']);
  assert.equal(
    (await api.post('', bundle('transaction', [post(heartRate()), ask('GET', 'Patient/x')]), { as })).status,
    403,
  );
  const inside = principal('patient/Observation.cruds', { patient: 'p' });
  const outside = [post(heartRate({ subject: { reference: 'Patient/p' } })), post(heartRate())];
  assert.equal((await api.post('', bundle('transaction', outside), { as: inside })).status, 403);
  assert.equal(await count(api, 'Observation'), 0);
});

test('transaction: deletes, creates, updates and reads together; reads see what was written', async () => {
  const api = await bench();
  const [a, b] = [await api.add(patient()), await api.add(patient())];
  const r = await transaction(
    api,
    ask('GET', `Patient/${a.id}`),
    put(a.ref, patient({ id: a.id, gender: 'male' })),
    post(patient({ gender: 'other' })),
    ask('DELETE', b.ref),
    ask('DELETE', 'Patient/never'),
    ask('GET', 'Patient?gender=other'),
    put('Patient/new', patient({ id: 'new' })),
    ask('GET', 'Patient/new'),
  );
  assert.equal(statuses(r), '200 200 201 204 204 200 201 200', r.text);
  assert.equal(r.json.entry[0]?.resource.meta.versionId, '2');
  assert.equal(r.json.entry[5]?.resource.entry.length, 1);
  assert.equal(r.json.entry[7]?.resource.id, 'new');
  assert.equal((await api.get(b.ref)).status, 410);
});

test('transaction: one resource twice is refused', async () => {
  const api = await bench();
  const { id, ref } = await api.add(patient({ identifier: [{ value: 'x' }] }));
  for (const twice of [
    [put(ref, patient({ id })), put(ref, patient({ id }))],
    [put(ref, patient({ id })), ask('DELETE', ref)],
    [put(ref, patient({ id })), put('Patient?identifier=x', patient())],
  ])
    assert.equal((await transaction(api, ...twice)).status, 400);
  assert.equal((await api.get(ref)).json.meta.versionId, '1');
});

test('transaction: conditional creates find, make, and mean one resource however often they are said', async () => {
  const api = await bench();
  const there = await api.add(patient({ identifier: [{ value: 'old' }] }));
  const entries = [
    post(patient({ identifier: [{ value: 'old' }] }), U1, { ifNoneExist: 'identifier=old' }),
    post(patient({ identifier: [{ value: 'new' }] }), U2, { ifNoneExist: 'identifier=new' }),
    post(patient({ identifier: [{ value: 'new' }] }), undefined, { ifNoneExist: 'identifier=new' }),
    post(heartRate({ subject: { reference: U1 }, performer: [{ reference: U2 }] })),
  ];
  const r = await transaction(api, ...entries);
  assert.equal(statuses(r), '200 201 200 201', r.text);
  assert.equal(r.json.entry[2]?.response.location, r.json.entry[1]?.response.location);
  const o = (await api.get(r.json.entry[3]?.response.location ?? '')).json;
  assert.deepEqual(o['subject'], { reference: there.ref });
  assert.equal(await count(api, 'Patient'), 2);
  assert.equal(statuses(await transaction(api, ...entries)), '200 200 200 201', 'sent again');
  assert.equal(await count(api, 'Patient'), 2);
});

test('transaction: who is faster with the same conditional create wins, the whole is decided again', async () => {
  const api = await bench();
  api.store.beforeCommit(async () => void (await api.add(patient({ identifier: [{ value: 'x' }] }))));
  const r = await transaction(
    api,
    post(patient({ identifier: [{ value: 'x' }] }), U1, { ifNoneExist: 'identifier=x' }),
    post(heartRate({ subject: { reference: U1 } })),
  );
  assert.equal(statuses(r), '200 201');
  assert.equal(await count(api, 'Patient'), 1);
  const found = ids(await api.get('Patient?identifier=x'))[0];
  assert.equal(ids(await api.get(`Observation?subject=Patient/${found}`)).length, 1);
});

test('transaction: ten at once with the same conditional create make one', async () => {
  const api = await bench();
  const one = () =>
    transaction(
      api,
      post(patient({ identifier: [{ value: 'x' }] }), U1, { ifNoneExist: 'identifier=x' }),
      post(heartRate({ subject: { reference: U1 } })),
    );
  const all = await Promise.all(Array.from({ length: 10 }, one));
  assert.deepEqual([...new Set(all.map((r) => r.status))], [200]);
  assert.deepEqual([await count(api, 'Patient'), await count(api, 'Observation')], [1, 10]);
});

test('transaction: thirty at once that update the same resources in different order all hold', async () => {
  const api = await bench();
  const [a, b] = [await api.add(patient()), await api.add(patient())];
  const one = (n: number) => {
    const entries = [a, b].map(({ id, ref }) => put(ref, patient({ id, birthDate: `19${10 + n}-01-01` })));
    return transaction(api, ...(n % 2 ? entries : entries.reverse()));
  };
  const all = await Promise.all(Array.from({ length: 30 }, (_, n) => one(n)));
  assert.deepEqual([...new Set(all.map((r) => r.status))], [200]);
  for (const { ref } of [a, b]) assert.equal((await api.get(ref)).json.meta.versionId, '31');
});

test('transaction: conditional references', async () => {
  const api = await bench();
  const { ref } = await api.add(patient({ identifier: [{ value: 'x' }] }));
  const one = post(heartRate({ subject: { reference: 'Patient?identifier=x' } }));
  const r = await transaction(api, one);
  assert.deepEqual((await api.get(r.json.entry[0]?.response.location ?? '')).json['subject'], { reference: ref });
  const as = principal('system/Observation.cruds');
  assert.equal((await api.post('', bundle('transaction', [one]), { as })).status, 403, 'it takes the right to search');
  await api.add(patient({ identifier: [{ value: 'x' }] }));
  assert.equal((await transaction(api, one)).status, 412);
});

test('transaction: conditional update, delete and patch', async () => {
  const api = await bench();
  const a = await api.add(patient({ identifier: [{ value: 'a' }] }));
  const b = await api.add(patient({ identifier: [{ value: 'b' }] }));
  const c = await api.add(patient({ identifier: [{ value: 'c' }] }));
  const ops = Buffer.from('[{"op":"add","path":"/gender","value":"other"}]').toString('base64');
  const binary = { resourceType: 'Binary', contentType: 'application/json-patch+json', data: ops };
  const r = await transaction(
    api,
    put('Patient?identifier=a', patient({ identifier: [{ value: 'a' }], gender: 'male' })),
    put('Patient?identifier=n', patient({ identifier: [{ value: 'n' }] })),
    ask('DELETE', 'Patient?identifier=b'),
    { ...ask('PATCH', c.ref), resource: binary },
  );
  assert.equal(statuses(r), '200 201 204 200', r.text);
  assert.equal((await api.get(a.ref)).json['gender'], 'male');
  assert.equal((await api.get(b.ref)).status, 410);
  assert.equal((await api.get(c.ref)).json['gender'], 'other');
});

test('rules see the neighbours in a transaction, and their text is what is stored', async () => {
  const seen: (number | undefined)[] = [];
  const done: string[] = [];
  const api = await bench({
    rules: [
      {
        type: 'Basic',
        check: ({ alongside, text }) => {
          seen.push(alongside?.length);
          return { text: text.replace('"x"', '"y"'), batch: { touches: ['basic'] } };
        },
        committed: ({ id, text }) => void done.push(`${id} ${text.includes('"y"')}`),
      },
    ],
  });
  const basic = { resourceType: 'Basic', code: { text: 'x' } };
  const r = await transaction(api, post(basic), post(patient()), post(basic));
  assert.deepEqual(seen, [3, 3]);
  assert.equal(done.length, 2);
  assert.ok(done.every((each) => each.endsWith('true')));
  assert.deepEqual((await api.get(r.json.entry[0]?.response.location ?? '')).json['code'], { text: 'y' });
  assert.equal(await api.store.guard('basic'), 1);
});

test('batch: each entry for itself, reads too', async () => {
  const api = await bench();
  const p = await api.add(patient());
  const r = await batch(
    api,
    post({ resourceType: 'Observation', status: 'final' }),
    post(patient()),
    ask('GET', p.ref),
    ask('GET', 'Patient/absent'),
    ask('GET', `${BASE}/${p.ref}`),
    ask('GET', 'https://other.example/fhir/Patient/1'),
    null,
    ask('DELETE', 'Patient/never'),
    ask('GET', 'metadata'),
    { ...ask('POST', ''), resource: bundle('batch', []) },
    put(p.ref, patient({ id: p.id, gender: 'male' }), { ifMatch: 'W/"8"' }),
  );
  assert.deepEqual([r.json.type, statuses(r)], ['batch-response', '422 201 200 404 200 400 400 204 200 400 412']);
  assert.equal(r.json.entry[0]?.response.outcome.issue[0]?.expression[0]?.startsWith('Bundle.entry[0].resource'), true);
  assert.deepEqual([r.json.entry[1]?.response.etag, r.json.entry[1]?.resource], ['W/"1"', undefined]);
  assert.equal(r.json.entry[2]?.resource.id, p.id);
  assert.equal(await count(api, 'Patient'), 2);
});

test('batch: each entry is authorised on its own', async () => {
  const api = await bench();
  const p = await api.add(patient());
  const as = principal('system/Observation.cruds');
  const r = await api.post('', bundle('batch', [post(heartRate()), ask('GET', p.ref)]), { as });
  assert.equal(statuses(r), '201 403');
});

test('batch: the same conditional create fifty times makes one', async () => {
  const api = await bench();
  const one = post(patient({ identifier: [{ value: 'x' }] }), undefined, { ifNoneExist: 'identifier=x' });
  const r = await batch(api, ...Array.from({ length: 50 }, () => one));
  assert.equal(
    statuses(r)
      .split(' ')
      .filter((s) => s === '201').length,
    1,
  );
  assert.equal(await count(api, 'Patient'), 1);
});

test('a Bundle that is neither, too long, or no list is refused', async () => {
  const api = await bench({ limits: { bundleEntriesMax: 3 } });
  assert.equal((await api.post('', bundle('collection', []))).status, 400);
  assert.equal((await api.post('', patient())).status, 400);
  assert.equal((await api.post('', { resourceType: 'Bundle', type: 'batch', entry: {} })).status, 400);
  assert.equal((await batch(api, ...Array.from({ length: 4 }, () => ask('GET', 'metadata')))).status, 400);
  assert.equal((await batch(api)).status, 200);
  assert.equal((await transaction(api)).status, 200);
});
