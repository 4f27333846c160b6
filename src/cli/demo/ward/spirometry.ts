/** Forced breathing: what height, age and sex predict, what disease takes away, and how hard the patient tries. */
import type { Random } from './random.ts';

export interface Lungs {
  readonly sex: 'female' | 'male';
  readonly years: number;
  readonly heightCm: number;
  /** Shares of the predicted values; 1 is healthy. */
  readonly fev1Share: number;
  readonly fvcShare: number;
}

export interface Blow {
  /** L */
  readonly fev1: number;
  readonly fvc: number;
  /** L/min */
  readonly peakFlow: number;
}

/** ECSC 1993 (Quanjer et al., Eur Respir J 6 Suppl 16): linear in height (m) and age (years); PEF in L/s. */
const PREDICTED = {
  male: { fev1: [4.3, -0.029, -2.49], fvc: [5.76, -0.026, -4.34], pef: [6.14, -0.043, 0.15] },
  female: { fev1: [3.95, -0.025, -2.6], fvc: [4.43, -0.026, -2.89], pef: [5.5, -0.03, -1.11] },
} as const;

const linear = ([perMetre, perYear, constant]: readonly [number, number, number], l: Lungs): number =>
  (perMetre * l.heightCm) / 100 + perYear * l.years + constant;

export function predicted(lungs: Lungs): Blow {
  const p = PREDICTED[lungs.sex];
  return { fev1: linear(p.fev1, lungs), fvc: linear(p.fvc, lungs), peakFlow: 60 * linear(p.pef, lungs) };
}

/** One manoeuvre. Peak flow depends on effort most, vital capacity least; one blow in eight is half-hearted. */
export function blow(lungs: Lungs, random: Random): Blow {
  const best = predicted(lungs);
  const effort = 1 - Math.abs(random.normal()) * 0.02 - (random.next() < 1 / 8 ? 0.12 * random.next() : 0);
  const fvc = best.fvc * lungs.fvcShare * effort ** 0.7;
  // No one breathes out more in the first second than in all.
  const fev1 = Math.min(best.fev1 * lungs.fev1Share * effort, 0.97 * fvc);
  return { fev1, fvc, peakFlow: best.peakFlow * ((lungs.fev1Share + lungs.fvcShare) / 2) * effort ** 1.8 };
}
