/** A search in the order of lastUpdated goes along the change log: it needs no index of its own. */
import { Candidate } from './candidate.ts';
import { TYPE } from './dictionary.ts';
import type { Lowered } from './lower.ts';
import { seqRange } from './probe.ts';
import type { Reader } from './reader.ts';
import { OBSERVATION_TYPE } from './schema.ts';
import { DELETE } from './wire.ts';

/** Newest versions of picked classes; `after` is a change number. */
export function* changeCandidates(
  reader: Reader,
  lowered: Lowered,
  descending: boolean,
  after: number | undefined,
): Generator<Candidate, void> {
  const type = reader.dict.find(TYPE, lowered.type) ?? 0;
  let from = 0;
  let to = Number.MAX_SAFE_INTEGER;
  for (const filter of lowered.conjuncts) {
    if (filter.op !== 'last-updated') continue;
    const range = seqRange(reader, filter);
    from = Math.max(from, range.from - 1);
    to = Math.min(to, range.to);
  }
  if (after !== undefined && descending) to = Math.min(to, after);
  else if (after !== undefined) from = Math.max(from, after);
  // The condition is written out so that the index of rare types is used for them.
  const ofType = type === OBSERVATION_TYPE ? 'type = ?' : `type = ? AND type <> ${OBSERVATION_TYPE}`;
  const sql = `SELECT seq, rid FROM change WHERE ${ofType} AND seq > ? AND seq < ? ORDER BY seq ${descending ? 'DESC' : ''} LIMIT 0 + ?`;
  for (let piece = 100; ; piece = 1_000) {
    const rows = reader.db.all(sql, type, from, to, piece);
    for (const [seq, rid] of rows as [number, number][]) {
      if (descending) to = seq;
      else from = seq;
      const row = reader.row(rid);
      const pick = row && lowered.picks.get(row.cls);
      if (row && pick && row.seq === seq && row.method !== DELETE) yield Candidate.of(reader, row, pick.cls);
    }
    if (rows.length < piece) return;
  }
}
