/** Real transaction bundles through POST /fhir, read back from outside, decimals and references intact. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Bundle, Resource } from 'fhir/r4';
import { FhirClient, testClient } from '../support/client.ts';
import { TestServer } from '../support/process.ts';
import { absent, sharedData } from '../support/shared.ts';
import { ADMIN, seedOf } from '../support/ward.ts';

test('all Synthea transaction bundles are stored whole and read back', { timeout: 240_000 }, async (t) => {
  const folder = sharedData('synthea');
  if (folder === undefined) return t.skip(absent('synthea'));
  const admin = testClient('admin', ADMIN);
  const server = await TestServer.start(t, { seed: seedOf([admin], []) });
  const client = new FhirClient(server.base, admin);
  const kit = await client.use();
  for (const file of readdirSync(folder)
    .filter((f) => f.endsWith('.json'))
    .sort()) {
    const text = readFileSync(join(folder, file), 'utf8');
    const sent = JSON.parse(text) as Bundle;
    const answer = (await kit.transaction({ body: sent as never })) as unknown as Bundle;
    assert.equal(answer.type, 'transaction-response');
    assert.equal(answer.entry?.length, sent.entry?.length, file);
    const places = new Map<string, string>();
    answer.entry?.forEach((entry, i) => {
      assert.match(entry.response?.status ?? '', /^20[01]/, `${file} entry ${i}`);
      const type = sent.entry?.[i]?.resource?.resourceType as string;
      const place = new RegExp(`(${type}/[^/]+)/_history/`).exec(entry.response?.location ?? '')?.[1] as string;
      assert.ok(place, `${file} entry ${i} has a location of its type`);
      places.set(sent.entry?.[i]?.fullUrl as string, place);
    });
    await assertReadBack(server, client, sent, places, file);
  }
  const patients = (await kit.search({
    resourceType: 'Patient',
    searchParams: { _summary: 'count' },
  })) as unknown as Bundle;
  assert.equal(patients.total, 6);
});

async function assertReadBack(
  server: TestServer,
  client: FhirClient,
  sent: Bundle,
  places: ReadonlyMap<string, string>,
  file: string,
): Promise<void> {
  const token = await client.token();
  for (const entry of sent.entry ?? []) {
    const place = places.get(entry.fullUrl as string);
    const response = await fetch(`${server.fhir}/${place}`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, 200, `${file} ${place}`);
    const text = await response.text();
    const got = JSON.parse(text) as Resource;
    assert.equal(`${got.resourceType}/${got.id}`, place);
    const { id: _id, meta: _meta, ...want } = entry.resource as Resource & Record<string, unknown>;
    const { id: _gotId, meta: _gotMeta, ...have } = got as Resource & Record<string, unknown>;
    let expected = JSON.stringify(want);
    for (const [urn, target] of places) expected = expected.replaceAll(`"${urn}"`, `"${target}"`);
    // Conditional references are replaced by what they found; everything else is as it was sent.
    const conditional = /"(Practitioner|Organization|Location)\?identifier=[^"]+"/g;
    if (!conditional.test(expected)) assert.deepEqual(have, JSON.parse(expected), `${file} ${place}`);
    assert.ok(!text.includes('"urn:uuid:'), `${file} ${place} has no reference left to resolve`);
  }
}

test('decimals of a transaction keep their digits', { timeout: 60_000 }, async (t) => {
  const admin = testClient('admin', ADMIN);
  const server = await TestServer.start(t, { seed: seedOf([admin], []) });
  const token = await new FhirClient(server.base, admin).token();
  const observation = (value: string): string =>
    `{"fullUrl":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0","resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value},"unit":"x"}},"request":{"method":"POST","url":"Observation"}}`;
  const values = ['37.00', '0.50', '1.0E1', '-0.0310', '123456789012345.67'];
  for (const value of values) {
    const body = `{"resourceType":"Bundle","type":"transaction","entry":[${observation(value)}]}`;
    const response = await fetch(server.fhir, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json', authorization: `Bearer ${token}` },
      body,
    });
    assert.equal(response.status, 200, await response.clone().text());
    const { entry } = (await response.json()) as Bundle;
    const place = entry?.[0]?.response?.location as string;
    const text = await (
      await fetch(place.startsWith('http') ? place : `${server.fhir}/${place}`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).text();
    assert.ok(text.includes(`"value":${value},`), value);
  }
});
