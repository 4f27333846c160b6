/** Accepting, refusing, adjusting and showing Subscriptions. subscriptions-backport "Accepting", CONTRACT §7. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Principal } from '../../src/access/principal.ts';
import { isAdministrator, parseScopes } from '../../src/access/scopes.ts';
import { VitalwireError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { createSealer } from '../../src/base/secret.ts';
import type { Method, Stored } from '../../src/store/store.ts';
import { OWNER_SYSTEM } from '../../src/subscriptions/names.ts';
import { subscriptionRule } from '../../src/subscriptions/rule.ts';
import { createDocDisk } from '../support/doc-store.ts';

const IG = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-';
const TOPIC = 'https://w3id.org/vitalwire/SubscriptionTopic/new-reading';
const FEED = 'http://hl7.org/fhir/us/core/SubscriptionTopic/patient-data-feed';
const clock = { now: () => 1_800_000_000_000 };
const client = (clientId: string, scopeText: string): Principal => {
  const scopes = parseScopes(scopeText);
  return Object.freeze({ clientId, scopes, scopeText, admin: isAdministrator(scopes) });
};
const ehr = client('ehr', 'system/Subscription.cruds system/Observation.rs');
const admin = client('admin', 'system/*.cruds');

type Json = Record<string, unknown> & { channel: Record<string, unknown>; meta?: { tag?: object[] } };
const ext = (name: string, value: object) => ({ url: IG + name, ...value });
const subscription = (over: object = {}, channel: object = {}): Json => ({
  resourceType: 'Subscription',
  status: 'active',
  reason: 'test',
  criteria: TOPIC,
  channel: {
    type: 'rest-hook',
    endpoint: 'https://ehr.example/hook',
    payload: 'application/fhir+json',
    _payload: { extension: [ext('payload-content', { valueCode: 'id-only' })] },
    ...channel,
  },
  ...over,
});
const filtered = (...texts: string[]) => ({
  _criteria: { extension: texts.map((valueString) => ext('filter-criteria', { valueString })) },
});

/** One rule over one store; writes are stored as the store would. */
function desk(policy = { allowPrivateEndpoints: false, allowInsecureHttp: false }) {
  const store = createDocDisk().open(clock);
  const rule = subscriptionRule({
    store,
    clock,
    limits,
    sealer: createSealer(new Uint8Array(32).fill(1)),
    base: 'https://vitalwire.example/fhir',
    policy: { baseUrl: 'https://vitalwire.example', ...policy },
  });
  let before: Stored | undefined;
  return {
    store,
    rule,
    get stored() {
      return before as Stored;
    },
    async write(resource: Json | undefined, caller: Principal | undefined = ehr): Promise<Json> {
      const method: Method = resource ? (before ? 'PUT' : 'POST') : 'DELETE';
      const text = resource ? JSON.stringify({ ...resource, id: 's1' }) : '';
      const proposed = { method, type: 'Subscription', id: 's1', before, text, caller };
      const outcome = await rule.check(resource ? { ...proposed, resource: JSON.parse(text) as Json } : proposed);
      await store.commit({ docs: outcome?.batch?.docs ?? [] });
      const version = (before?.version ?? 0) + 1;
      const written = { type: 'Subscription', id: 's1', version, lastUpdated: '2026-01-01T00:00:00.000Z', method };
      before = { ...written, deleted: !resource, text: outcome?.text ?? text };
      return JSON.parse(before.text || '{}') as Json;
    },
    shown: async (caller: Principal) => JSON.parse((await rule.present?.(before as Stored, caller)) ?? '') as Json,
  };
}

const refused = async (resource: Json, expression: RegExp, caller = ehr, policy?: Parameters<typeof desk>[0]) =>
  assert.rejects(desk(policy).write(resource, caller), (error: unknown) => {
    assert.ok(error instanceof VitalwireError, String(error));
    assert.equal(error.status, 422);
    const all = (error.options.issues ?? []).flatMap((issue) => issue.expression ?? []);
    assert.ok(
      all.some((e) => expression.test(e)),
      `${all.join(' ')}: ${error.message}`,
    );
    return true;
  });

test('a new one is `requested` whatever was sent, and carries a tag that nobody is shown or may choose', async () => {
  const d = desk();
  const forged = { meta: { tag: [{ system: OWNER_SYSTEM, code: 'somebody' }, { code: 'mine' }] } };
  const stored = await d.write(subscription(forged));
  assert.equal(stored['status'], 'requested');
  assert.equal(stored.meta?.tag?.length, 2);
  assert.ok(!JSON.stringify(stored).includes('somebody'));
  for (const caller of [ehr, admin]) assert.deepEqual((await d.shown(caller)).meta, { tag: [{ code: 'mine' }] });
});

