/** A judged measurement → what the store writes: skeleton, values, meta and search terms. */
import type { Limits } from '../../base/limits.ts';
import { extract } from '../../fhir/extract.ts';
import type { Terms } from '../../fhir/terms.ts';
import { joinResource } from '../../fhir/text.ts';
import { validate } from '../../fhir/validate.ts';
import type { Body } from '../../store/store.ts';
import type { Normal, NormalValue } from '../normal.ts';
import { type Filling, type Form, formKey, formOf } from './skeleton.ts';
import { SPECIMEN, specimenNumber, type TermsMaker, termsMaker } from './terms.ts';

export interface Built {
  /** See Draft. */
  readonly meta: string;
  readonly body: Body;
  readonly terms: Terms;
}

export type ObservationBuilder = (filling: Filling) => Built;

/** Text of a body. */
export function bodyText(body: Body): string {
  if (typeof body === 'string') return body;
  const { parts } = body.skeleton;
  let text = parts[0] as string;
  for (let i = 0; i < body.values.length; i++) text += (body.values[i] as string) + (parts[i + 1] as string);
  return text;
}

interface Ready extends Form {
  readonly terms: TermsMaker;
}

/** The same measurement with values that stand nowhere else. */
function specimenOf(normal: Normal): Normal {
  let next = 0;
  const replaced = <T extends NormalValue>(v: T): T =>
    v.value === undefined ? v : { ...v, value: specimenNumber(next++) };
  const whole = replaced(normal);
  return { ...whole, parts: normal.parts.map(replaced) };
}

function prepare(normal: Normal, period: boolean, base: string): Ready {
  const form = formOf(normal, period);
  const filling: Filling = { ...SPECIMEN, normal: specimenOf(normal) };
  const body = bodyText({ skeleton: form.skeleton, values: form.readers.map((read) => read(filling)) });
  const specimen = JSON.parse(joinResource('Observation', 'specimen', 1, SPECIMEN.issued, form.meta, body));
  const wrong = validate(specimen).filter((found) => found.severity === 'error');
  if (wrong.length > 0)
    throw new Error(`the form of ${normal.kind.name} is not valid FHIR: ${wrong.map((w) => w.details).join('; ')}`);
  return { ...form, terms: termsMaker(extract(specimen, base)) };
}

function numbersOf(normal: Normal): readonly number[] {
  if (normal.value !== undefined) return [Number(normal.value)];
  const numbers: number[] = [];
  for (const part of normal.parts) if (part.value !== undefined) numbers.push(Number(part.value));
  return numbers;
}

/**
 * Each form is validated once, as a specimen: what differs between readings of a form cannot make one of them invalid.
 * @throws Error when a form is no valid FHIR, which is a fault of the kind's definition.
 */
export function observationBuilder(base: string, limits: Limits): ObservationBuilder {
  const ready = new Map<string, Ready>();
  return (filling) => {
    const { normal, time, end } = filling;
    const period = end !== undefined;
    const key = formKey(normal, period);
    let form = ready.get(key);
    if (!form) {
      if (ready.size >= limits.skeletonsCachedMax) ready.clear();
      form = prepare(normal, period, base);
      ready.set(key, form);
    }
    const { readers } = form;
    const values: string[] = new Array(readers.length);
    for (let i = 0; i < readers.length; i++) values[i] = (readers[i] as (f: Filling) => string)(filling);
    const terms = form.terms({
      subject: filling.subject,
      device: filling.device,
      low: time.ms,
      high: (end ?? time).high,
      numbers: numbersOf(normal),
    });
    return { meta: form.meta, body: { skeleton: form.skeleton, values }, terms };
  };
}
