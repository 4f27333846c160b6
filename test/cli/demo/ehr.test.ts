import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chart, MEASUREMENTS } from '../../../src/cli/demo/ehr/chart.ts';
import { Desk } from '../../../src/cli/demo/ehr/desk.ts';
import { numberText, parseNotification } from '../../../src/cli/demo/ehr/notification.ts';
import { renderPage } from '../../../src/cli/demo/ehr/page.ts';
import { SCRIPT } from '../../../src/cli/demo/ehr/script.ts';

const BASE = 'http://127.0.0.1:1/fhir';

/** A notification as the server writes it, with the text of each resource. */
function bundle(type: string, events: readonly { n: number; text?: string }[], total = events.at(-1)?.n ?? 0): string {
  const parts = events.map(
    ({ n, text }) =>
      `{"name":"notification-event","part":[{"name":"event-number","valueString":"${n}"}${text ? `,{"name":"focus","valueReference":{"reference":"${BASE}/Observation/o${n}"}}` : ''}]}`,
  );
  const status = `{"resourceType":"Parameters","parameter":[{"name":"subscription","valueReference":{"reference":"${BASE}/Subscription/s"}},{"name":"status","valueCode":"active"},{"name":"type","valueCode":"${type}"},{"name":"events-since-subscription-start","valueString":"${total}"}${parts.map((p) => `,${p}`).join('')}]}`;
  const resources = events
    .filter((e) => e.text)
    .map(({ n, text }) => `,{"fullUrl":"${BASE}/Observation/o${n}","resource":${text}}`);
  return `{"resourceType":"Bundle","type":"history","entry":[{"fullUrl":"urn:uuid:1","resource":${status}}${resources.join('')}]}`;
}
const temperature = (value: string, at: string): string =>
  `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8310-5"}]},"device":{"reference":"Device/d"},"effectiveDateTime":"${at}","valueQuantity":{"value":${value},"unit":"°C","system":"http://unitsofmeasure.org","code":"Cel"}}`;
const pressure = `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2026-01-01T00:00:00Z","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":121,"code":"mm[Hg]"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":79,"code":"mm[Hg]"}}]}`;
const row = (chart: Chart, label: string) => chart.rows.find((r) => r.label === label);
const take = (chart: Chart, text: string): boolean[] => parseNotification(text).events.map((e) => chart.take(e));

test('a notification is read with its digits, its events and its type', () => {
  const n = parseNotification(
    bundle('event-notification', [{ n: 7, text: temperature('37.0', '2026-01-01T00:00:00Z') }, { n: 8 }]),
  );
  assert.deepEqual(
    [n.type, n.status, n.total, n.events.map((e) => e.number)],
    ['event-notification', 'active', 8, [7, 8]],
  );
  assert.equal(numberText(n.events[0]?.observation?.valueQuantity?.value), '37.0');
  assert.equal(n.events[1]?.observation, undefined);
  assert.equal(parseNotification(bundle('handshake', [])).events.length, 0);
});

test('what is no notification is refused, so that it comes again', () => {
  assert.throws(() => parseNotification('{"resourceType":"Bundle","entry":[]}'));
  assert.throws(() => parseNotification('not json'));
  assert.throws(() => parseNotification(bundle('event-notification', [{ n: Number.NaN }])));
});

test('repetitions are told apart by their number, gaps are seen and can be filled late', () => {
  const chart = new Chart();
  assert.deepEqual(take(chart, bundle('event-notification', [{ n: 1 }, { n: 2 }])), [true, true]);
  assert.deepEqual(take(chart, bundle('event-notification', [{ n: 2 }, { n: 3 }])), [false, true]);
  assert.deepEqual(take(chart, bundle('event-notification', [{ n: 6 }])), [true]);
  assert.deepEqual(chart.feed.missing, [4, 5]);
  assert.deepEqual(take(chart, bundle('query-event', [{ n: 4 }, { n: 5 }, { n: 6 }])), [true, true, false]);
  assert.deepEqual([chart.feed.missing, chart.feed.lastEvent, chart.feed.repeated], [[], 6, 2]);
  chart.expect(8);
  assert.deepEqual(chart.feed.missing, [7, 8]);
});

test('the newest measurement is shown, not the newest arrival', () => {
  const chart = new Chart();
  take(chart, bundle('event-notification', [{ n: 1, text: temperature('38.2', '2026-01-01T00:10:00Z') }]));
  take(chart, bundle('event-notification', [{ n: 2, text: temperature('36.0', '2026-01-01T00:05:00Z') }]));
  assert.deepEqual([row(chart, 'Temperature')?.value, row(chart, 'Temperature')?.unit], ['38.2', '°C']);
  take(chart, bundle('event-notification', [{ n: 3, text: temperature('37.00', '2026-01-01T01:10:00+01:00') }]));
  assert.equal(row(chart, 'Temperature')?.value, '37.00');
  take(chart, bundle('event-notification', [{ n: 4, text: pressure }]));
  assert.deepEqual([row(chart, 'Blood pressure')?.value, row(chart, 'Blood pressure')?.unit], ['121/79', 'mmHg']);
  assert.equal(row(chart, 'Pulse')?.at, '');
});

test('the desk passes on each event once, and a heartbeat that knows of more shows a gap', () => {
  const arrived: number[] = [];
  const desk = new Desk(['p'], { now: () => 1000 }, ({ event }) => arrived.push(event.number));
  const told: string[] = [];
  const stop = desk.watch((name) => told.push(name));
  desk.take('p', bundle('event-notification', [{ n: 1 }]));
  desk.take('p', bundle('event-notification', [{ n: 1 }]));
  desk.take('p', bundle('heartbeat', [], 3));
  stop();
  desk.take('p', bundle('event-notification', [{ n: 2 }]));
  assert.deepEqual(arrived, [1, 2]);
  assert.deepEqual(desk.state('p').feed.missing, [3]);
  assert.deepEqual(told, ['patient', 'patient', 'news', 'patient', 'news', 'patient', 'news']);
  assert.equal(desk.lastNews, 1000);
});

test('the page is complete without a script, names every measurement and escapes what the server says', () => {
  const chart = new Chart();
  take(chart, bundle('event-notification', [{ n: 1, text: temperature('37.0', '2026-01-01T00:10:00Z') }]));
  const person = {
    id: 'p',
    name: '<script>alert(1)</script>',
    identifier: 'W-1',
    gender: 'female',
    birthDate: '1953-03-14',
  };
  const html = renderPage(
    [{ person, id: 'p', rows: chart.rows, feed: chart.feed }],
    0,
    Date.parse('2026-03-13T00:00:00Z'),
  );
  assert.doesNotMatch(html, /<script>alert/);
  assert.match(html, /72 years/);
  assert.match(html, /<td class="value">37\.0<\/td><td class="unit">°C<\/td>/);
  for (const { label } of MEASUREMENTS) assert.ok(html.includes(`<th scope="row">${label}</th>`), label);
  assert.doesNotThrow(() => new Function(SCRIPT));
});
