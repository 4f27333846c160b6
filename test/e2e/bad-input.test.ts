/** Every kind of bad input gets its status and its reason, and costs nothing else. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FhirClient, testClient } from '../support/client.ts';
import { TestServer } from '../support/process.ts';
import { ADMIN, GATEWAY, seedOf, wornBy } from '../support/ward.ts';

const SYSTEM = 'urn:example:bad-input';

async function start(t: TestContext): Promise<{ server: TestServer; admin: string; gateway: string }> {
  const admin = testClient('admin', ADMIN);
  const gateway = testClient('gateway', GATEWAY);
  const worn = wornBy('p1', [{ id: 'd1', system: SYSTEM, serial: 'worn' }]);
  const lonely = { resourceType: 'Device', id: 'd2', identifier: [{ system: SYSTEM, value: 'lonely' }] };
  const server = await TestServer.start(t, {
    seed: seedOf([admin, gateway], [...worn, lonely, { resourceType: 'Patient', id: 'p2' }]),
  });
  return {
    server,
    admin: await new FhirClient(server.base, admin).token(),
    gateway: await new FhirClient(server.base, gateway).token(),
  };
}

test('FHIR: each broken request has its own status and an OperationOutcome', { timeout: 60_000 }, async (t) => {
  const { server, admin } = await start(t);
  const post = (path: string, body: string, type = 'application/fhir+json'): Promise<Response> =>
    fetch(`${server.fhir}${path}`, {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${admin}` },
      body,
    });
  const deep = `{"resourceType":"Patient","extension":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
  const cases: [string, () => Promise<Response>, number[]][] = [
    ['malformed JSON', () => post('/Patient', '{"resourceType":'), [400]],
    ['a name twice', () => post('/Patient', '{"resourceType":"Patient","active":true,"active":false}'), [400]],
    ['wrong content type', () => post('/Patient', '<Patient/>', 'text/plain'), [415]],
    ['unknown type', () => post('/Patience', '{"resourceType":"Patience"}'), [404]],
    ['over the limit', () => post('/Patient', `{"resourceType":"Patient","id":"${'x'.repeat(33 * 2 ** 20)}"}`), [413]],
    ['10,000 levels', () => post('/Patient', deep), [400]],
    ['unknown element', () => post('/Patient', '{"resourceType":"Patient","shoeSize":43}'), [422]],
    ['no token', () => fetch(`${server.fhir}/Patient/p1`), [401]],
  ];
  for (const [name, send, statuses] of cases) {
    const response = await send();
    const text = await response.text();
    assert.ok(statuses.includes(response.status), `${name}: ${response.status} ${text}`);
    const outcome = JSON.parse(text) as {
      resourceType: string;
      issue: { code: string; details?: { text: string }; diagnostics?: string }[];
    };
    assert.equal(outcome.resourceType, 'OperationOutcome', name);
    assert.ok(
      (outcome.issue[0]?.details?.text ?? outcome.issue[0]?.diagnostics ?? '').length > 10,
      `${name}: a sentence`,
    );
  }
  assert.equal((await fetch(`${server.base}/readyz`)).status, 200);
});

test('ingest: each bad reading has its own code, and the good ones of the batch are stored', {
  timeout: 60_000,
}, async (t) => {
  const { server, admin, gateway } = await start(t);
  const reading = (id: string, over: Record<string, unknown> = {}): Record<string, unknown> => ({
    id,
    device: { identifier: [{ system: SYSTEM, value: 'worn' }] },
    kind: 'heart-rate',
    time: '2026-05-06T07:08:09+02:00',
    value: '71',
    unit: '/min',
    ...over,
  });
  const device = (value: string): Record<string, unknown> => ({ device: { identifier: [{ system: SYSTEM, value }] } });
  const cases: [Record<string, unknown>, string, string][] = [
    [reading('unknown unit', { unit: 'furlongs' }), 'rejected', 'unit.unknown'],
    [reading('no unit', { kind: 'body-temperature', value: '37.2', unit: undefined }), 'rejected', 'unit.missing'],
    [reading('impossible', { value: '999' }), 'held', 'value.implausible'],
    [reading('unknown device', device('nobody')), 'held', 'device.unknown'],
    [reading('not worn', device('lonely')), 'held', 'device.unassociated'],
    [reading('wrong patient', { patient: 'Patient/p2' }), 'held', 'device.patient-mismatch'],
    [reading('future', { time: new Date(Date.now() + 3_600_000).toISOString() }), 'held', 'time.future'],
  ];
  const readings = cases.flatMap(([bad], i) => [reading(`good-${i}`), bad]);
  const response = await fetch(`${server.base}/ingest/readings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway}` },
    body: JSON.stringify({ readings }),
  });
  const { results } = (await response.json()) as {
    results: { status: string; issue?: { code: string; details: string } }[];
  };
  cases.forEach(([bad, status, code], i) => {
    assert.equal(results[2 * i]?.status, 'stored', 'the good one beside it');
    const result = results[2 * i + 1];
    assert.equal(result?.status, status, String(bad['id']));
    assert.equal(result?.issue?.code, code, String(bad['id']));
    assert.ok((result?.issue?.details ?? '').length > 10, 'a sentence');
  });
  const count = await fetch(`${server.fhir}/Observation?_summary=count`, {
    headers: { authorization: `Bearer ${admin}` },
  });
  assert.equal(((await count.json()) as { total: number }).total, cases.length);
});
