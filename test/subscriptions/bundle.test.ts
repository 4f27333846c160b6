/** Notification Bundles against the examples of the Backport IG, and to the letter of its payload rules. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { notificationBundle, type StatusInput, statusParameters } from '../../src/subscriptions/bundle.ts';
import { absent, sharedData } from '../support/shared.ts';

const EXAMPLES = 'ig/subscriptions-backport-1.1.0-r4/examples';
type Json = Record<string, unknown> & { entry: Json[]; resource: Json; parameter: Json[] };

/** What an example and ours must have in common: everything but ids, times and members that we add. */
function skeleton(bundle: Json): unknown {
  const normal = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(normal);
    if (typeof value !== 'object' || value === null) return value;
    const object = value as Json;
    return Object.fromEntries(
      Object.keys(object)
        .filter((name) => !['id', 'timestamp', 'valueInstant', 'etag', 'lastModified'].includes(name))
        .map((name) => [
          name,
          name === 'fullUrl' && String(object[name]).startsWith('urn:') ? 'urn' : normal(object[name]),
        ]),
    );
  };
  return normal(bundle);
}

const encounter = '86009987-eabe-42bf-8c02-b112b18cb616';
const base = 'https://example.org/fhir';
const input: StatusInput = {
  base,
  subscription: 'admission',
  topic: 'http://hl7.org/SubscriptionTopic/admission',
  content: 'id-only',
  status: 'active',
  type: 'event-notification',
  total: 2,
};
const event = (text?: string) => ({
  n: 2,
  at: Date.parse('2020-05-29T16:44:13.188Z'),
  focus: { type: 'Encounter', id: encounter, version: 1, method: 'POST' as const, text },
});
const made = (over: Partial<StatusInput>): Json =>
  JSON.parse(notificationBundle('0b9d8a06-0000-4000-8000-000000000000', 0, { ...input, ...over })) as Json;

for (const [name, over] of [
  ['id-only', { events: [event()] }],
  ['full-resource', { content: 'full-resource' }],
  ['handshake', { status: 'requested', type: 'handshake', total: 0 }],
  ['heartbeat', { type: 'heartbeat' }],
] as [string, Partial<StatusInput>][]) {
  test(`${name}: the same as the example of the IG`, (t) => {
    const path = sharedData(`${EXAMPLES}/Bundle-r4-notification-${name}.json`);
    if (!path) return t.skip(absent(EXAMPLES));
    const example = JSON.parse(readFileSync(path, 'utf8')) as Json;
    const text = JSON.stringify(example.entry[1]?.resource);
    const ours = name === 'full-resource' ? made({ ...over, events: [event(text)] }) : made(over);
    const { total } = { ...input, ...over };
    const stated = JSON.stringify(example).includes(`"events-since-subscription-start","valueString":"${total}"`);
    assert.ok(stated, 'the example counts as the input does');
    assert.deepEqual(skeleton(ours), skeleton(example));
  });
}

test('empty: number and time of the event, no focus, no topic, one entry', () => {
  const bundle = made({ content: 'empty', events: [event('{"resourceType":"Encounter"}')] });
  assert.equal(bundle.entry.length, 1);
  const parameters = bundle.entry[0]?.resource.parameter ?? [];
  assert.deepEqual(
    parameters.map((p) => p['name']),
    ['subscription', 'status', 'type', 'events-since-subscription-start', 'notification-event'],
  );
  assert.deepEqual(
    ((parameters[4]?.['part'] ?? []) as Json[]).map((part) => part['name']),
    ['event-number', 'timestamp'],
  );
});

test('an event that may not be told in full is told by its number alone', () => {
  const bundle = made({ content: 'full-resource', events: [{ n: 7, at: 0 }] });
  assert.equal(bundle.entry.length, 1);
  assert.ok(JSON.stringify(bundle).includes('"valueString":"7"'));
});

test('resources keep their text, deletes have none, every entry has request, response and fullUrl', () => {
  const text = '{"resourceType":"Observation","id":"o","valueQuantity":{"value":66.50}}';
  const focus = (method: 'PUT' | 'DELETE', version: number, of?: string) => ({
    n: version,
    at: 0,
    focus: { type: 'Observation', id: 'o', version, method, text: of },
  });
  const written = notificationBundle('x', 0, {
    ...input,
    content: 'full-resource',
    events: [focus('PUT', 1, text), focus('PUT', 2, text), focus('DELETE', 3)],
  });
  assert.ok(written.includes(text));
  const { entry } = JSON.parse(written) as Json;
  assert.deepEqual(
    entry.slice(1).map((e) => [e['request'], (e['response'] as Json)['status'], e.resource !== undefined]),
    [
      [{ method: 'PUT', url: 'Observation/o' }, '201', true],
      [{ method: 'PUT', url: 'Observation/o' }, '200', true],
      [{ method: 'DELETE', url: 'Observation/o' }, '204', false],
    ],
  );
  for (const e of entry) assert.ok(e['fullUrl'] && e['request'] && e['response']);
});

test('a failing subscription says so with a code of the IG', (t) => {
  const path = sharedData(`${EXAMPLES}/Bundle-r4-notification-error.json`);
  if (!path) return t.skip(absent(EXAMPLES));
  const example = JSON.parse(readFileSync(path, 'utf8')) as Json;
  const wanted = example.entry[0]?.resource.parameter.find((p) => p['name'] === 'error') as Json;
  const ours = JSON.parse(statusParameters('x', { ...input, status: 'error', error: 'no-response' })) as Json;
  const got = ours.parameter.find((p) => p['name'] === 'error') as Json;
  const codes = (p: Json): unknown =>
    ((p['valueCodeableConcept'] as Json)['coding'] as Json[]).map((c) => [c['system'], c['code']]);
  assert.deepEqual(codes(got), codes(wanted));
});
