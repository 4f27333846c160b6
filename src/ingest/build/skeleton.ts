/**
 * The text of an Observation with holes: all readings of one kind, unit and standing share it, so that a reading is a handful of
 * short texts. Members stand in the order of FHIR R4 observation.html.
 */
import { sha256Url } from '../../base/hash.ts';
import type { Coding, KindUnit } from '../../devices/kinds.ts';
import type { Skeleton } from '../../store/store.ts';
import type { Samples } from '../measurement.ts';
import type { AbsentReason, Normal, NormalPart, NormalValue } from '../normal.ts';
import type { Moment } from '../time.ts';

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const ABSENT = 'http://terminology.hl7.org/CodeSystem/data-absent-reason';
const MEASUREMENT_STATUS = 'http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status';
const UCUM = 'http://unitsofmeasure.org';
const TEST_DATA =
  ',"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HTEST","display":"test health data"}]';

const CATEGORIES: Readonly<Record<string, string>> = {
  'vital-signs': 'Vital Signs',
  laboratory: 'Laboratory',
  activity: 'Activity',
  procedure: 'Procedure',
};
const ABSENT_DISPLAY: Readonly<Record<AbsentReason, string>> = {
  'not-a-number': 'Not a Number (NaN)',
  'positive-infinity': 'Positive Infinity (PINF)',
  'negative-infinity': 'Negative Infinity (NINF)',
  error: 'Error',
  'not-performed': 'Not Performed',
  'temp-unknown': 'Temporarily Unknown',
  unknown: 'Unknown',
};

/** What fills the holes. Every text is of a form that needs no escaping in JSON: ids, date-times, decimals, samples. */
export interface Filling {
  readonly normal: Normal;
  /** Logical id of the Patient, or of the Device when the reading is about it. */
  readonly subject: string;
  readonly device: string;
  readonly time: Moment;
  readonly end?: Moment | undefined;
  readonly issued: string;
}
export type Reader = (from: Filling) => string;

export interface Form {
  readonly skeleton: Skeleton;
  readonly readers: readonly Reader[];
  /** Further members of meta, see Draft. */
  readonly meta: string;
}

class Pieces {
  readonly parts: string[] = [];
  readonly readers: Reader[] = [];
  private open = '';
  text(text: string): this {
    this.open += text;
    return this;
  }
  hole(reader: Reader): this {
    this.parts.push(this.open);
    this.open = '';
    this.readers.push(reader);
    return this;
  }
  end(): this {
    this.parts.push(this.open);
    return this;
  }
}

const concept = (codings: readonly Coding[]): string =>
  JSON.stringify({ coding: codings.map(({ system, code, display }) => ({ system, code, display })) });

const absentReason = (reason: AbsentReason): string =>
  `,"dataAbsentReason":${concept([{ system: ABSENT, code: reason, display: ABSENT_DISPLAY[reason] }])}`;

const unitText = (unit: KindUnit): string =>
  `"unit":${JSON.stringify(unit.unit)},"system":"${UCUM}","code":${JSON.stringify(unit.code)}`;

/** The codings of the kind in this unit: those that fit the unit alone come first. */
function codingsOf(normal: Normal): readonly Coding[] {
  const own = normal.unit?.codings ?? normal.kind.units[0]?.codings ?? [];
  return [...own, ...normal.kind.codings];
}

type ValueReader = (from: Filling) => NormalValue;
const samplesIn = (at: ValueReader, from: Filling): Samples => at(from).samples as Samples;

