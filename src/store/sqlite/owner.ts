/** The conjunct of a search that leaves only a few patients. */
import type { Filter } from '../../search/plan.ts';
import type { Lowered } from './lower.ts';
import { chainTargets } from './lower-reference.ts';
import type { Prober } from './probe.ts';
import { isOwnerParam } from './routes.ts';

/** With more, going through the classes and looking at the owner of each row is better than a run for each patient. */
const PATIENTS_MAX = 200;

export interface Owner {
  readonly filter: Filter;
  readonly param: string;
  readonly pats: readonly number[];
}

/** The conjunct that leaves only a few patients, when the index by patient surely has all of their resources. */
export function ownerOf(prober: Prober, lowered: Lowered): Owner | undefined {
  const covered = (param: string): boolean =>
    [...lowered.picks.values()].every(
      ({ cls }) => cls.owners.length === 0 || cls.owners.includes(param) || param === 'patient',
    );
  for (const filter of lowered.conjuncts) {
    const param = ownerParam(filter);
    if (param === undefined || !covered(param)) continue;
    const pats = patsOf(prober, filter);
    if (pats && pats.length <= PATIENTS_MAX) return { filter, param, pats };
  }
  return undefined;
}

function ownerParam(filter: Filter): string | undefined {
  if (filter.op === 'reference' || filter.op === 'chain') return isOwnerParam(filter.param) ? filter.param : undefined;
  if (filter.op !== 'or') return undefined;
  const params = new Set(filter.of.map(ownerParam));
  return params.size === 1 ? [...params][0] : undefined;
}

function patsOf(prober: Prober, filter: Filter): number[] | undefined {
  if (filter.op === 'reference') return prober.reader.refs.codes(filter);
  if (filter.op === 'chain') return chainTargets(prober, filter, PATIENTS_MAX);
  if (filter.op !== 'or') return undefined;
  const all = new Set<number>();
  for (const part of filter.of) {
    const pats = patsOf(prober, part);
    if (!pats) return undefined;
    for (const pat of pats) all.add(pat);
  }
  return [...all];
}