test('every refusal names its element', async () => {
  const cases: [string, Json, RegExp][] = [
    ['unknown topic', subscription({ criteria: `${TOPIC}s` }), /criteria/],
    ['query', subscription({ criteria: 'Observation?code=8867-4' }), /criteria/],
    ['filter', subscription(filtered('patient=1', 'Observation?mood=good')), /criteria\.extension\[1\]/],
    [
      'foreign',
      subscription({ _criteria: { extension: [{ url: 'http://hl7.org/fhir/5.0/x', valueString: 'a=b' }] } }),
      /criteria/,
    ],
    ['websocket', subscription({}, { type: 'websocket' }), /channel\.type/],
    [
      'custom channel',
      subscription({}, { _type: { extension: [ext('channel-type', { valueCoding: {} })] } }),
      /channel\.type/,
    ],
    ['no endpoint', subscription({}, { endpoint: undefined }), /channel/],
    ['no URL', subscription({}, { endpoint: 'adfdf' }), /endpoint/],
    ['mailto', subscription({}, { endpoint: 'mailto:a@b.example' }), /endpoint/],
    ['http', subscription({}, { endpoint: 'http://ehr.example/hook' }), /endpoint/],
    ['userinfo', subscription({}, { endpoint: 'https://a:b@ehr.example/hook' }), /endpoint/],
    ['itself', subscription({}, { endpoint: 'https://vitalwire.example:443/fhir/Observation' }), /endpoint/],
    ['private', subscription({}, { endpoint: 'https://169.254.169.254/latest' }), /endpoint/],
    ['private in IPv6', subscription({}, { endpoint: 'https://[::ffff:10.0.0.1]/' }), /endpoint/],
    ['no payload', subscription({}, { payload: undefined }), /channel/],
    ['css', subscription({}, { payload: 'text/css' }), /payload/],
    ['xml', subscription({}, { payload: 'application/fhir+xml' }), /payload/],
    ['R5', subscription({}, { payload: 'application/fhir+json; fhirVersion=5.0' }), /payload/],
    ['no content', subscription({}, { _payload: undefined }), /payload/],
    [
      'content',
      subscription({}, { _payload: { extension: [ext('payload-content', { valueCode: 'all' })] } }),
      /payload/,
    ],
    ['header', subscription({}, { header: ['X-A: 1', 'Host: x'] }), /header\[1\]/],
    ['hidden header', subscription({}, { header: ['X-A: ********'] }), /header/],
    [
      'timeout as text',
      subscription({}, { extension: [ext('timeout', { valueString: '5' })] }),
      /channel\.extension\[0\]/,
    ],
    [
      'unknown IG extension',
      subscription({}, { extension: [ext('max-cnt', { valuePositiveInt: 5 })] }),
      /channel\.extension\[0\]/,
    ],
  ];
  for (const [name, resource, expression] of cases)
    await refused(resource, expression).catch((error: unknown) => assert.fail(`${name}: ${String(error)}`));
});

test('the server itself is refused by every name of this machine', async () => {
  const open = { allowPrivateEndpoints: true, allowInsecureHttp: true, baseUrl: 'http://127.0.0.1:8080' };
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0'])
    await refused(subscription({}, { endpoint: `http://${host}:8080/fhir` }), /endpoint/, ehr, open);
  await desk(open).write(subscription({}, { endpoint: 'http://127.0.0.1:8081/hook' }));
});

test('accepted are fhirVersion 4.0, a charset, other people’s extensions and the cross-version identifier', async () => {
  await desk().write(subscription({}, { payload: 'application/fhir+json; fhirVersion=4.0; charset=utf-8' }));
  await desk().write(subscription({}, { extension: [{ url: 'http://hapifhir.io/fhir/x', valueInteger: 1 }] }));
  const identifier = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Subscription.identifier';
  await desk().write(subscription({ extension: [{ url: identifier, valueIdentifier: { value: '1' } }] }));
});

test('numbers outside their limits are moved to the limit', async () => {
  const sent = (heartbeat: number, timeout: number, max: number) => [
    ext('heartbeat-period', { valueUnsignedInt: heartbeat }),
    ext('timeout', { valueUnsignedInt: timeout }),
    ext('max-count', { valuePositiveInt: max }),
  ];
  const numbers = async (...n: [number, number, number]) =>
    (
      (await desk().write(subscription({}, { extension: sent(...n) }))).channel['extension'] as Record<string, number>[]
    ).map((e) => e['valueUnsignedInt'] ?? e['valuePositiveInt']);
  assert.deepEqual(await numbers(1, 600, 5000), [5, 60, 1000]);
  assert.deepEqual(await numbers(0, 0, 1), [5, 1, 1]);
  assert.deepEqual(await numbers(90, 7, 3), [90, 7, 3]);
});

