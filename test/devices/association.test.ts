import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VitalwireError } from '../../src/base/errors.ts';
import { SLOT_EXTENSION, type Use, useOf, wearer } from '../../src/devices/association.ts';
import type { DeviceView } from '../../src/devices/index.ts';
import { BASE, SERIAL, Ward } from '../ingest/world.ts';

const at = (text: string): number => Date.parse(text);
const refusal = (error: unknown): boolean =>
  error instanceof VitalwireError &&
  error.status === 422 &&
  (error.options.expression?.[0] ?? '').includes('timingPeriod');

test('an interval is [start, end): at its end the next one begins', () => {
  const uses: Use[] = [
    { id: 'a', device: 'd', patient: 'p', start: at('2026-03-01T08:00:00Z'), end: at('2026-03-02T08:00:00Z') },
    { id: 'b', device: 'd', patient: 'q', start: at('2026-03-02T08:00:00Z'), end: 8.64e15 },
  ];
  for (const [time, want] of [
    ['2026-03-01T07:59:59.999Z', undefined],
    ['2026-03-01T08:00:00Z', 'p'],
    ['2026-03-02T07:59:59.999Z', 'p'],
    ['2026-03-02T08:00:00Z', 'q'],
    ['2099-01-01T00:00:00Z', 'q'],
  ] as const) {
    const found = wearer(uses, at(time));
    assert.equal(typeof found === 'object' ? found.patient : found, want, time);
  }
});

test('statements that contradict each other name nobody', () => {
  const uses: Use[] = ['p', 'q'].map((patient) => ({ id: patient, device: 'd', patient, start: 0, end: 10 }));
  assert.equal(wearer(uses, 5), 'several');
  assert.deepEqual(wearer([{ ...uses[0] } as Use, { ...uses[0], id: 'again' } as Use], 5), { patient: 'p' });
});

test('a slot is its own: where slots are assigned, others and 255 belong to nobody; without any the slot is ignored', () => {
  const plain: Use = { id: 'a', device: 'd', patient: 'p', start: 0, end: 10 };
  const one: Use = { ...plain, id: 'b', patient: 'q', slot: 1 };
  assert.deepEqual(wearer([plain], 5, 3), { patient: 'p' });
  assert.deepEqual(wearer([plain, one], 5), { patient: 'p' });
  assert.deepEqual(wearer([plain, one], 5, 1), { patient: 'q' });
  assert.equal(wearer([plain, one], 5, 2), undefined);
  assert.equal(wearer([plain, one], 5, 255), undefined);
  assert.equal(wearer([one], 5), undefined);
});

test('what a statement says: statuses, references, partial dates, slots', () => {
  const whole = {
    status: 'active',
    device: { reference: 'Device/d' },
    subject: { reference: `${BASE}/Patient/p` },
    timingPeriod: { start: '2026-03-01', end: '2026-03-02' },
    extension: [{ url: SLOT_EXTENSION, valueInteger: 2 }],
  };
  assert.deepEqual(useOf('u', whole, BASE), {
    id: 'u',
    device: 'd',
    patient: 'p',
    start: at('2026-03-01T00:00:00Z'),
    // A day that ends a period is within it.
    end: at('2026-03-03T00:00:00Z'),
    slot: 2,
  });
  for (const status of ['completed', 'stopped']) assert.ok(useOf('u', { ...whole, status }, BASE));
  for (const status of ['intended', 'on-hold', 'entered-in-error', undefined])
    assert.equal(useOf('u', { ...whole, status }, BASE), undefined);
  for (const over of [
    { subject: { reference: 'Group/g' } },
    { subject: { reference: 'https://elsewhere.example/fhir/Patient/p' } },
    { device: { display: 'the blue one' } },
    { timingPeriod: undefined },
    { timingPeriod: { start: '2026-03-02T00:00:00Z', end: '2026-03-01T00:00:00Z' } },
  ])
    assert.equal(useOf('u', { ...whole, ...over }, BASE), undefined, JSON.stringify(over));
});

