/** The parts of a panel: each judged alone, then against each other. */
import type { Kind } from '../devices/kinds.ts';
import { type Issue, issue, malformed } from './issue.ts';
import type { Measurement } from './measurement.ts';
import type { AbsentReason, NormalPart } from './normal.ts';
import { judgeValue } from './value.ts';
import { isIssue } from './wire.ts';

/** Systolic > diastolic, the mean between them (`iomt-facts` §7.4): never falling in the kind's order, rising over the whole. */
function disorder(kind: Kind, parts: readonly NormalPart[]): Issue | undefined {
  const there = kind.ordered
    .map((name) => parts.find((p) => p.component.name === name && p.value !== undefined))
    .filter((part) => part !== undefined);
  for (const [i, part] of there.entries()) {
    const lower = there[i - 1];
    if (!lower) continue;
    const ends = lower.component.name === kind.ordered[0] && part.component.name === kind.ordered.at(-1);
    const difference = Number(part.value) - Number(lower.value);
    if (difference < 0 || (ends && difference === 0)) return notBelow(lower, part);
  }
  const low = there[0];
  const high = there.at(-1);
  return there.length > 2 && low && high && Number(low.value) >= Number(high.value) ? notBelow(low, high) : undefined;
}

function notBelow(lower: NormalPart, upper: NormalPart): Issue {
  const text = (p: NormalPart): string => `${p.component.name} ${p.value}`;
  return issue('value.implausible', `${text(lower)} is not below ${text(upper)}. Check the device.`);
}

export interface Parts {
  readonly parts: readonly NormalPart[];
  /** Some part is outside what is plausible. */
  readonly soft: boolean;
  /** Why there is no value at all, when every part failed. */
  readonly absent?: AbsentReason;
}

/** A required part that was not sent is there with a reason. */
export function judgeParts(kind: Kind, m: Measurement): Parts | Issue {
  const names = kind.components.map((c) => c.name);
  const sent = m.components;
  if (!sent) return malformed(`${kind.name} needs "components": ${names.join(', ')}.`);
  const stranger = sent.find((p) => !names.includes(p.name));
  if (stranger)
    return malformed(`${kind.name} has no component ${stranger.name.slice(0, 40)}. It has ${names.join(', ')}.`);
  const parts: NormalPart[] = [];
  let soft = false;
  for (const component of kind.components) {
    const part = sent.find((p) => p.name === component.name);
    if (!part) {
      if (component.required) parts.push({ component, absent: 'unknown' });
      continue;
    }
    const unit = part.unit ?? m.unit;
    const found = judgeValue(component, [component.shape], unit === undefined ? part : { ...part, unit });
    if (isIssue(found)) return found;
    parts.push({ component, ...found.value });
    soft ||= found.soft;
  }
  const wrong = disorder(kind, parts);
  if (wrong) return wrong;
  const failed = parts.every((p) => p.absent !== undefined);
  const reason = parts.find((p) => p.absent !== 'unknown')?.absent ?? 'unknown';
  return failed ? { parts, soft, absent: reason } : { parts, soft };
}
