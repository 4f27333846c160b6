/** One value as a device sent it → as it is filed: unit, special values, no signal, ranges. `iomt-facts` §6, §7.3, §7.4. */
import type { KindUnit, Measured, Range, Shape } from '../devices/kinds.ts';
import { factorIn, originIn, type UnitUse, unitFor, valueIn } from '../devices/units.ts';
import { type Issue, issue, malformed } from './issue.ts';
import type { Samples } from './measurement.ts';
import type { AbsentReason, NormalValue } from './normal.ts';
import { extremes } from './samples.ts';

/** What both a measurement and a component of one say. */
export interface Sent {
  readonly value?: string;
  readonly unit?: string;
  readonly samples?: Samples;
}

export interface Judgement {
  readonly value: NormalValue;
  /** Outside what is plausible, inside what is possible. */
  readonly soft: boolean;
}
const fine = (value: NormalValue): Judgement => ({ value, soft: false });

const SPECIALS: Readonly<Record<string, AbsentReason>> = {
  NaN: 'not-a-number',
  INF: 'positive-infinity',
  '-INF': 'negative-infinity',
};

function unitIssue(
  code: Exclude<ReturnType<typeof unitFor>, UnitUse>,
  measured: Measured,
  text: string | undefined,
): Issue {
  const own = measured.units.map((u) => u.code).join(' or ');
  const said = JSON.stringify(text ?? '').slice(0, 60);
  if (code === 'unit.missing')
    return issue(code, `${measured.name} needs a unit, since more than one is common. Send ${own}.`);
  if (code === 'unit.unknown')
    return issue(code, `The unit ${said} is not known. Send UCUM, for ${measured.name} ${own}.`);
  return issue(code, `The unit ${said} does not measure ${measured.name}. Send ${own}.`);
}

const outside = (n: number, range: Range | undefined): boolean =>
  range !== undefined && (n > range.high || (range.lowExclusive === true ? n <= range.low : n < range.low));

function implausible(measured: Measured, unit: KindUnit, text: string): Issue {
  const { hard } = unit;
  const range = hard ? ` It must be between ${hard.low} and ${hard.high} ${unit.code}.` : ' It must be a whole number.';
  return issue('value.implausible', `${measured.name} of ${text} ${unit.code} cannot be.${range} Check the device.`);
}

function quantity(measured: Measured, sent: string, said: string | undefined): Judgement | Issue {
  const use = unitFor(measured, said);
  const special = SPECIALS[sent];
  if (special !== undefined) {
    // Without a number no unit is needed, but a wrong one still tells of a wrong mapping.
    const wrong = typeof use === 'string' && use !== 'unit.missing';
    return wrong ? unitIssue(use, measured, said) : fine({ absent: special });
  }
  if (typeof use === 'string') return unitIssue(use, measured, said);
  const value = valueIn(use, sent);
  const n = Number(value);
  // CONTRACT §5: a rate, saturation or pressure of 0 is no signal
  if (n === 0 && measured.zeroIsNoSignal) return fine({ absent: 'error' });
  if (outside(n, use.unit.hard) || (measured.integer && !Number.isInteger(n)))
    return implausible(measured, use.unit, value);
  return { value: { unit: use.unit, value }, soft: outside(n, use.unit.soft) };
}

function series(measured: Measured, sent: Samples, said: string | undefined): Judgement | Issue {
  const use = unitFor(measured, said);
  if (typeof use === 'string') return unitIssue(use, measured, said);
  const samples: Samples = use.linear
    ? {
        ...sent,
        factor: factorIn(use, sent.factor ?? '1'),
        origin: originIn(use, sent.origin ?? '0'),
        ...(sent.lowerLimit === undefined ? {} : { lowerLimit: valueIn(use, sent.lowerLimit) }),
        ...(sent.upperLimit === undefined ? {} : { upperLimit: valueIn(use, sent.upperLimit) }),
      }
    : sent;
  const { soft, hard } = use.unit;
  const found = soft || hard ? extremes(samples) : undefined;
  if (found && (outside(found.low, hard) || outside(found.high, hard)))
    return implausible(measured, use.unit, `${found.low} to ${found.high}`);
  const beyond = found !== undefined && (outside(found.low, soft) || outside(found.high, soft));
  return { value: { unit: use.unit, samples }, soft: beyond };
}

/** @param shapes what the kind or component takes. */
export function judgeValue(measured: Measured, shapes: readonly Shape[], sent: Sent): Judgement | Issue {
  if (sent.samples !== undefined)
    return shapes.includes('sampled')
      ? series(measured, sent.samples, sent.unit)
      : malformed(`${measured.name} is one value, not a series of samples.`);
  const { value } = sent;
  if (value === undefined)
    return malformed(`${measured.name} needs ${shapes[0] === 'sampled' ? '"samples"' : 'a "value"'}.`);
  if (shapes.includes('quantity')) return quantity(measured, value, sent.unit);
  if (shapes.includes('boolean') && (value === '0' || value === '1')) return fine({ flag: value === '1' });
  const coded = shapes.includes('coded') ? measured.values[value] : undefined;
  return coded ? fine({ coded }) : malformed(`${measured.name} does not take the value ${value}.`);
}
