/** The CapabilityStatement is a valid resource and claims what is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceTypes } from '../../src/fhir/definitions.ts';
import { validate } from '../../src/fhir/validate.ts';
import { bench } from './support/bench.ts';

interface Claimed {
  type: string;
  interaction: { code: string }[];
  searchParam: { name: string; type: string }[];
  searchInclude?: string[];
  searchRevInclude?: string[];
  operation?: { name: string; definition: string }[];
  supportedProfile?: string[];
  extension?: { url: string; valueCanonical: string }[];
  conditionalDelete: string;
}
interface Rest {
  mode: string;
  security: { service: { coding: { code: string }[] }[]; extension: { extension: { url: string }[] }[] };
  resource: Claimed[];
  interaction: { code: string }[];
}

const IG = 'http://hl7.org/fhir/uv/subscriptions-backport';
const api = await bench({
  topics: ['https://w3id.org/vitalwire/SubscriptionTopic/new-reading'],
  operations: [
    {
      name: 'status',
      definition: `${IG}/OperationDefinition/backport-subscription-status`,
      type: 'Subscription',
      levels: ['instance'],
      methods: ['GET'],
      handle: async () => ({ status: 200 }),
    },
  ],
});
const read = async () => {
  const { json } = await api.get('metadata');
  const [rest] = json['rest'] as Rest[];
  return { json, rest: rest as Rest, of: (type: string) => rest?.resource.find((r) => r.type === type) as Claimed };
};

test('it is valid and says the version, the software and where it is', async () => {
  const { json, rest } = await read();
  assert.deepEqual(validate(json as unknown as Record<string, unknown>), []);
  assert.deepEqual([json['fhirVersion'], json['kind'], rest.mode], ['4.0.1', 'instance', 'server']);
  assert.deepEqual(json['software'], { name: 'Vitalwire', version: '1.2.3' });
  assert.ok(json['instantiates'], 'the backport server');
});

test('every type is there with its interactions; AuditEvents are only read', async () => {
  const { rest, of } = await read();
  assert.deepEqual(
    rest.resource.map((r) => r.type),
    resourceTypes(),
  );
  const codes = (type: string): string[] => of(type).interaction.map((i) => i.code);
  for (const code of ['read', 'vread', 'update', 'create', 'search-type', 'patch', 'delete', 'history-instance'])
    assert.ok(codes('Device').includes(code), code);
  assert.ok(!codes('AuditEvent').some((code) => ['create', 'update', 'patch', 'delete'].includes(code)));
  assert.deepEqual(rest.interaction.map((i) => i.code).sort(), ['batch', 'history-system', 'transaction']);
  assert.equal(of('Patient').conditionalDelete, 'single');
});

test('each claimed search parameter and include is taken', async () => {
  const { of } = await read();
  const strict = { headers: { prefer: 'handling=strict' } };
  const observation = of('Observation');
  for (const include of observation.searchInclude ?? []) {
    const r = await api.get(`Observation?_include=${include}`, strict);
    assert.equal(r.status, 200, `${include} ${r.text}`);
  }
  for (const revinclude of of('Patient').searchRevInclude ?? [])
    assert.equal((await api.get(`Patient?_revinclude=${revinclude}`, strict)).status, 200, revinclude);
  for (const { name, type } of observation.searchParam) {
    if (type === 'composite') continue;
    const r = await api.get(`Observation?${name}:missing=false`, strict);
    assert.ok(r.status === 200 || name === '_id' || name === '_lastUpdated', `${name} ${r.text}`);
  }
});

test('what cannot be evaluated is not claimed', async () => {
  const { of } = await read();
  const strict = { headers: { prefer: 'handling=strict' } };
  assert.equal((await api.get('Location?near=47.5|19.0|3|km', strict)).status, 400);
  assert.ok(!of('Location').searchParam.some((p) => p.name === 'near'));
});

test('Subscriptions: profile, topics, operation; SMART service and addresses', async () => {
  const { rest, of } = await read();
  const s = of('Subscription');
  assert.deepEqual(s.supportedProfile, [`${IG}/StructureDefinition/backport-subscription`]);
  assert.equal(s.extension?.[0]?.valueCanonical, 'https://w3id.org/vitalwire/SubscriptionTopic/new-reading');
  assert.deepEqual(s.operation, [
    { name: '$status', definition: `${IG}/OperationDefinition/backport-subscription-status` },
  ]);
  assert.ok(['url', 'status'].every((name) => s.searchParam.some((p) => p.name === name)));
  assert.equal(rest.security.service[0]?.coding[0]?.code, 'SMART-on-FHIR');
  assert.deepEqual(
    rest.security.extension[0]?.extension.map((e) => e.url),
    ['authorize', 'token'],
  );
});
