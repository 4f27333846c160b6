import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { convert, formatDecimal, isDecimal, linearOf, parseDecimal, scaleExactly } from '../../src/devices/decimal.ts';
import { type Kind, kind } from '../../src/devices/kinds.ts';
import { factorIn, originIn, type UnitUse, unitFor, valueIn } from '../../src/devices/units.ts';

const of = (name: string): Kind => kind(name) as Kind;
const use = (name: string, unit: string | undefined): UnitUse => {
  const found = unitFor(of(name), unit);
  assert.ok(typeof found === 'object', `${name} in ${unit}: ${String(found)}`);
  return found;
};

test('aliases are the same unit, and the value is not touched', () => {
  for (const [name, unit, code] of [
    ['heart-rate', 'bpm', '/min'],
    ['heart-rate', 'count/min', '/min'],
    ['heart-rate', 'beats/min', '/min'],
    ['heart-rate', '{beats}/min', '/min'],
    ['respiratory-rate', 'breaths/min', '/min'],
    ['respiratory-rate', 'breaths/minute', '/min'],
    ['body-temperature', 'C', 'Cel'],
    ['body-temperature', 'degC', 'Cel'],
    ['body-temperature', '°C', 'Cel'],
    ['body-temperature', 'celsius', 'Cel'],
    ['oxygen-saturation', 'percent', '%'],
    ['blood-glucose', 'mg/dl', 'mg/dL'],
    ['blood-glucose', 'mmol/l', 'mmol/L'],
    ['steps', 'count', '{steps}'],
    ['steps', '1', '{steps}'],
    ['bmi', 'kg/m²', 'kg/m2'],
  ] as const) {
    const found = use(name, unit);
    assert.deepEqual([found.unit.code, valueIn(found, '62.500')], [code, '62.500'], `${name} in ${unit}`);
  }
});

test('conversions, rounded to the resolution of the source', () => {
  for (const [name, value, unit, want, code] of [
    ['body-temperature', '98.6', 'degF', '37.0', 'Cel'],
    ['body-temperature', '101.3', 'F', '38.5', 'Cel'],
    ['body-temperature', '100.4', '[degF]', '38.0', 'Cel'],
    ['body-temperature', '310.15', 'K', '37.00', 'Cel'],
    ['body-weight', '159.50', 'lb', '72.35', 'kg'],
    ['body-weight', '150.2', '[lb_av]', '68.1', 'kg'],
    ['body-weight', '72350', 'g', '72.350', 'kg'],
    ['body-height', '69.2', 'inches', '175.8', 'cm'],
    ['body-height', '1.68', 'm', '168', 'cm'],
    ['peak-flow', '7.5', 'L/s', '450', 'L/min'],
    ['oxygen-saturation', '0.96', '1', '96', '%'],
    ['body-fat', '0.25', '1', '25', '%'],
    ['blood-glucose', '0.00104', 'kg/L', '104', 'mg/dL'],
    ['blood-glucose', '0.001260', 'kg/L', '126.0', 'mg/dL'],
    ['blood-glucose', '0.0058', 'mol/L', '5.8', 'mmol/L'],
    ['blood-glucose', '5100', 'umol/L', '5.100', 'mmol/L'],
    ['basal-metabolism', '1530', 'kcal', '6402', 'kJ'],
    ['heart-rate', '1.2', 'Hz', '72', '/min'],
  ] as const) {
    const found = use(name, unit);
    assert.deepEqual([valueIn(found, value), found.unit.code], [want, code], `${value} ${unit}`);
  }
  const systolic = of('blood-pressure').components[0];
  assert.ok(systolic);
  for (const [kpa, mmhg] of [
    ['16.0', '120'],
    ['10.7', '80'],
    ['12.5', '94'],
    ['16.4', '123'],
    ['10.9', '82'],
  ] as const)
    assert.equal(valueIn(unitFor(systolic, 'kPa') as UnitUse, kpa), mmhg);
});

