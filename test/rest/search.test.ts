/** Search results: the Bundle, its links, what is included, and what is left out for want of a right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, BASE, type Bench, bench, heartRate, ids, patient, principal } from './support/bench.ts';

const link = (r: Answer, relation: string): string | undefined =>
  r.json.link.find((each) => each.relation === relation)?.url;
const mode = (r: Answer, wanted: string): string[] =>
  (r.json.entry ?? [])
    .filter((e) => e.search.mode === wanted)
    .map((e) => e.resource.id)
    .sort();

async function ward(api: Bench, n = 3) {
  const p = await api.add(patient());
  const all = [];
  for (let i = 0; i < n; i++)
    all.push(
      await api.add(
        heartRate({
          subject: { reference: p.ref },
          effectiveDateTime: `2026-04-02T10:0${i}:00Z`,
          device: { reference: 'Device/d' },
        }),
      ),
    );
  return { p, all };
}

test('a searchset: self, fullUrl, mode match, no total unless asked', async () => {
  const api = await bench();
  const { p, all } = await ward(api);
  const r = await api.get(`Observation?subject=${p.ref}`);
  assert.deepEqual([r.status, r.json.resourceType, r.json.type, r.json.total], [200, 'Bundle', 'searchset', undefined]);
  assert.equal(link(r, 'self'), `${BASE}/Observation?subject=${p.ref}`);
  assert.deepEqual(ids(r), all.map((o) => o.id).reverse(), 'newest first');
  for (const e of r.json.entry) assert.equal(e.fullUrl, `${BASE}/Observation/${e.resource.id}`);
  assert.equal((await api.get(`Observation?subject=${p.ref}&_total=accurate`)).json.total, 3);
  const none = await api.get('Observation?subject=Patient/none');
  assert.ok(!('entry' in none.json), 'FHIR has no empty lists');
});

test('_summary=count and _count=0 only count', async () => {
  const api = await bench();
  await ward(api);
  for (const q of ['_summary=count', '_count=0']) {
    const r = await api.get(`Observation?${q}`);
    assert.deepEqual([r.json.total, 'entry' in r.json, link(r, 'next')], [3, false, undefined], q);
  }
});

test('next leads to the end, each once, and belongs to one token and one search', async () => {
  const api = await bench();
  const { all } = await ward(api, 7);
  const seen: string[] = [];
  let url: string | undefined = 'Observation?_count=3';
  let first: string | undefined;
  for (let n = 0; url && n < 5; n++) {
    const r: Answer = await api.get(url);
    seen.push(...ids(r));
    url = link(r, 'next');
    first ??= url;
  }
  assert.deepEqual(seen, all.map((o) => o.id).reverse());
  assert.match(first ?? '', /^https:/);
  const other = principal('system/Observation.rs', { clientId: 'other' });
  assert.equal((await api.get(first ?? '', { as: other })).status, 404);
  assert.equal((await api.get('Patient?_cursor=abc')).status, 400);
});

test('POST _search is the same; another media type is 415', async () => {
  const api = await bench();
  const { p, all } = await ward(api);
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  const r = await api.post('Observation/_search?_count=2', `subject=${encodeURIComponent(p.ref)}`, form);
  assert.deepEqual(
    ids(r),
    all
      .slice(1)
      .map((o) => o.id)
      .reverse(),
  );
  assert.equal((await api.post('Observation/_search', '{}')).status, 415);
  const long = await api.post('Observation/_search', `_id=${'x,'.repeat(200_000)}`, form);
  assert.equal(long.status, 413);
});

test('what is not understood is said in the Bundle, or refused when strict', async () => {
  const api = await bench();
  await ward(api);
  const r = await api.get('Patient?no-such=1');
  assert.deepEqual([r.status, ids(r).length, mode(r, 'outcome').length], [200, 1, 1]);
  assert.ok(r.text.includes('no-such'));
  assert.ok(!link(r, 'self')?.includes('no-such'));
  assert.equal(mode(await api.get('Patient?_count=5'), 'outcome').length, 0);
  const strict = { headers: { prefer: 'handling=strict' } };
  assert.equal((await api.get('Patient?no-such=1', strict)).status, 400);
  assert.equal((await api.get('Patient?gender:exactly=male')).status, 400);
});

test('_include and _revinclude, each once', async () => {
  const api = await bench();
  const { p, all } = await ward(api);
  const a = await api.get(`Observation?subject=${p.ref}&_include=Observation:subject`);
  assert.deepEqual([mode(a, 'match').length, mode(a, 'include')], [3, [p.id]]);
  const b = await api.get(`Patient?_id=${p.id}&_revinclude=Observation:subject`);
  assert.deepEqual([mode(b, 'match'), mode(b, 'include')], [[p.id], all.map((o) => o.id).sort()]);
  const star = await api.get(`Observation?_id=${all[0]?.id}&_include=*`);
  assert.deepEqual(mode(star, 'include'), [p.id]);
  const other = await api.get(`Observation?_id=${all[0]?.id}&_include=Observation:subject:Group`);
  assert.deepEqual(mode(other, 'include'), []);
});

test(':iterate goes on from what was included, and ends', async () => {
  const api = await bench({ limits: { includeRoundsMax: 3 } });
  const parts: string[] = [];
  for (let i = 0; i < 3; i++) {
    const partOf = parts.at(-1);
    const o = await api.add({
      resourceType: 'Organization',
      name: `o${i}`,
      ...(partOf && { partOf: { reference: `Organization/${partOf}` } }),
    });
    parts.push(o.id);
  }
  const q = `Organization?_id=${parts[2]}&_include`;
  assert.deepEqual(mode(await api.get(`${q}=Organization:partof`), 'include'), [parts[1]]);
  assert.deepEqual(mode(await api.get(`${q}:iterate=Organization:partof`), 'include'), [parts[0], parts[1]].sort());
  const ring = await api.add({ resourceType: 'Organization', name: 'ring' });
  await api.put(ring.ref, { resourceType: 'Organization', id: ring.id, name: 'ring', partOf: { reference: ring.ref } });
  const r = await api.get(`Organization?_id=${ring.id}&_include:iterate=Organization:partof`);
  assert.deepEqual([mode(r, 'match'), mode(r, 'include')], [[ring.id], []]);
});

test('what is included is authorised on its own: absent without a scope for it, and only what that scope shows', async () => {
  const api = await bench();
  const { p } = await ward(api);
  const stranger = await api.add(patient());
  await api.add(heartRate({ subject: { reference: p.ref }, performer: [{ reference: stranger.ref }] }));
  const q = `Observation?subject=${p.ref}&_include=Observation:subject&_include=Observation:performer`;
  const narrow = await api.get(q, { as: principal('system/Observation.rs') });
  assert.deepEqual([narrow.status, mode(narrow, 'include'), mode(narrow, 'match').length], [200, [], 4]);
  const own = await api.get(q, { as: principal('patient/*.rs', { patient: p.id }) });
  assert.deepEqual(mode(own, 'include'), [p.id], 'not the performer, who is another patient');
  const back = `Patient?_id=${p.id}&_revinclude=Observation:subject`;
  assert.deepEqual(mode(await api.get(back, { as: principal('system/Patient.rs') }), 'include'), []);
});

test('too many includes are cut, and that is said', async () => {
  const api = await bench({ limits: { includeEntriesMax: 2 } });
  const { p } = await ward(api, 4);
  const r = await api.get(`Patient?_id=${p.id}&_revinclude=Observation:subject`);
  assert.deepEqual([mode(r, 'include').length, mode(r, 'outcome').length], [2, 1]);
});

test('a search without the s letter is 403; outside the filter it finds nothing', async () => {
  const api = await bench();
  const { p } = await ward(api);
  assert.equal((await api.get(`Observation?subject=${p.ref}`, { as: principal('system/Observation.r') })).status, 403);
  const other = principal('patient/Observation.rs', { patient: 'someone' });
  const r = await api.get(`Observation?subject=${p.ref}&_total=accurate`, { as: other });
  assert.deepEqual([r.status, r.json.total, ids(r)], [200, 0, []]);
});

test('a chain needs the right to search where it leads', async () => {
  const api = await bench();
  await ward(api);
  const as = principal('system/Observation.rs');
  assert.equal((await api.get('Observation?subject:Patient.active=true', { as })).status, 403);
  assert.equal((await api.get('Observation?subject:Patient.active=true')).status, 200);
});

test('_elements and _summary mark what they cut', async () => {
  const api = await bench();
  const { p } = await ward(api, 1);
  for (const q of [`Patient?_id=${p.id}&_elements=gender`, `Patient?_id=${p.id}&_summary=text`]) {
    const [entry] = (await api.get(q)).json.entry;
    assert.equal(entry?.resource['active'], undefined);
    assert.equal(entry?.resource.meta.tag[0]?.code, 'SUBSETTED');
  }
  const read = await api.get(`${p.ref}?_elements=gender`);
  assert.deepEqual([read.json['active'], read.json.id], [undefined, p.id]);
});