test('an overlap is refused, an end that equals the next start is none', async () => {
  const w = new Ward();
  const { id, patient } = await w.device({ worn: false });
  const first = w.use(id, patient, { start: '2026-03-01T00:00:00Z', end: '2026-03-10T00:00:00Z' });
  await w.put(first);
  await assert.rejects(w.put(w.use(id, patient, { start: '2026-03-09T23:59:59Z' })), refusal);
  await assert.rejects(w.put(w.use(id, patient, { end: '2026-03-01T00:00:01Z' })), refusal);
  assert.ok((await w.put(w.use(id, patient, { start: '2026-03-10T00:00:00Z' }))).ok);
  await assert.rejects(w.put({ ...first, timingPeriod: { start: '2026-03-01T00:00:00Z' } }), refusal);
  assert.ok((await w.put({ ...first, status: 'entered-in-error' })).ok);
  assert.ok((await w.put(w.use(id, patient, { end: '2026-03-10T00:00:00Z' }))).ok);
});

test('slots of one device do not overlap each other, nor what has no slot; one slot does itself', async () => {
  const w = new Ward();
  const { id, patient } = await w.device();
  const slot = (n: number) => w.use(id, patient, undefined, { extension: [{ url: SLOT_EXTENSION, valueInteger: n }] });
  assert.ok((await w.put(slot(1))).ok);
  assert.ok((await w.put(slot(2))).ok);
  await assert.rejects(w.put(slot(2)), refusal);
});

test('two overlapping statements in one transaction are refused; a hand-over in one is not', async () => {
  const w = new Ward();
  const { id, patient } = await w.device({ worn: false });
  const a = w.use(id, patient, { start: '2026-03-01T00:00:00Z' });
  const b = w.use(id, patient, { start: '2026-03-05T00:00:00Z' });
  await assert.rejects(w.write([a, b]), refusal);
  assert.ok((await w.put(a)).ok);
  const ended = { ...a, timingPeriod: { start: '2026-03-01T00:00:00Z', end: '2026-03-05T00:00:00Z' } };
  assert.ok((await w.write([ended, b])).ok);
});

test('of two overlapping statements that are written at once only one passes the commit', async () => {
  const w = new Ward();
  const { id, patient } = await w.device({ worn: false });
  const outcomes = await Promise.all([w.put(w.use(id, patient)), w.put(w.use(id, patient))]);
  assert.deepEqual(outcomes.map((o) => o.ok).sort(), [false, true]);
});

test('a device is found from the commit that names it until the one that does not', async () => {
  const w = new Ward();
  const { id, serial } = await w.device({ worn: false });
  const find = async (value: string) => {
    const found = await w.devices.find([{ system: SERIAL, value }]);
    return typeof found === 'string' ? found : found.id;
  };
  assert.equal(await find(serial), id);
  await w.put({ resourceType: 'Device', id, identifier: [{ system: SERIAL, value: 'renamed' }] });
  assert.equal(await find(serial), 'unknown');
  assert.equal(await find('renamed'), id);
  await w.put({ resourceType: 'Device', id: 'twin', identifier: [{ system: SERIAL, value: 'renamed' }] });
  assert.equal(await find('renamed'), 'several');
  await w.remove('Device', 'twin');
  assert.equal(await find('renamed'), id);
  await w.remove('Device', id);
  assert.equal(await find('renamed'), 'unknown');
});

test('an association that ends is gone for the next question, also one that another process wrote', async () => {
  const w = new Ward();
  const { id, serial, patient } = await w.device({ worn: false });
  const view = async () => (await w.devices.find([{ system: SERIAL, value: serial }])) as DeviceView;
  const now = async () => w.devices.wearer(await view(), at('2026-05-01T00:00:00Z'));
  assert.equal(await now(), undefined);
  const use = w.use(id, patient);
  await w.put(use);
  assert.deepEqual(await now(), { patient });
  assert.deepEqual(await w.devices.wearerAt(id, at('2026-05-01T00:00:00Z')), { patient, stamp: (await view()).stamp });
  await w.remove('DeviceUseStatement', String(use['id']));
  assert.equal(await now(), undefined);
  // Behind the back of this process: no onChange, only the wake-up.
  const behind: Use = { id: 'behind', device: id, patient, start: 0, end: 8.64e15 };
  w.memory.documents.set('device-use\nbehind', {
    collection: 'device-use',
    key: 'behind',
    body: JSON.stringify(behind),
    tags: [id],
  });
  w.memory.stamps.set(`device-use/${id}`, 1_000_000);
  w.memory.wake();
  assert.deepEqual(await now(), { patient });
});
