import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEVICES, PATIENTS, wardResources } from '../../../src/cli/demo/ward/patients.ts';
import { type Constitution, createBody, type Vitals } from '../../../src/cli/demo/ward/physiology.ts';
import { seededRandom } from '../../../src/cli/demo/ward/random.ts';
import { inWords, measure } from '../../../src/cli/demo/ward/readings.ts';
import { blow, predicted } from '../../../src/cli/demo/ward/spirometry.ts';

const HEALTHY: Constitution = {
  fever: 0,
  feverFall: 0,
  restingPulse: 62,
  restingBreaths: 14,
  saturation: 98,
  dipsPerHour: 0,
  dipDepth: 0,
  meanPressure: 85,
  pulsePressure: 40,
  whiteCoat: 0,
};
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** One sample every `step` minutes for `hours`. */
function watch(more: Partial<Constitution>, hours: number, startHour = 12, seed = 1, step = 1): Vitals[] {
  const body = createBody({ ...HEALTHY, ...more }, seededRandom(seed), startHour);
  return Array.from({ length: (hours * 60) / step }, () => {
    body.live(step);
    return body.now();
  });
}
function correlation(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)];
  const cov = mean(a.map((x, i) => (x - ma) * ((b[i] as number) - mb)));
  return cov / Math.sqrt(mean(a.map((x) => (x - ma) ** 2)) * mean(b.map((x) => (x - mb) ** 2)));
}

test('the same seed gives the same patient, another seed another', () => {
  assert.deepEqual(watch({}, 1), watch({}, 1));
  assert.notDeepEqual(watch({}, 1), watch({}, 1, 12, 2));
});

test('temperature follows the day: warmest in the late afternoon, about 0.8 °C cooler before dawn', () => {
  const days = Array.from({ length: 10 }, (_, seed) => watch({}, 24, 0, seed));
  const at = (hour: number): number =>
    mean(days.map((d) => mean(d.slice(hour * 60 - 30, hour * 60 + 30).map((v) => v.temperature))));
  assert.ok(at(17) - at(5) > 0.5 && at(17) - at(5) < 1.1, `${at(17)} and ${at(5)}`);
});

test('fever raises pulse and breathing, and falls', () => {
  const sick = watch({ fever: 1.6, feverFall: 0.2 }, 6);
  const well = watch({}, 6);
  assert.ok(mean(sick.slice(0, 60).map((v) => v.pulse)) - mean(well.slice(0, 60).map((v) => v.pulse)) > 8);
  assert.ok(mean(sick.slice(0, 60).map((v) => v.breaths)) > mean(well.slice(0, 60).map((v) => v.breaths)) + 1.5);
  assert.ok(mean(sick.slice(0, 30).map((v) => v.temperature)) - mean(sick.slice(-30).map((v) => v.temperature)) > 0.5);
});

test('pulse and breathing rise together with activity, and pressure goes with the pulse', () => {
  const hours = watch({}, 24);
  assert.ok(
    correlation(
      hours.map((v) => v.pulse),
      hours.map((v) => v.breaths),
    ) > 0.5,
  );
  assert.ok(
    correlation(
      hours.map((v) => v.pulse),
      hours.map((v) => v.mean),
    ) > 0.3,
  );
});

test('breathing modulates the pulse even at rest', () => {
  const seconds = watch({}, 0.25, 12, 3, 1 / 60).map((v) => v.pulse);
  const steps = seconds.slice(1).map((v, i) => Math.abs(v - (seconds[i] as number)));
  assert.ok(mean(steps) > 0.8);
});

test('saturation dips and recovers, never over 100; the sensor wavers a little when nothing dips', () => {
  const copd = watch({ saturation: 93, dipsPerHour: 2, dipDepth: 5 }, 24).map((v) => v.saturation);
  assert.ok(Math.min(...copd) < 88);
  assert.ok(mean(copd.slice(-600)) > 89);
  const well = watch({ saturation: 99.8 }, 24).map((v) => v.saturation);
  assert.ok(Math.max(...well) <= 100 && new Set(well.map((v) => v.toFixed(1))).size > 5);
});

test('the white coat wears off, and the parts of a pressure fit each other', () => {
  const nervous = watch({ whiteCoat: 22 }, 4);
  assert.ok(mean(nervous.slice(0, 10).map((v) => v.systolic)) - mean(nervous.slice(-60).map((v) => v.systolic)) > 10);
  for (const v of nervous) {
    assert.ok(v.systolic > v.mean && v.mean > v.diastolic && v.diastolic > 35);
    assert.ok(Math.abs(v.diastolic + (v.systolic - v.diastolic) / 3 - v.mean) < 1e-9);
  }
});

test('spirometry: ECSC values for a man of 46 and 181 cm, a ratio that fits, efforts that vary', () => {
  const man = PATIENTS[1]!.lungs;
  const p = predicted(man);
  assert.ok(
    Math.abs(p.fev1 - 3.959) < 0.001 && Math.abs(p.fvc - 4.8896) < 0.001 && Math.abs(p.peakFlow / 60 - 9.2854) < 0.001,
  );
  const random = seededRandom(5);
  const blows = Array.from({ length: 200 }, () => blow(man, random));
  for (const b of blows) assert.ok(b.fev1 < b.fvc && b.fvc <= p.fvc && b.fev1 > 0.6 * p.fev1);
  assert.ok(Math.max(...blows.map((b) => b.peakFlow)) / Math.min(...blows.map((b) => b.peakFlow)) > 1.1);
});

test('readings have the decimals of the device, are marked as test data and are never the same twice', () => {
  const body = createBody(HEALTHY, seededRandom(1), 12);
  const sources = { vitals: () => body.now(), blow: () => blow(PATIENTS[0]!.lungs, seededRandom(1)) };
  const pattern: Record<string, RegExp> = {
    'body-temperature': /^\d\d\.\d$/,
    'oxygen-saturation': /^\d+$/,
    'perfusion-index': /^\d+\.\d\d$/,
    fev1: /^\d\.\d\d$/,
    'fev1-fvc': /^\d\d\.\d$/,
    'peak-flow': /^\d{2,3}$/,
  };
  const all = DEVICES.slice(0, 4).flatMap((d, i) => measure(d, sources, `run-${i}`, '2026-01-01T00:00:00.000Z'));
  for (const [kind, re] of Object.entries(pattern))
    assert.match(all.find((r) => r.kind === kind)?.value ?? '', re, kind);
  assert.ok(all.every((r) => r.status[0] === 'demo'));
  assert.equal(new Set(all.map((r) => r.id)).size, all.length);
  assert.match(inWords(all.filter((r) => r.kind === 'blood-pressure')), /^BP \d+\/\d+ mmHg$/);
});

test('each patient wears four devices of their own', () => {
  const resources = wardResources('2026-01-01T00:00:00Z') as {
    resourceType: string;
    device?: { reference: string };
    subject?: { reference: string };
  }[];
  const uses = resources.filter((r) => r.resourceType === 'DeviceUseStatement');
  assert.equal(uses.length, 12);
  assert.equal(new Set(uses.map((u) => u.device?.reference)).size, 12);
  for (const p of PATIENTS) assert.equal(uses.filter((u) => u.subject?.reference === `Patient/${p.id}`).length, 4);
  assert.equal(new Set(DEVICES.map((d) => d.identifier.value)).size, 12);
});
