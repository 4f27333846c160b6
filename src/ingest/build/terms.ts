/**
 * Search terms of device-born Observations without parsing each: the extractor runs once over a specimen of a form, in which
 * every hole has a value that stands nowhere else; where those turn up in the terms is where a reading's own go.
 */

import type { CompositeTerm, DateTerm, QuantityTerm, ReferenceTerm, Terms } from '../../fhir/terms.ts';
import { momentOf } from '../time.ts';

export interface TermValues {
  readonly subject: string;
  readonly device: string;
  /** [low, high) of the effective time, ms since 1970. */
  readonly low: number;
  readonly high: number;
  /** Of the value and then of the components that have one, in order. */
  readonly numbers: readonly number[];
}
export type TermsMaker = (values: TermValues) => Terms;

/** What stands in the holes of a specimen. */
export const SPECIMEN = {
  subject: 'specimen-subject',
  device: 'specimen-device',
  time: momentOf(981_173_106_007, '2001-02-03T04:05:06.007Z'),
  end: momentOf(981_259_506_007, '2001-02-04T04:05:06.007Z'),
  issued: '2001-02-05T04:05:06.007Z',
} as const;
const NUMBER = 1_234_567.5;
export const specimenNumber = (index: number): string => String(NUMBER + index);

/** Makes a list anew for each reading, or the same frozen one for all when no item has a hole. */
function listMaker<T>(
  items: readonly T[],
  hole: (item: T) => ((v: TermValues) => T) | undefined,
): (v: TermValues) => readonly T[] {
  const makers = items.map((item) => hole(item) ?? item);
  if (makers.every((m) => typeof m !== 'function')) {
    const same = Object.freeze([...items]);
    return () => same;
  }
  return (v) => {
    const made: T[] = new Array(makers.length);
    for (let i = 0; i < makers.length; i++) {
      const maker = makers[i];
      made[i] = typeof maker === 'function' ? (maker as (v: TermValues) => T)(v) : (maker as T);
    }
    return made;
  };
}

function referenceHole(term: ReferenceTerm): ((v: TermValues) => ReferenceTerm) | undefined {
  const { param, type } = term;
  if (term.id === SPECIMEN.subject) return (v) => ({ param, type, id: v.subject });
  if (term.id === SPECIMEN.device) return (v) => ({ param, type, id: v.device });
  return undefined;
}

function quantityHole(term: QuantityTerm): ((v: TermValues) => QuantityTerm) | undefined {
  const index = term.value - NUMBER;
  if (index < 0 || index > 1000) return undefined;
  const { param, system, code, unit } = term;
  return (v) => ({ param, value: v.numbers[index] as number, system, code, unit });
}

function dateHole(term: DateTerm): ((v: TermValues) => DateTerm) | undefined {
  if (term.low !== SPECIMEN.time.ms) return undefined;
  const { param } = term;
  return (v) => ({ param, low: v.low, high: v.high });
}

function compositeHole(term: CompositeTerm): ((v: TermValues) => CompositeTerm) | undefined {
  const parts = termsMaker(term.parts);
  const { param } = term;
  return (v) => ({ param, parts: parts(v) });
}

/** @param specimen what the extractor found in an Observation whose holes have the values of SPECIMEN. */
export function termsMaker(specimen: Terms): TermsMaker {
  // Frozen: whoever works something out of such a list may keep it for all readings of the form.
  const token = Object.freeze([...specimen.token]);
  const string = Object.freeze([...specimen.string]);
  const number = Object.freeze([...specimen.number]);
  const uri = Object.freeze([...specimen.uri]);
  const date = listMaker(specimen.date, dateHole);
  const quantity = listMaker(specimen.quantity, quantityHole);
  const reference = listMaker(specimen.reference, referenceHole);
  const composite = listMaker(specimen.composite, compositeHole);
  return (v) => ({
    token,
    string,
    date: date(v),
    number,
    quantity: quantity(v),
    reference: reference(v),
    uri,
    composite: composite(v),
  });
}
