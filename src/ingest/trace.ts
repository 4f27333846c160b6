/** What each stage did with a message, in words, for dry runs and for `explain`. Costs nothing where nobody asks. */
import { instant } from '../base/clock.ts';
import type { DeviceView } from '../devices/index.ts';
import type { Candidate, Item } from './candidate.ts';
import type { Issue } from './issue.ts';
import type { Normal, NormalValue } from './normal.ts';

export type Stage = { readonly stage: string } & Readonly<Record<string, unknown>>;

const given = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined));

const filed = (v: NormalValue): Record<string, unknown> =>
  given({
    value: v.value,
    unit: v.unit?.code,
    samples: v.samples,
    coded: v.coded?.code,
    flag: v.flag,
    dataAbsentReason: v.absent,
  });

function normalised(c: Candidate, normal: Normal): Stage {
  const sent = c.measurement;
  return {
    stage: 'normalise',
    ...given({
      kind: normal.kind.name,
      sent: given({ value: sent.value, unit: sent.unit, status: sent.status.length > 0 ? sent.status : undefined }),
      filed: filed(normal),
      components:
        normal.parts.length > 0 ? normal.parts.map((p) => ({ kind: p.component.name, ...filed(p) })) : undefined,
      status: normal.status,
      interpretation: normal.interpretation.length > 0 ? normal.interpretation : undefined,
    }),
  };
}

function deviceStage(found: DeviceView | 'unknown' | 'several' | undefined, c: Candidate): Stage {
  const identities = c.group.identities;
  if (typeof found !== 'object') return { stage: 'device', identities, ...given({ found }) };
  return { stage: 'device', identities, device: `Device/${found.id}` };
}

/** The stage that an issue was found in. */
function stageOf(found: Issue): string {
  const [area] = found.code.split('.');
  if (area === 'time') return 'time';
  if (found.code === 'device.unknown') return 'device';
  if (area === 'device') return 'patient';
  if (area === 'version') return 'identity';
  return area === 'store' ? 'build' : 'normalise';
}

function candidateStages(c: Candidate): Stage[] {
  const stages: Stage[] = [];
  if (c.normal) stages.push(normalised(c, c.normal));
  const { time, end } = c.measurement;
  stages.push({
    stage: 'time',
    ...given({ effective: c.moment.text, end: end?.text, from: time ? 'message' : 'reception' }),
  });
  const { found } = c.group;
  if (found !== undefined && !c.refused) stages.push(deviceStage(found, c));
  if (c.patient !== undefined) stages.push({ stage: 'patient', patient: `Patient/${c.patient}` });
  const { outcome } = c;
  if (c.key !== undefined) stages.push({ stage: 'identity', ...given({ key: c.key, version: c.measurement.version }) });
  if (outcome?.status === 'refused') stages.push({ stage: stageOf(outcome.issue), issue: outcome.issue });
  else if (outcome) stages.push({ stage: 'build', result: outcome.status });
  return stages;
}

export function stagesOf(item: Item, adapter: { readonly name: string; readonly version: string }): Stage[] {
  const decode: Stage = {
    stage: 'decode',
    adapter: adapter.name,
    version: adapter.version,
    ...(item.refused ? { issue: item.refused } : { measurements: item.candidates.length }),
  };
  return [
    { stage: 'receive', receivedAt: instant(item.receivedAt), index: item.message.index },
    decode,
    ...item.candidates.flatMap(candidateStages),
  ];
}