/** `,"value…":…` or nothing; `at` finds the same value in whatever fills the skeleton. */
function valueText(p: Pieces, v: NormalValue, at: ValueReader): void {
  if (v.value !== undefined && v.unit)
    p.text(',"valueQuantity":{"value":')
      .hole((f) => at(f).value as string)
      .text(`,${unitText(v.unit)}}`);
  else if (v.samples && v.unit) {
    p.text(',"valueSampledData":{"origin":{"value":').hole((f) => samplesIn(at, f).origin ?? '0');
    p.text(`,${unitText(v.unit)}},"period":`).hole((f) => samplesIn(at, f).period);
    for (const name of ['factor', 'lowerLimit', 'upperLimit'] as const)
      if (v.samples[name] !== undefined) p.text(`,"${name}":`).hole((f) => samplesIn(at, f)[name] as string);
    p.text(',"dimensions":1,"data":"')
      .hole((f) => samplesIn(at, f).data)
      .text('"}');
  } else if (v.coded) p.text(`,"valueCodeableConcept":${concept([v.coded])}`);
  else if (v.flag !== undefined) p.text(`,"valueBoolean":${v.flag}`);
}

function componentText(p: Pieces, part: NormalPart, index: number): void {
  p.text(`${index === 0 ? ',"component":[' : ','}{"code":${concept(part.component.codings)}`);
  valueText(p, part, (f) => f.normal.parts[index] as NormalPart);
  p.text(`${part.absent === undefined ? '' : absentReason(part.absent)}}`);
}

export function formOf(normal: Normal, period: boolean): Form {
  const p = new Pieces();
  const { category } = normal.kind;
  p.text(`,"status":"${normal.status}"`);
  if (category !== undefined)
    p.text(
      `,"category":[${concept([{ system: CATEGORY, code: category, display: CATEGORIES[category] ?? category }])}]`,
    );
  p.text(`,"code":${concept(codingsOf(normal))},"subject":{"reference":"${normal.aboutDevice ? 'Device' : 'Patient'}/`);
  p.hole((f) => f.subject).text('"}');
  if (period)
    p.text(',"effectivePeriod":{"start":"')
      .hole((f) => f.time.text)
      .text('","end":"')
      .hole((f) => f.end?.text ?? '')
      .text('"}');
  else
    p.text(',"effectiveDateTime":"')
      .hole((f) => f.time.text)
      .text('"');
  p.text(',"issued":"')
    .hole((f) => f.issued)
    .text('"');
  valueText(p, normal, (f) => f.normal);
  if (normal.absent !== undefined) p.text(absentReason(normal.absent));
  if (normal.interpretation.length > 0)
    p.text(
      `,"interpretation":[${normal.interpretation.map((code) => concept([{ system: MEASUREMENT_STATUS, code }])).join(',')}]`,
    );
  if (normal.notes.length > 0) p.text(`,"note":${JSON.stringify(normal.notes.map((text) => ({ text })))}`);
  p.text(',"device":{"reference":"Device/').hole((f) => f.device);
  p.text('"}');
  for (const [i, part] of normal.parts.entries()) componentText(p, part, i);
  p.text(normal.parts.length > 0 ? ']}' : '}').end();
  return {
    skeleton: { key: `obs/${sha256Url(p.parts.join('\u0000')).slice(0, 16)}`, parts: p.parts },
    readers: p.readers,
    meta: normal.test ? TEST_DATA : '',
  };
}

function valueKey(v: NormalValue): string {
  if (v.value !== undefined) return v.unit?.code ?? '';
  if (v.absent !== undefined) return `a:${v.absent}`;
  if (v.samples) {
    const { factor, lowerLimit, upperLimit } = v.samples;
    const optional = [factor, lowerLimit, upperLimit].map((x) => (x === undefined ? 0 : 1)).join('');
    return `s:${v.unit?.code}:${optional}`;
  }
  return v.coded ? `c:${v.coded.code}` : `b:${v.flag}`;
}

/** Equal for measurements that share a form. */
export function formKey(normal: Normal, period: boolean): string {
  let key = `${normal.kind.name} ${normal.status} ${valueKey(normal)}`;
  for (const part of normal.parts) key += ` ${part.component.name}=${valueKey(part)}`;
  if (period) key += ' period';
  if (normal.aboutDevice) key += ' device';
  if (normal.test) key += ' test';
  for (const code of normal.interpretation) key += ` i:${code}`;
  for (const note of normal.notes) key += ` n:${note}`;
  return key;
}
