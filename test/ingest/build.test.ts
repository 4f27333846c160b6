/** Search terms made without parsing are those that the extractor finds in the text; the text is valid, and is what a reader expects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { instant } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import { formatDecimal } from '../../src/devices/decimal.ts';
import { type Component, kinds } from '../../src/devices/kinds.ts';
import { extract } from '../../src/fhir/extract.ts';
import { joinResource } from '../../src/fhir/text.ts';
import { validate } from '../../src/fhir/validate.ts';
import { bodyText, observationBuilder } from '../../src/ingest/build/observation.ts';
import type { MeasuredPart, Measurement } from '../../src/ingest/measurement.ts';
import { normalise } from '../../src/ingest/normalise.ts';
import { STATUS_WORDS } from '../../src/ingest/status.ts';
import { type Moment, parseMoment } from '../../src/ingest/time.ts';
import { isIssue } from '../../src/ingest/wire.ts';
import { BASE } from './world.ts';

const decimal = fc
  .tuple(fc.integer({ min: 1, max: 400_000 }), fc.integer({ min: 0, max: 4 }))
  .map(([mantissa, decimals]) => formatDecimal(BigInt(mantissa), decimals));
const value = fc.oneof(
  { weight: 8, arbitrary: decimal },
  { weight: 1, arbitrary: fc.constantFrom('NaN', 'INF', '-INF', '0', '1', '5') },
);
const samples = fc.record(
  {
    period: fc.constantFrom('8', '2.5', '40'),
    factor: fc.constantFrom('0.0025', '1', '0.50'),
    origin: fc.constantFrom('-5', '0', '1.0'),
    lowerLimit: fc.constantFrom('-10'),
    upperLimit: fc.constantFrom('10'),
    data: fc.constantFrom('0 1 2', 'E L U', '-1.5 2e1 E'),
  },
  { requiredKeys: ['period', 'data'] },
);
const time = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 40 }), fc.constantFrom('Z', '+02:00', '-07:30', '.5Z', '.123456+14:00'))
  .map(([ms, tail]) => `${instant(ms).slice(0, 19)}${tail}`);

const partOf = (c: Component): fc.Arbitrary<MeasuredPart> =>
  c.shape === 'sampled'
    ? samples.map((s) => ({ name: c.name, unit: c.units[0]?.code ?? '', samples: s }) as MeasuredPart)
    : value.map((v) => ({ name: c.name, unit: c.units[0]?.code ?? '', value: v }));

const measurement: fc.Arbitrary<Measurement> = fc.constantFrom(...kinds()).chain((kind) => {
  const unit = kind.units[0]?.code;
  return fc.record({
    kind: fc.constant(kind.name),
    value: kind.shapes.includes('quantity') || kind.shapes.includes('coded') ? value : fc.constant(undefined),
    unit: fc.constantFrom(...kind.units.map((u) => u.code), unit),
    components:
      kind.components.length > 0
        ? fc.tuple(...kind.components.map(partOf)).chain((parts) => fc.subarray(parts, { minLength: 1 }))
        : fc.constant(undefined),
    samples: kind.shapes[0] === 'sampled' ? samples : fc.constant(undefined),
    status: fc.subarray(
      STATUS_WORDS.filter((w) => w !== 'entered-in-error'),
      { maxLength: 2 },
    ),
    retracted: fc.constant(false),
    device: fc.constant([{ value: 'x' }]),
  }) as fc.Arbitrary<Measurement>;
});

const moment = (text: string): Moment => parseMoment(text) as Moment;

test('terms without parsing equal the terms of the text, and the text is valid FHIR', () => {
  const build = observationBuilder(BASE, limits);
  let filed = 0;
  fc.assert(
    fc.property(measurement, time, fc.option(time, { nil: undefined }), (m, start, end) => {
      const normal = normalise(m);
      if (isIssue(normal)) return;
      filed++;
      const period = end !== undefined && Date.parse(end) >= Date.parse(start) ? end : undefined;
      const built = build({
        normal,
        subject: 'p.1-A',
        device: 'd.2-B',
        time: moment(start),
        end: period === undefined ? undefined : moment(period),
        issued: instant(0),
      });
      const text = joinResource('Observation', 'x', 1, instant(0), built.meta, bodyText(built.body));
      const resource = JSON.parse(text);
      assert.deepEqual(built.terms, { ...extract(resource, BASE) });
      assert.deepEqual(
        validate(resource).filter((i) => i.severity === 'error'),
        [],
      );
      if (normal.value !== undefined) assert.ok(text.includes(`"value":${normal.value},`), text);
      for (const part of normal.parts) if (part.value !== undefined) assert.ok(text.includes(`"value":${part.value},`));
    }),
    { numRuns: 2_000 },
  );
  assert.ok(filed > 500, `only ${filed} of the arbitrary measurements were filed`);
});

test('two readings of one form share a skeleton, another unit or standing has its own', () => {
  const build = observationBuilder(BASE, limits);
  const key = (m: Partial<Measurement>): string => {
    const whole: Measurement = { kind: 'heart-rate', value: '70', status: [], retracted: false, device: [], ...m };
    const normal = normalise(whole);
    assert.ok(!isIssue(normal));
    const { body } = build({ normal, subject: 'p', device: 'd', time: moment(instant(0)), issued: instant(0) });
    assert.ok(typeof body === 'object');
    return body.skeleton.key;
  };
  assert.equal(key({ value: '71' }), key({ value: '72.50' }));
  const all = [
    key({}),
    key({ value: '233' }),
    key({ value: 'NaN' }),
    key({ status: ['demo'] }),
    key({ status: ['manual'] }),
  ];
  // A label of test data is in meta, not in the skeleton.
  assert.equal(new Set(all).size, 4);
  assert.notEqual(
    key({ kind: 'blood-glucose', value: '100', unit: 'mg/dL' }),
    key({ kind: 'blood-glucose', value: '5', unit: 'mmol/L' }),
  );
});
