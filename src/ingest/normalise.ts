/**
 * Measurement → what will be filed: kind, unit, special values and device faults as reasons of absence, status words as
 * interpretation; hard ranges hold, soft ones publish as questionable.
 */
import { type Kind, kind as kindOf } from '../devices/kinds.ts';
import { judgeParts } from './components.ts';
import { type Issue, issue, malformed } from './issue.ts';
import type { Measurement } from './measurement.ts';
import type { AbsentReason, Normal, NormalPart, NormalValue, ObservationStatus } from './normal.ts';
import { statusEffect } from './status.ts';
import { judgeValue } from './value.ts';
import { isIssue } from './wire.ts';

interface Words {
  readonly absent?: AbsentReason;
  readonly status: ObservationStatus;
  readonly interpretation: readonly string[];
  readonly notes: readonly string[];
  readonly test: boolean;
  readonly aboutDevice: boolean;
}
const NO_WORDS: Words = { status: 'final', interpretation: [], notes: [], test: false, aboutDevice: false };

function wordsOf(m: Measurement): Words {
  if (m.status.length === 0) return NO_WORDS;
  const effects = m.status.map((word) => statusEffect(word) ?? {});
  const absent = effects.find((e) => e.absent)?.absent;
  const statuses = effects.map((e) => e.observationStatus);
  const unique = (texts: readonly (string | undefined)[]): string[] => [
    ...new Set(texts.filter((t) => t !== undefined)),
  ];
  return {
    ...(absent === undefined ? {} : { absent }),
    status: statuses.find((s) => s === 'entered-in-error') ?? statuses.find((s) => s !== undefined) ?? 'final',
    interpretation: unique(effects.map((e) => e.interpretation)),
    notes: unique(effects.map((e) => e.note)),
    test: effects.some((e) => e.test),
    aboutDevice: effects.some((e) => e.aboutDevice),
  };
}

const NO_PARTS: readonly NormalPart[] = [];

function filed(
  kind: Kind,
  words: Words,
  value: NormalValue,
  parts: readonly NormalPart[] = NO_PARTS,
  soft = false,
): Normal {
  const { interpretation } = words;
  return {
    ...value,
    kind,
    parts,
    status: words.status,
    interpretation:
      soft && !interpretation.includes('questionable') ? [...interpretation, 'questionable'] : interpretation,
    notes: words.notes,
    test: words.test,
    aboutDevice: words.aboutDevice || kind.subject === 'device',
  };
}

export function normalise(m: Measurement): Normal | Issue {
  const kind = kindOf(m.kind);
  if (!kind) {
    const name = JSON.stringify(m.kind).slice(0, 60);
    return issue('mapping.no-match', `The kind ${name} is not known. GET /ingest/kinds lists the names.`);
  }
  const words = wordsOf(m);
  if (words.absent !== undefined) {
    // A fault that the device reports wins over whatever number came with it.
    const { absent } = words;
    const parts = kind.components.filter((c) => c.required).map((component): NormalPart => ({ component, absent }));
    return filed(kind, words, { absent }, parts);
  }
  if (kind.shapes.includes('components')) {
    const found = judgeParts(kind, m);
    if (isIssue(found)) return found;
    return filed(kind, words, found.absent === undefined ? {} : { absent: found.absent }, found.parts, found.soft);
  }
  if (m.components !== undefined) return malformed(`${kind.name} has no components.`);
  const found = judgeValue(kind, kind.shapes, m);
  return isIssue(found) ? found : filed(kind, words, found.value, NO_PARTS, found.soft);
}
