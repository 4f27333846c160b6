/** The right patient: by who wore the device when it was measured, whatever happens meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLOT_EXTENSION } from '../../src/devices/association.ts';
import { EUI64, MAC_BLUETOOTH } from '../../src/devices/identity.ts';
import { ADMIN, SERIAL, Ward } from './world.ts';

const subject = async (w: Ward, result: unknown): Promise<string> =>
  ((await w.observation(result as never)).json['subject'] as { reference: string }).reference;

test('a device that changes hands: late arrivals go to who wore it then', async () => {
  const w = new Ward();
  const { id, serial } = await w.device({ worn: false });
  // A streaming device, so that any cache is warm.
  await w.put(w.use(id, 'p1', { start: '2026-03-01T08:00:00Z', end: '2026-03-02T09:00:00+01:00' }));
  const late = async (time: string) => w.one(w.reading(serial, { time }));
  assert.equal(await subject(w, await late('2026-03-01T09:00:00Z')), 'Patient/p1');
  await w.put(w.use(id, 'p2', { start: '2026-03-02T08:00:00Z' }));
  for (const [time, want] of [
    ['2026-03-02T08:00:00Z', 'p2'],
    ['2026-03-02T07:59:59.999Z', 'p1'],
    ['2026-03-02T10:00:00+03:00', 'p1'],
    ['2026-03-02T10:00:00+02:00', 'p2'],
    ['2026-03-01T08:00:00Z', 'p1'],
    ['2026-03-01T07:59:59Z', undefined],
  ] as const) {
    const result = await late(time);
    if (want)
      assert.ok(
        ['stored', 'duplicate'].includes(result.status) && (await subject(w, result)) === `Patient/${want}`,
        time,
      );
    else assert.deepEqual([result.status, result.issue?.code], ['held', 'device.unassociated']);
  }
});

test('an association that changes while a request is in flight: judged again, filed to the right patient', async () => {
  const w = new Ward();
  const { id, serial } = await w.device({ worn: false });
  const use = w.use(id, 'p1', { start: '2026-03-01T00:00:00Z' });
  await w.put(use);
  let once = true;
  w.memory.beforeCommit = async (batch) => {
    if (!once || !batch.writes?.some((x) => x.draft.type === 'Observation')) return;
    once = false;
    await w.write([
      { ...use, timingPeriod: { start: '2026-03-01T00:00:00Z', end: '2026-05-01T00:00:00Z' } },
      w.use(id, 'p2', { start: '2026-05-01T00:00:00Z' }),
    ]);
  };
  const result = await w.one(w.reading(serial));
  assert.equal(once, false);
  assert.equal(await subject(w, result), 'Patient/p2');
  assert.equal(w.memory.all('Observation').length, 1);
});

test('a device that is renamed while a request is in flight: its reading is not filed under the old name', async () => {
  const w = new Ward();
  const { id, serial } = await w.device();
  let once = true;
  w.memory.beforeCommit = async (batch) => {
    if (!once || !batch.writes?.some((x) => x.draft.type === 'Observation')) return;
    once = false;
    await w.put({ resourceType: 'Device', id, identifier: [{ system: SERIAL, value: 'sold' }] });
  };
  const result = await w.one(w.reading(serial));
  assert.deepEqual([result.status, result.issue?.code], ['held', 'device.unknown']);
});

test('what keeps changing ends with 503 and Retry-After, and nothing is stored', async () => {
  const w = new Ward();
  const { id, serial, patient } = await w.device();
  w.memory.beforeCommit = (batch) => {
    if (batch.preconditions?.length) w.memory.stamps.set(`device-use/${id}`, Math.random());
  };
  const answer = await w.ingest.handle(
    {
      method: 'POST',
      path: '/readings',
      query: '',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ readings: [w.reading(serial)] }),
    },
    ADMIN,
  );
  assert.deepEqual([answer.status, answer.headers?.['retry-after']], [503, '1']);
  assert.equal(w.memory.all('Observation').length, 0);
  assert.deepEqual(await w.balance(), { received: 0, stored: 0, duplicate: 0, held: 0, rejected: 0 });
  assert.ok(patient);
});

test('it holds from the next request on', async () => {
  const w = new Ward();
  const { id, serial, patient } = await w.device({ worn: false });
  for (const round of [1, 2, 3]) {
    const use = w.use(id, patient);
    assert.equal((await w.one(w.reading(serial, { id: `a${round}` }))).issue?.code, 'device.unassociated');
    await w.put(use);
    assert.equal((await w.one(w.reading(serial, { id: `b${round}` }))).status, 'stored');
    await w.put({ ...use, status: 'entered-in-error' });
  }
});

test('Device.patient alone assigns nobody', async () => {
  const w = new Ward();
  const { id, serial, patient } = await w.device({ worn: false });
  await w.put({
    resourceType: 'Device',
    id,
    identifier: [{ system: SERIAL, value: serial }],
    patient: { reference: `Patient/${patient}` },
  });
  assert.equal((await w.one(w.reading(serial))).issue?.code, 'device.unassociated');
});

test('the patient of a message confirms, and never assigns', async () => {
  const w = new Ward();
  const worn = await w.device();
  const other = await w.device({ worn: false });
  const mrn = (n: string) => ({ identifier: { system: 'urn:example:mrn', value: `MRN-${n.split('-')[1]}` } });
  for (const patient of [`Patient/${worn.patient}`, mrn(worn.patient)])
    assert.equal((await w.one(w.reading(worn.serial, { patient, id: JSON.stringify(patient) }))).status, 'stored');
  for (const patient of [
    `Patient/${other.patient}`,
    mrn(other.patient),
    'Patient/nobody',
    { identifier: { value: 'MRN-1' } },
  ]) {
    const result = await w.one(w.reading(worn.serial, { patient, id: JSON.stringify(patient) }));
    assert.deepEqual([result.status, result.issue?.code], ['held', 'device.patient-mismatch'], JSON.stringify(patient));
  }
  const nobody = await w.one(w.reading(other.serial, { patient: `Patient/${other.patient}` }));
  assert.deepEqual([nobody.status, nobody.issue?.code], ['held', 'device.unassociated']);
});

test('any spelling of an EUI-64 or MAC is the same device; two claimants are none', async () => {
  const w = new Ward();
  await w.device({ identifier: [{ system: EUI64, value: '8C-1F-64-FF-FE-01-02-03' }] });
  for (const [system, value] of [
    [EUI64, '8c:1f:64:ff:fe:01:02:03'],
    [EUI64, '03-02-01-FE-FF-64-1F-8C'],
    [MAC_BLUETOOTH, '8C:1F:64:01:02:03'],
  ])
    assert.equal(
      (await w.one(w.reading('', { device: { identifier: [{ system, value }] }, id: value }))).status,
      'stored',
      value,
    );
  const { serial } = await w.device();
  const two = [
    { system: EUI64, value: '8C1F64FFFE010203' },
    { system: SERIAL, value: serial },
  ];
  const both = await w.one(w.reading(serial, { device: { identifier: two }, id: 'both' }));
  assert.deepEqual([both.status, both.issue?.code], ['held', 'device.unknown']);
  assert.match(both.issue?.details ?? '', /More than one/);
});

test('user slots of a shared device', async () => {
  const w = new Ward();
  const { id, serial } = await w.device();
  const slot = (n: number, patient: string) =>
    w.use(id, patient, undefined, { extension: [{ url: SLOT_EXTENSION, valueInteger: n }] });
  assert.equal(await subject(w, await w.one(w.reading(serial, { slot: 7, id: 'x' }))), 'Patient/patient-1');
  await w.put(slot(1, 'one'));
  await w.put(slot(2, 'two'));
  assert.equal(await subject(w, await w.one(w.reading(serial, { slot: 1, id: 'a' }))), 'Patient/one');
  assert.equal(await subject(w, await w.one(w.reading(serial, { slot: 2, id: 'b' }))), 'Patient/two');
  for (const n of [3, 255])
    assert.equal((await w.one(w.reading(serial, { slot: n, id: `c${n}` }))).issue?.code, 'device.unassociated');
});

test('UNKNOWN_DEVICE=create: one Device however many messages come at once, never a Patient', async () => {
  const w = new Ward({ unknownDevice: 'create' });
  const identifier = [{ system: MAC_BLUETOOTH, value: '8C:1F:64:0A:0B:0C' }];
  const reading = (id: string, value = identifier[0]?.value) =>
    w.reading('', { device: { identifier: [{ ...identifier[0], value }] }, id });
  const results = await Promise.all([
    ...Array.from({ length: 8 }, (_, i) => w.post([reading(`u${i}`)])),
    w.post([reading('x', '8c1f640a0b0c'), reading('y', '8C-1F-64-0A-0B-0C')]),
  ]);
  for (const result of results.flat())
    assert.deepEqual([result.status, result.issue?.code], ['held', 'device.unassociated']);
  assert.equal(w.memory.all('Device').length, 1);
  assert.equal(w.memory.all('Patient').length, 0);
  await w.put(w.use(w.memory.all('Device')[0]?.id ?? '', 'p'));
  assert.equal((await w.one(reading('after'))).status, 'stored');
  const hold = new Ward();
  assert.equal((await hold.one(hold.reading('none'))).issue?.code, 'device.unknown');
  assert.equal(hold.memory.all('Device').length, 0);
});