test('a unit that is missing, unknown or of another dimension is never guessed', () => {
  for (const [name, unit, code] of [
    ['body-temperature', undefined, 'unit.missing'],
    ['body-temperature', '', 'unit.missing'],
    ['blood-glucose', undefined, 'unit.missing'],
    ['interstitial-glucose', undefined, 'unit.missing'],
    ['body-weight', ' ', 'unit.missing'],
    ['heart-rate', 'furlongs', 'unit.unknown'],
    ['heart-rate', 'x'.repeat(100), 'unit.unknown'],
    ['heart-rate', 'kg', 'unit.incommensurable'],
    ['heart-rate', '%', 'unit.incommensurable'],
    ['body-weight', 'mm[Hg]', 'unit.incommensurable'],
    ['oxygen-saturation', 'mmol/L', 'unit.incommensurable'],
    ['body-temperature', 'F/m', 'unit.incommensurable'],
  ] as const)
    assert.equal(unitFor(of(name), unit), code, `${name} in ${unit}`);
  assert.equal(use('heart-rate', undefined).unit.code, '/min');
  assert.equal(use('steps', undefined).unit.code, '{steps}');
});

test('glucose is not converted between mass and amount', () => {
  assert.equal(use('blood-glucose', 'mmol/L').unit.code, 'mmol/L');
  assert.equal(use('blood-glucose', 'mmol/L').linear, undefined);
  assert.equal(use('blood-glucose', 'g/L').unit.code, 'mg/dL');
});

test('samples are converted by factor and origin, exactly', () => {
  const volts = use('pleth', '1');
  assert.equal(factorIn(volts, '0.0025'), '0.0025');
  const lead = of('ecg').components[0];
  assert.ok(lead);
  const found = unitFor(lead, 'V') as UnitUse;
  assert.deepEqual([found.unit.code, factorIn(found, '0.0000025'), originIn(found, '0')], ['mV', '0.0025000', '0']);
});

const decimalText = fc
  .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.integer({ min: 0, max: 9 }))
  .map(([mantissa, decimals]) => formatDecimal(mantissa, decimals));

test('decimals: text to number and back to the digit', () => {
  fc.assert(
    fc.property(decimalText, (text) => {
      assert.ok(isDecimal(text));
      const { mantissa, scale } = parseDecimal(text);
      assert.equal(formatDecimal(mantissa, scale), text);
      assert.equal(Number(text), Number(JSON.parse(text)));
    }),
  );
});

test('decimals: conversion is right to half a unit of the last digit that is kept', () => {
  fc.assert(
    fc.property(
      decimalText,
      fc.integer({ min: 1, max: 10 ** 6 }),
      fc.integer({ min: 1, max: 10 ** 6 }),
      (text, num, den) => {
        const linear = { num: BigInt(num), den: BigInt(den), offset: -160n };
        const found = convert(text, linear);
        assert.ok(isDecimal(found), found);
        const decimals = found.split('.')[1]?.length ?? 0;
        // exactly: |found × den − (text × num − 160)| × 2 × 10^decimals ≤ den
        const t = parseDecimal(text);
        const f = parseDecimal(found);
        const common = 10n ** BigInt(t.scale + f.scale);
        const difference =
          f.mantissa * (common / 10n ** BigInt(f.scale)) * linear.den -
          (t.mantissa * (common / 10n ** BigInt(t.scale)) * linear.num + linear.offset * common);
        const size = difference < 0n ? -difference : difference;
        assert.ok(size * 2n * 10n ** BigInt(decimals) <= linear.den * common, `${text} × ${num}/${den} = ${found}`);
      },
    ),
  );
});

test('decimals: powers of ten only move the point', () => {
  fc.assert(
    fc.property(decimalText, (text) => {
      const there = convert(text, { num: 1000n, den: 1n, offset: 0n });
      const back = convert(there, { num: 1n, den: 1000n, offset: 0n });
      assert.equal(Number(back), Number(text));
    }),
  );
  assert.equal(scaleExactly('0.0025', { num: 1000n, den: 1n, offset: 0n }), '2.5000');
  assert.deepEqual(linearOf(0.25, -1), { num: 25n, den: 100n, offset: -100n });
});

test('decimals: what is no JSON number, or would make arithmetic long, is none', () => {
  for (const text of [
    '',
    '7 1',
    '0x41',
    'Infinity',
    'NaN',
    '+5',
    '.5',
    '5.',
    '007',
    '1e',
    '1e999',
    '9'.repeat(60),
    '١',
  ])
    assert.equal(isDecimal(text), false, text);
  for (const text of ['0', '-0', '36.40', '1e2', '1E-7', '-0.0']) assert.equal(isDecimal(text), true, text);
});