test('403 for who may not read and search each type that is told of', async () => {
  const forbidden = (caller: Principal, resource = subscription()) =>
    assert.rejects(desk().write(resource, caller), (error: unknown) => (error as VitalwireError).status === 403);
  await forbidden(client('blind', 'system/Subscription.cruds system/Patient.rs'));
  await forbidden(client('r', 'system/Subscription.cruds system/Observation.r'));
  await forbidden(client('s', 'system/Subscription.cruds system/Observation.s'));
  await forbidden(ehr, subscription({ criteria: FEED }));
  await desk().write(subscription({ criteria: FEED, ...filtered('Observation?patient=1') }), ehr);
});

test('a client asks or stops; whether it works is for the server to say', async () => {
  const d = desk();
  const put = async (status: string, over: object = {}, was?: string): Promise<unknown> => {
    if (was) Object.assign(d.stored, { text: JSON.stringify({ ...(JSON.parse(d.stored.text) as Json), status: was }) });
    return (await d.write(subscription({ status }, over)))['status'];
  };
  await d.write(subscription());
  assert.equal(await put('active', {}, 'requested'), 'requested');
  assert.equal(await put('active', {}, 'active'), 'active');
  assert.equal(await put('error', {}, 'active'), 'active');
  assert.equal(await put('requested', {}, 'active'), 'requested');
  assert.equal(await put('active', {}, 'error'), 'requested');
  assert.equal(await put('error', {}, 'error'), 'error');
  assert.equal(await put('off', {}, 'active'), 'off');
  assert.equal(await put('active', {}, 'off'), 'requested');
  assert.equal(await put('error', {}, 'off'), 'off');
  assert.equal(await put('active', { endpoint: 'https://other.example/' }, 'active'), 'requested', 'a new endpoint');
  assert.equal(await put('active', { endpoint: 'https://other.example/', header: ['X-A: 1'] }, 'active'), 'requested');
  assert.equal(await put('active', { endpoint: 'https://other.example/', header: ['X-A: 1'] }, 'active'), 'active');
});

test('why it fails is for the server to say, as long as it does', async () => {
  const d = desk();
  assert.equal((await d.write(subscription({ error: 'I say' })))['error'], undefined);
  const failing = { ...(JSON.parse(d.stored.text) as Json), status: 'error', error: 'no answer' };
  Object.assign(d.stored, { text: JSON.stringify(failing) });
  assert.equal((await d.write(subscription({ status: 'error' })))['error'], 'no answer');
  assert.equal((await d.write(subscription({ status: 'requested', error: 'no answer' })))['error'], undefined);
});

test('header values are for their client alone, and survive an update by an administrator who cannot see them', async () => {
  const d = desk();
  const stored = await d.write(subscription({}, { header: ['X-Secret: abracadabra'] }));
  assert.ok(!JSON.stringify(stored).includes('abracadabra'));
  assert.deepEqual((await d.shown(ehr)).channel['header'], ['X-Secret: abracadabra']);
  const seen = await d.shown(admin);
  assert.deepEqual(seen.channel['header'], ['X-Secret: ********']);
  await d.write({ ...seen, reason: 'changed' }, admin);
  const mine = await d.shown(ehr);
  assert.deepEqual([mine['reason'], mine.channel['header']], ['changed', ['X-Secret: abracadabra']]);
  assert.deepEqual((await d.shown(admin)).channel['header'], ['X-Secret: ********'], 'the owner is who created it');
  const old = d.stored;
  await d.write(undefined, ehr);
  assert.equal(await d.store.doc('sub-secret', 's1'), undefined);
  assert.equal(await d.store.doc('sub-owner', 's1'), undefined);
  assert.ok(!(await d.rule.present?.(old, ehr))?.includes('abracadabra'));
});

test('seen by its client and administrators', () => {
  const { rule } = desk();
  assert.equal(rule.visibility?.(admin), undefined);
  assert.notDeepEqual(rule.visibility?.(ehr), rule.visibility?.(client('other', 'system/Subscription.rs')));
});

test('the US Core feed is stored without what it cannot evaluate, as error, until its client agrees', async () => {
  const d = desk();
  const feed = subscription({ criteria: FEED, ...filtered('Observation?patient=1&mood=good', 'CareTeam?patient=1') });
  const stored = await d.write(feed);
  assert.equal(stored['status'], 'error');
  assert.match(String(stored['error']), /mood/);
  assert.deepEqual(stored['_criteria'], filtered('Observation?patient=1')._criteria);
  assert.equal((await d.write({ ...(await d.shown(ehr)), status: 'requested' }))['status'], 'requested');
  await refused(subscription({ criteria: FEED, ...filtered('CareTeam?patient=1') }), /criteria/);
});
