/** From the unit a device says to the unit its kind is filed in. CONTRACT §5 units. */
import { convert, isDecimal, type Linear, scaleExactly } from './decimal.ts';
import type { KindUnit, Measured } from './kinds.ts';
import { ucumConversion } from './units-ucum.ts';

/** Spellings seen in payloads → UCUM. They win over UCUM, in which `C` is coulomb and `F` farad. */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    Cel: 'C degC °C ℃ celsius Celsius',
    '[degF]': 'F degF °F ℉ fahrenheit Fahrenheit',
    'mm[Hg]': 'mmHg mm\u00a0Hg',
    '/min':
      'bpm count/min beats/min beats/minute breaths/min breaths/minute 1/min /minute min-1 {beats}/min {breaths}/min {beat}/min {count}/min',
    'mg/dL': 'mg/dl mg/DL',
    'mmol/L': 'mmol/l mMol/L',
    '[lb_av]': 'lbs lb pound pounds',
    '[in_i]': 'in inch inches',
    '[ft_i]': 'ft foot feet',
    '[stone_av]': 'st stone',
    '[oz_av]': 'oz',
    '%': 'percent pct',
    'L/min': 'l/min',
    'L/s': 'l/s',
    L: 'l liter litre',
    Ohm: 'ohm Ω',
    kcal: 'Cal kilocalories',
    'kg/m2': 'kg/m^2 kg/m²',
  }).flatMap(([ucum, spellings]) => spellings.split(' ').map((s) => [s, ucum] as const)),
);
/** Spellings with a blank inside. */
const SPACED: ReadonlyMap<string, string> = new Map([['mm Hg', 'mm[Hg]']]);

/** value × num ÷ den + offset ÷ den. Facts of the units themselves; whatever is not here is asked of UCUM. */
const linear = (num: bigint, den = 1n, offset = 0n): Linear => ({ num, den, offset });
const TABLE: ReadonlyMap<string, Linear> = new Map([
  ['[degF]>Cel', linear(5n, 9n, -160n)],
  ['K>Cel', linear(100n, 100n, -27315n)],
  ['kPa>mm[Hg]', linear(1_000_000n, 133_322n)],
  ['cm[H2O]>mm[Hg]', linear(980_665n, 1_333_220n)],
  ['[lb_av]>kg', linear(45_359_237n, 100_000_000n)],
  ['[oz_av]>kg', linear(45_359_237n, 1_600_000_000n)],
  ['[stone_av]>kg', linear(635_029_318n, 100_000_000n)],
  ['g>kg', linear(1n, 1000n)],
  ['[in_i]>cm', linear(254n, 100n)],
  ['[ft_i]>cm', linear(3048n, 100n)],
  ['m>cm', linear(100n)],
  ['mm>cm', linear(1n, 10n)],
  ['L/s>L/min', linear(60n)],
  ['L/min>L/s', linear(1n, 60n)],
  ['mL>L', linear(1n, 1000n)],
  ['1>%', linear(100n)],
  ['V>mV', linear(1000n)],
  ['s>ms', linear(1000n)],
  ['kcal>kJ', linear(4184n, 1000n)],
  ['kJ>kcal', linear(1000n, 4184n)],
  ['/s>/min', linear(60n)],
  ['Hz>/min', linear(60n)],
  ['kg/L>mg/dL', linear(100_000n)],
  ['g/L>mg/dL', linear(100n)],
  ['mol/L>mmol/L', linear(1000n)],
  ['km>m', linear(1000n)],
  ['min>s', linear(60n)],
]);

export interface UnitUse {
  readonly unit: KindUnit;
  /** Absent: the value is left as it is, to the digit. */
  readonly linear?: Linear;
}
export type UnitIssue = 'unit.missing' | 'unit.unknown' | 'unit.incommensurable';

const TEXT_MAX = 64;
const KEPT_MAX = 500;
const known = new WeakMap<Measured, Map<string, UnitUse | UnitIssue>>();

const isOne = (l: Linear): boolean => l.num === l.den && l.offset === 0n;

function find(measured: Measured, text: string): UnitUse | UnitIssue {
  for (const unit of measured.units)
    if (unit.code === text || unit.unit === text || unit.aliases?.includes(text)) return { unit };
  const from = ALIASES.get(text) ?? SPACED.get(text) ?? text;
  const same = measured.units.find((u) => u.code === from);
  if (same) return { unit: same };
  for (const unit of measured.units) {
    const conversion = TABLE.get(`${from}>${unit.code}`);
    if (conversion) return { unit, linear: conversion };
  }
  let verdict: UnitIssue = 'unit.incommensurable';
  for (const unit of measured.units) {
    const answer = ucumConversion(from, unit.code);
    if (answer === 'unknown') verdict = 'unit.unknown';
    else if (answer !== 'incommensurable') return isOne(answer) ? { unit } : { unit, linear: answer };
  }
  return verdict;
}

/**
 * @param text as the device said it; undefined or blank: none was said, and the kind's own is meant unless two are common.
 */
export function unitFor(measured: Measured, text: string | undefined): UnitUse | UnitIssue {
  const said = text?.trim() ?? '';
  if (said === '')
    return measured.unitRequired || measured.units[0] === undefined ? 'unit.missing' : { unit: measured.units[0] };
  if (said.length > TEXT_MAX) return 'unit.unknown';
  let table = known.get(measured);
  if (!table) {
    table = new Map();
    known.set(measured, table);
  }
  let answer = table.get(said);
  if (answer === undefined) {
    answer = find(measured, said);
    // What devices say is bounded by how many models there are; what somebody makes up is not.
    if (table.size >= KEPT_MAX) table.clear();
    table.set(said, answer);
  }
  return answer;
}

/** The value in the kind's unit: untouched, or converted and rounded to the resolution it was measured with. */
export const valueIn = (use: UnitUse, text: string): string =>
  use.linear === undefined ? text : convert(text, use.linear);

/** A factor of samples in the kind's unit, exactly; the samples themselves stay as they are. */
export const factorIn = (use: UnitUse, text: string): string =>
  use.linear === undefined || !isDecimal(text) ? text : scaleExactly(text, use.linear);

/** An origin of samples in the kind's unit. */
export const originIn = (use: UnitUse, text: string): string => {
  if (use.linear === undefined || !isDecimal(text)) return text;
  return use.linear.offset === 0n ? scaleExactly(text, use.linear) : convert(text, use.linear);
};
