import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kind, kinds, kindsListing, parseKind } from '../../src/devices/kinds.ts';

const LOINC = 'http://loinc.org';
const MDC = 'urn:iso:std:iso:11073:10101';
const codes = (name: string, system: string): string[] =>
  [...(kind(name)?.codings ?? []), ...(kind(name)?.units.flatMap((u) => u.codings ?? []) ?? [])]
    .filter((c) => c.system === system)
    .map((c) => c.code);

test('every kind of the contract is there with its codes', () => {
  const want: Record<string, readonly [loinc: string[], mdc: string[]]> = {
    'heart-rate': [['8867-4'], ['147842']],
    'pulse-rate': [['8867-4'], ['149530']],
    'oxygen-saturation': [['2708-6', '59408-5'], ['150456']],
    'perfusion-index': [['61006-3'], ['150448']],
    'body-temperature': [['8310-5'], ['150364']],
    'respiratory-rate': [['9279-1'], ['151562']],
    'blood-pressure': [['85354-9'], ['150020']],
    'arterial-pressure': [['85354-9'], ['150036']],
    'body-weight': [['29463-7'], ['188736']],
    'body-height': [['8302-2'], ['188740']],
    bmi: [['39156-5'], ['188752']],
    'body-fat': [['41982-0'], ['188748']],
    'blood-glucose': [['2339-0', '15074-8'], ['160364']],
    'interstitial-glucose': [['99504-3', '105272-9'], ['160212']],
    fev1: [['20150-9'], ['152586']],
    fev6: [[], ['152587']],
    fvc: [['19870-5'], ['188928']],
    'fev1-fvc': [['19926-5'], ['188948']],
    'peak-flow': [['19935-6'], ['152584']],
    steps: [['55423-8'], []],
    energy: [['41981-2'], ['8454263']],
    'rr-interval': [['8637-1'], ['147240']],
    ecg: [[], ['131328']],
    pleth: [[], ['150452']],
  };
  for (const [name, [loinc, mdc]] of Object.entries(want)) {
    assert.deepEqual(codes(name, LOINC), loinc, name);
    assert.deepEqual(codes(name, MDC), mdc, name);
  }
});

/** Mod 10 with double-add-double, as LOINC defines it. */
function loincCheckDigit(number: string): number {
  const digits = [...number].reverse();
  const odd = digits.filter((_, i) => i % 2 === 0).reverse();
  const doubled = String(Number(odd.join('')) * 2);
  const even = digits.filter((_, i) => i % 2 === 1).reverse();
  const sum = [...doubled, ...even].reduce((n, d) => n + Number(d), 0);
  return (10 - (sum % 10)) % 10;
}

test('no LOINC code has a typing error, and diastolic is never the heart rate', () => {
  for (const k of kinds())
    for (const c of [k, ...k.components].flatMap((m) => [...m.codings, ...m.units.flatMap((u) => u.codings ?? [])])) {
      if (c.system !== LOINC) continue;
      const [number = '', digit] = c.code.split('-');
      assert.equal(Number(digit), loincCheckDigit(number), `${k.name} ${c.code}`);
    }
  const diastolic = kind('blood-pressure')?.components.find((c) => c.name === 'diastolic');
  assert.ok(diastolic?.codings.some((c) => c.code === '8462-4'));
});

test('the LOINC code of glucose fits its unit', () => {
  for (const [name, mass, molar] of [
    ['blood-glucose', '2339-0', '15074-8'],
    ['interstitial-glucose', '99504-3', '105272-9'],
  ]) {
    const units = kind(name as string)?.units ?? [];
    assert.deepEqual(
      units.map((u) => [u.code, u.codings?.[0]?.code]),
      [
        ['mg/dL', mass],
        ['mmol/L', molar],
      ],
    );
  }
});

test('only what is a vital sign in R4 has that category', () => {
  const found = kinds()
    .filter((k) => k.category === 'vital-signs')
    .map((k) => k.name);
  assert.deepEqual(found.sort(), [
    'arterial-pressure',
    'blood-pressure',
    'bmi',
    'body-height',
    'body-temperature',
    'body-weight',
    'cuff-pulse-rate',
    'heart-rate',
    'oxygen-saturation',
    'pulse-rate',
    'respiratory-rate',
    'resting-heart-rate',
  ]);
});

test('the listing names every kind with codes, units and ranges', () => {
  const listing = kindsListing();
  assert.equal(listing.length, kinds().length);
  const heart = listing.find((k) => k['name'] === 'heart-rate') as { units: { hard: unknown }[] };
  assert.deepEqual(heart.units[0]?.hard, { low: 15, high: 300 });
});

test('a kind that contradicts itself is refused with its file', () => {
  const good = {
    name: 'x',
    codings: [{ system: 's', code: 'c' }],
    shapes: ['quantity'],
    units: [{ code: '1', unit: '1' }],
  };
  assert.equal(parseKind(good, 'f').name, 'x');
  const broken: Record<string, unknown>[] = [
    { ...good, name: 'X y' },
    { ...good, codings: [] },
    { ...good, shapes: ['cube'] },
    { ...good, units: [] },
    { ...good, units: [{ code: '1', unit: '1', hard: { low: 3, high: 2 } }] },
    { ...good, shapes: ['components'] },
    { ...good, ordered: ['nobody'] },
  ];
  for (const raw of broken) assert.throws(() => parseKind(raw, 'profiles/kinds/x.json'), /profiles\/kinds\/x\.json/);
});
