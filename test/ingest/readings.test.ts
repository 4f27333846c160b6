/** The contract's rows about a single reading: form, kind, value, unit, status, time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../../src/devices/kinds.ts';
import { Ward } from './world.ts';

type Json = Record<string, unknown>;
const BP = { kind: 'blood-pressure', value: undefined, unit: undefined };
const parts = (s?: string, d?: string, m?: string, unit = 'mm[Hg]'): Json[] =>
  [
    ['systolic', s],
    ['diastolic', d],
    ['mean', m],
  ].flatMap(([kind, value]) => (value === undefined ? [] : [{ kind, value, unit }]));
const absentCode = (o: Json): unknown =>
  (o['dataAbsentReason'] as { coding: { code: string }[] } | undefined)?.coding[0]?.code;
const quantity = (o: Json): Json | undefined => o['valueQuantity'] as Json | undefined;
const components = (o: Json): Json[] => (o['component'] ?? []) as Json[];

async function ward(): Promise<{
  w: Ward;
  serial: string;
  patient: string;
  id: string;
  stored(over: Json): Promise<Json>;
}> {
  const w = new Ward();
  const d = await w.device();
  let n = 0;
  const stored = async (over: Json): Promise<Json> => {
    const result = await w.one(w.reading(d.serial, { id: `r${++n}`, ...over }));
    assert.equal(result.status, 'stored', JSON.stringify(result));
    return (await w.observation(result)).json;
  };
  return { w, ...d, stored };
}

test('a reading is one Observation with codes, subject, device, times and the value to the digit', async () => {
  const { w, serial, id, patient } = await ward();
  const result = await w.one(
    w.reading(serial, { kind: 'body-temperature', value: '37.00', unit: 'Cel', time: '2026-05-06T07:08:09.250+02:00' }),
  );
  const { json, text } = await w.observation(result);
  assert.match(text, /"value":37\.00,/);
  assert.deepEqual(json['subject'], { reference: `Patient/${patient}` });
  assert.deepEqual(json['device'], { reference: `Device/${id}` });
  assert.equal(json['effectiveDateTime'], '2026-05-06T07:08:09.250+02:00');
  assert.equal(json['issued'], '2026-11-25T12:00:00.000Z');
  assert.deepEqual(quantity(json), { value: 37, unit: '°C', system: 'http://unitsofmeasure.org', code: 'Cel' });
});

test('every kind can be filed, and as absent too: each form is valid FHIR', async () => {
  const { stored } = await ward();
  for (const k of kinds()) {
    const unit = k.units[0]?.code;
    const series = { period: 8, factor: 0.005, origin: 0, data: '0 12 E -7 U' };
    const hard = k.units[0]?.hard;
    const value = hard ? String(Math.ceil(Math.min(hard.high, Math.max(hard.low, 1) * 2))) : '1';
    const own = k.shapes.includes('components')
      ? {
          value: undefined,
          unit: undefined,
          components: k.components.map((c, i) =>
            c.shape === 'sampled'
              ? { kind: c.name, unit: 'mV', samples: series }
              : { kind: c.name, value: c.shape === 'boolean' ? '1' : String([120, 80, 90][i]) },
          ),
        }
      : k.shapes.includes('quantity') || k.shapes.includes('coded')
        ? { value, unit }
        : { value: undefined, unit, samples: series };
    await stored({ kind: k.name, ...own });
    const absent = await stored({ kind: k.name, ...own, status: ['not-available'] });
    assert.equal(absentCode(absent), 'not-performed', k.name);
  }
});

test('blood pressure: a panel of components, no value of its own; what is missing or dead says why', async () => {
  const { stored } = await ward();
  const whole = await stored({ ...BP, components: parts('119', '77.0', '91') });
  assert.equal(quantity(whole), undefined);
  assert.deepEqual(
    components(whole).map((c) => quantity(c)?.['value']),
    [119, 77, 91],
  );
  const half = await stored({ ...BP, components: parts('119') });
  assert.deepEqual(components(half).map(absentCode), [undefined, 'unknown']);
  assert.equal(absentCode(half), undefined);
  const noMean = await stored({ ...BP, components: parts('118', '76', 'NaN') });
  assert.deepEqual(components(noMean).map(absentCode), [undefined, undefined, 'not-a-number']);
  const dead = await stored({ ...BP, kind: 'arterial-pressure', components: parts('0', '0', '0') });
  assert.equal(absentCode(dead), 'error');
  assert.ok(components(dead).every((c) => quantity(c) === undefined && absentCode(c) === 'error'));
});

test('pressures in the wrong order or beyond the possible are held', async () => {
  const { w, serial } = await ward();
  for (const components of [
    parts('70', '130'),
    parts('80', '80'),
    parts('120', '80', '140'),
    parts('120', '80', '79'),
    parts('390', '80'),
  ]) {
    const result = await w.one(w.reading(serial, { ...BP, components, id: JSON.stringify(components) }));
    assert.deepEqual([result.status, result.issue?.code], ['held', 'value.implausible'], JSON.stringify(components));
  }
  for (const components of [
    undefined,
    [],
    'x',
    [{ kind: 'systolic' }],
    [{ kind: 'pulse', value: '7' }],
    [...parts('120'), ...parts('121')],
  ]) {
    const result = await w.one(w.reading(serial, { ...BP, components, id: 'm' }));
    assert.deepEqual(
      [result.status, result.issue?.code],
      ['rejected', 'payload.malformed'],
      JSON.stringify(components),
    );
  }
});

test('series: factor and origin have defaults, limits and digits are kept, units are converted by the factor', async () => {
  const { w, serial, stored } = await ward();
  const pleth = await stored({ kind: 'pleth', value: undefined, unit: '1', samples: { period: 20, data: '4 5 6' } });
  assert.deepEqual(pleth['valueSampledData'], {
    origin: { value: 0, unit: '1', system: 'http://unitsofmeasure.org', code: '1' },
    period: 20,
    dimensions: 1,
    data: '4 5 6',
  });
  const glucose = await stored({
    kind: 'interstitial-glucose',
    value: undefined,
    unit: 'mg/dL',
    samples: { period: 300000, lowerLimit: 40, upperLimit: 400, data: '98 L U 101' },
  });
  assert.deepEqual(
    [(glucose['valueSampledData'] as Json)['lowerLimit'], (glucose['valueSampledData'] as Json)['upperLimit']],
    [40, 400],
  );
  const text = JSON.stringify({
    readings: [
      w.reading(serial, {
        kind: 'ecg',
        value: undefined,
        unit: undefined,
        id: 'e',
        components: [{ kind: 'lead-i', unit: 'V', samples: { period: 4, factor: 777, data: '1 2' } }],
      }),
    ],
  }).replace('777', '0.00000250');
  const answer = await w.request<{ results: { observation: string[]; index: number; status: string }[] }>(
    'POST',
    '/readings',
    text,
  );
  const { text: ecg } = await w.observation(
    answer.json.results[0] as { observation: string[]; index: number; status: string },
  );
  assert.match(ecg, /"factor":0\.00250000,/);
  for (const samples of [
    { data: '1' },
    { period: 0, data: '1' },
    { period: 1, data: '1  2' },
    { period: 1, data: 'x' },
    { period: 1, factor: 0, data: '1' },
    'x',
  ]) {
    const result = await w.one(w.reading(serial, { kind: 'pleth', value: undefined, unit: '1', id: 's', samples }));
    assert.deepEqual([result.status, result.issue?.code], ['rejected', 'payload.malformed'], JSON.stringify(samples));
  }
  const wild = await w.one(
    w.reading(serial, {
      kind: 'ecg',
      value: undefined,
      unit: undefined,
      id: 'w',
      components: [{ kind: 'lead-i', unit: 'mV', samples: { period: 4, data: '0 25' } }],
    }),
  );
  assert.deepEqual([wild.status, wild.issue?.code], ['held', 'value.implausible']);
});

test('special values are stored absent; other texts are malformed; a JSON number keeps its digits', async () => {
  const { w, serial, stored } = await ward();
  for (const [value, why] of [
    ['NaN', 'not-a-number'],
    ['INF', 'positive-infinity'],
    ['-INF', 'negative-infinity'],
  ] as const)
    assert.equal(absentCode(await stored({ value })), why);
  assert.equal(absentCode(await stored({ kind: 'body-temperature', unit: undefined, value: 'NaN' })), 'not-a-number');
  for (const value of ['seventy', '', '7 1', '0x41', 'Infinity', '+INF', '٣', null, true, {}, [7], undefined]) {
    const result = await w.one(w.reading(serial, { value, id: 'x' }));
    assert.deepEqual([result.status, result.issue?.code], ['rejected', 'payload.malformed'], JSON.stringify(value));
  }
  for (const digits of ['36.40', '3.640e1', '36.4']) {
    const body = JSON.stringify({
      readings: [w.reading(serial, { kind: 'body-temperature', unit: 'Cel', value: 4242, id: digits })],
    });
    const answer = await w.request<{ results: [{ index: number; status: string; observation: string[] }] }>(
      'POST',
      '/readings',
      body.replace('4242', digits),
    );
    assert.ok((await w.observation(answer.json.results[0])).text.includes(`"value":${digits},`), digits);
  }
});

test('zero and ranges: no signal, questionable, held', async () => {
  const { w, serial, stored } = await ward();
  for (const kind of ['heart-rate', 'pulse-rate', 'respiratory-rate', 'oxygen-saturation'])
    assert.equal(absentCode(await stored({ kind, value: '0.0', unit: undefined })), 'error', kind);
  assert.equal(quantity(await stored({ kind: 'perfusion-index', value: '0', unit: '%' }))?.['value'], 0);
  const soft = await stored({ value: '233' });
  assert.deepEqual((soft['interpretation'] as { coding: Json[] }[])[0]?.coding[0]?.['code'], 'questionable');
  for (const over of [
    { value: '412' },
    { value: '-3' },
    { value: '1e30' },
    { kind: 'body-temperature', unit: 'Cel', value: '12.0' },
    { kind: 'steps', unit: 'count', value: '12.5' },
    { kind: 'oxygen-saturation', unit: '%', value: '101' },
  ]) {
    const result = await w.one(w.reading(serial, { ...over, id: JSON.stringify(over) }));
    assert.deepEqual([result.status, result.issue?.code], ['held', 'value.implausible'], JSON.stringify(over));
  }
});

test('units: aliases untouched, others converted, none guessed', async () => {
  const { w, serial, stored } = await ward();
  assert.deepEqual(quantity(await stored({ kind: 'body-temperature', value: '98.6', unit: 'degF' }))?.['value'], 37);
  const pressure = await stored({ ...BP, components: parts('16.4', '10.9', undefined, 'kPa') });
  assert.deepEqual(
    components(pressure).map((c) => [quantity(c)?.['value'], quantity(c)?.['code']]),
    [
      [123, 'mm[Hg]'],
      [82, 'mm[Hg]'],
    ],
  );
  for (const [over, code] of [
    [{ kind: 'body-weight', value: '80', unit: undefined }, 'unit.missing'],
    [{ unit: 'furlongs' }, 'unit.unknown'],
    [{ unit: 'kg' }, 'unit.incommensurable'],
  ] as const) {
    const result = await w.one(w.reading(serial, { ...over, id: 'u' }));
    assert.deepEqual([result.status, result.issue?.code], ['rejected', code]);
  }
  assert.equal(quantity(await stored({ unit: undefined }))?.['code'], '/min');
});

test('glucose keeps its unit and gets the LOINC that fits it', async () => {
  const { stored } = await ward();
  for (const [value, unit, loinc] of [
    ['97', 'mg/dl', '2339-0'],
    ['5.40', 'mmol/L', '15074-8'],
  ] as const) {
    const o = await stored({ kind: 'blood-glucose', value, unit });
    assert.equal((o['code'] as { coding: Json[] }).coding[0]?.['code'], loinc);
  }
});

test('status words become interpretation, security, absence, a note', async () => {
  const { w, serial, stored } = await ward();
  const two = await stored({ status: ['questionable', 'demo'] });
  assert.equal((two['interpretation'] as { coding: Json[] }[])[0]?.coding[0]?.['code'], 'questionable');
  assert.equal(((two['meta'] as Json)['security'] as Json[])[0]?.['code'], 'HTEST');
  const early = await stored({ status: ['early-estimate', 'manually entered'] });
  assert.deepEqual([early['status'], early['note']], ['preliminary', [{ text: 'Entered by hand.' }]]);
  const invalid = await stored({ status: ['invalid'], value: 'NaN' });
  assert.deepEqual([invalid['status'], absentCode(invalid)], ['entered-in-error', 'error']);
  assert.equal(absentCode(await stored({ status: ['not-available'], value: undefined })), 'not-performed');
  for (const status of ['questionable', ['odd'], 7, [null], { a: 1 }]) {
    const result = await w.one(w.reading(serial, { status, id: 's' }));
    assert.deepEqual([result.status, result.issue?.code], ['rejected', 'payload.malformed'], JSON.stringify(status));
  }
});

test('time: RFC 3339 with offset or nothing; the future is held, the past is not', async () => {
  const { w, serial, stored } = await ward();
  for (const time of [
    '2026-05-06T07:08:09',
    '2026-05-06',
    '2026-02-30T07:08:09Z',
    '2026-05-06T25:08:09Z',
    '2026-05-06T07:08:60Z',
    '2026-05-06T07:08:09+15:00',
    '0000-04-17T00:00:00Z',
    'noon',
    17,
    null,
  ]) {
    const result = await w.one(w.reading(serial, { time, id: 't' }));
    assert.deepEqual([result.status, result.issue?.code], ['rejected', 'payload.malformed'], String(time));
  }
  const iso = (ms: number) => new Date(w.clock.ms + ms).toISOString();
  assert.deepEqual((await w.one(w.reading(serial, { time: iso(400_000), id: 'f' }))).issue?.code, 'time.future');
  await stored({ time: iso(180_000) });
  await stored({ time: '2021-01-02t03:04:05z' });
  assert.equal((await stored({ time: undefined }))['effectiveDateTime'], '2026-11-25T12:00:00.000Z');
});

test('a period of time is kept as one, and belongs to nobody alone when the device changed hands within it', async () => {
  const { w, serial, stored } = await ward();
  const time = '2026-05-06T00:00:00Z';
  const o = await stored({ kind: 'steps', unit: 'count', value: '812', time, end: '2026-05-06T01:00:00Z' });
  assert.deepEqual(o['effectivePeriod'], { start: time, end: '2026-05-06T01:00:00Z' });
  const backwards = await w.one(
    w.reading(serial, { kind: 'steps', unit: 'count', value: '8', time, end: '2026-05-05T00:00:00Z' }),
  );
  assert.equal(backwards.issue?.code, 'payload.malformed');
  const d = await w.device({ worn: false });
  await w.put(w.use(d.id, d.patient, { start: '2026-05-01T00:00:00Z', end: '2026-05-06T00:30:00Z' }));
  await w.put(w.use(d.id, 'patient-1', { start: '2026-05-06T00:30:00Z' }));
  const across = await w.one(
    w.reading(d.serial, { kind: 'steps', unit: 'count', value: '8', time, end: '2026-05-06T01:00:00Z' }),
  );
  assert.deepEqual([across.status, across.issue?.code], ['held', 'device.unassociated']);
  const before = await w.one(
    w.reading(d.serial, { kind: 'steps', unit: 'count', value: '8', time, end: '2026-05-06T00:30:00Z' }),
  );
  assert.equal(before.status, 'stored');
});

test('what is no reading is rejected with a sentence, and an unknown kind is held', async () => {
  const { w, serial } = await ward();
  for (const reading of [
    null,
    'text',
    7,
    [],
    {},
    w.reading(serial, { device: {} }),
    w.reading(serial, { device: { identifier: [] } }),
    w.reading(serial, { device: { identifier: [{ system: 's' }] } }),
    w.reading(serial, { kind: '' }),
    w.reading(serial, { id: 7 }),
    w.reading(serial, { version: 1.5 }),
    w.reading(serial, { patient: 'nobody' }),
    w.reading(serial, { unit: 7 }),
  ]) {
    const result = await w.one(reading);
    assert.deepEqual([result.status, result.issue?.code], ['rejected', 'payload.malformed'], JSON.stringify(reading));
    assert.ok((result.issue?.details.length ?? 0) > 20);
  }
  const mood = await w.one(w.reading(serial, { kind: 'mood' }));
  assert.deepEqual([mood.status, mood.issue?.code], ['held', 'mapping.no-match']);
});

test('a device-born control value is about the device, whoever wears it', async () => {
  const { w } = await ward();
  const d = await w.device({ worn: false });
  const result = await w.one(w.reading(d.serial, { kind: 'control-glucose', value: '118', unit: 'mg/dL' }));
  assert.deepEqual((await w.observation(result)).json['subject'], { reference: `Device/${d.id}` });
});
