/** Search: a page, a total, whether one resource is within a filter. Everything of one call is read at one moment. */
import { VitalwireError } from '../../base/errors.ts';
import type { Limits } from '../../base/limits.ts';
import { type AccessFilter, and, type Filter, type Plan } from '../../search/plan.ts';
import type { Page, Stored } from '../store.ts';
import { Candidate } from './candidate.ts';
import { changeCandidates } from './change-order.ts';
import { Judge } from './judge.ts';
import { type Lowered, Lowering } from './lower.ts';
import { compareValues, type Order, orderOf, type Values, valuesAt } from './order.ts';
import type { Prober } from './probe.ts';
import { setOf } from './probe.ts';
import type { Reader } from './reader.ts';
import type { Position } from './runs.ts';
import { chooseSource, type Source } from './source.ts';
import { DELETE } from './wire.ts';

/** Their index rows are exactly the resources that are found, when every class is asked for. */
const COUNTED_BY_INDEX: ReadonlySet<Filter['op']> = new Set(['quantity', 'number', 'string', 'token', 'uri']);

interface Placed {
  readonly c: Candidate;
  readonly values: Values;
}

/** One search under way. */
interface Run {
  readonly lowered: Lowered;
  readonly judge: Judge;
  readonly source: Source;
}

export class Search implements Prober {
  readonly reader: Reader;
  readonly #lowering: Lowering;
  readonly #limits: Limits;

  constructor(reader: Reader, limits: Limits) {
    this.reader = reader;
    this.#limits = limits;
    this.#lowering = new Lowering(reader.classes);
  }

  page(plan: Plan, access: AccessFilter): Page {
    if (access.type !== plan.type) throw new Error(`an access filter for ${access.type} on a search of ${plan.type}`);
    return this.reader.snapshot(() => {
      const run = this.#begin(plan.type, and(plan.filter, access.filter));
      const snapshot = plan.cursor?.snapshot ?? this.reader.lastSeq();
      const total = plan.total ? this.#total(run, plan.cursor?.snapshot) : undefined;
      if (plan.count <= 0 || run.lowered.picks.size === 0) return { entries: [], total };
      const order = orderOf(plan);
      const placed = this.#isWalked(run, order) ? this.#walk(run, order, plan) : this.#sorted(run, order, plan);
      const shown = placed.slice(0, plan.count);
      const last = shown.at(-1);
      return {
        entries: shown.map(({ c }): Stored => this.reader.stored(c.row)),
        next: placed.length > shown.length && last ? { values: last.values, snapshot } : undefined,
        total,
      };
    });
  }

  /** Whether it is within the filter as it stands. */
  visible(type: string, id: string, access: AccessFilter): boolean {
    if (access.type !== type) throw new Error(`an access filter for ${access.type} on a ${type}`);
    return this.reader.snapshot(() => {
      const row = this.reader.resolve(type, id);
      if (!row || row.method === DELETE) return false;
      const candidate = Candidate.of(this.reader, row, this.reader.classes.get(row.cls));
      return new Judge(this.reader, this).finds(access.filter, candidate);
    });
  }

  find(type: string, filter: Filter, limit: number): Candidate[] {
    return this.reader.snapshot(() => {
      const found: Candidate[] = [];
      for (const c of this.#found(this.#begin(type, filter), Math.min(limit, 100))) {
        found.push(c);
        if (found.length >= limit) break;
      }
      return found;
    });
  }

  exists(type: string, filter: Filter): boolean {
    return this.find(type, filter, 1).length > 0;
  }

  #begin(type: string, filter: Filter): Run {
    const lowered = this.#lowering.lower(type, filter);
    return {
      lowered,
      judge: new Judge(this.reader, this),
      source: chooseSource(this, lowered, this.#limits.listedEntriesMax),
    };
  }

  /** Candidates that are found, in the order of their source. */
  *#found(run: Run, piece: number, candidates = run.source.candidates(true, undefined, piece)): Generator<Candidate> {
    const start = Candidate.parsed;
    let sets = false;
    for (const c of candidates) {
      const pick = run.lowered.picks.get(c.cls.id);
      if (!pick || !run.judge.all(pick.rest, c, run.source.given)) continue;
      yield c;
      if (sets || Candidate.parsed - start < this.#limits.textsPerSearchMax) continue;
      sets = true;
      this.#useSets(run);
    }
  }

  #useSets(run: Run): void {
    const visit = (filter: Filter): void => {
      if (filter.op === 'and' || filter.op === 'or') filter.of.forEach(visit);
      else if (filter.op === 'not') visit(filter.of);
      else if (filter.op === 'composite') {
        for (const part of filter.parts) {
          const set = setOf(this, run.lowered.type, part);
          if (!set) continue;
          run.judge.useSet(filter, set);
          break;
        }
      } else {
        const set = setOf(this, run.lowered.type, filter);
        if (set) run.judge.useSet(filter, set);
      }
    };
    run.lowered.rest.forEach(visit);
  }

  /** The source is in the order that is asked for; otherwise what is found is sorted. */
  #isWalked(run: Run, order: Order): boolean {
    if (!run.source.ordered) return false;
    if (order.kind === 'primary') return true;
    // A patient's resources are few beside the change log.
    return order.kind === 'updated' && run.source.wide;
  }

  #walk(run: Run, order: Order, plan: Plan): Placed[] {
    const { cursor, count } = plan;
    const placed: Placed[] = [];
    const candidates = this.#inOrder(run, order, cursor?.values, count + 1);
    for (const c of this.#found(run, count + 1, candidates)) {
      // What was written since the first page keeps its old place, see `moved`.
      if (cursor && c.row.seq > cursor.snapshot) continue;
      placed.push({ c, values: valuesAt(this.reader, order, c, cursor?.snapshot) as Values });
      if (placed.length > count) break;
    }
    if (!cursor || this.reader.lastSeq() === cursor.snapshot) return placed;
    placed.push(...this.#moved(run, order, cursor.values, cursor.snapshot));
    return placed.sort((a, b) => compareValues(order, a.values, b.values)).slice(0, count + 1);
  }

  #inOrder(run: Run, order: Order, after: Values | undefined, piece: number): Iterable<Candidate> {
    const [first, rid] = (after ?? []) as number[];
    if (order.kind === 'updated') return changeCandidates(this.reader, run.lowered, order.descending, first);
    const position: Position | undefined = after && { date: first as number, rid: rid as number };
    return run.source.candidates(order.descending, position, piece);
  }

  /** Found resources that were updated since the first page was cut and whose place then is still to come. */
  *#moved(run: Run, order: Order, after: Values, snapshot: number): Generator<Placed> {
    for (const c of this.#changedSince(run, snapshot, 'version > 1 AND')) {
      const values = valuesAt(this.reader, order, c, snapshot);
      if (values && compareValues(order, after, values) < 0) yield { c, values };
    }
  }

  *#changedSince(run: Run, snapshot: number, which: string): Generator<Candidate> {
    for (const [rid] of this.reader.db.all(`SELECT DISTINCT rid FROM change WHERE ${which} seq > ?`, snapshot)) {
      const row = this.reader.row(rid as number);
      const pick = row && run.lowered.picks.get(row.cls);
      if (!row || !pick || row.method === DELETE) continue;
      const c = Candidate.of(this.reader, row, pick.cls);
      if (run.judge.all(pick.rest, c)) yield c;
    }
  }

  #sorted(run: Run, order: Order, plan: Plan): Placed[] {
    const { cursor, count } = plan;
    const placed: Placed[] = [];
    let found = 0;
    for (const c of this.#found(run, this.#limits.sortedEntriesMax)) {
      if (++found > this.#limits.sortedEntriesMax)
        throw new VitalwireError(
          'request.too-many',
          `More than ${this.#limits.sortedEntriesMax} resources would have to be sorted by that. Narrow the search, or sort by date or _lastUpdated.`,
        );
      const values = valuesAt(this.reader, order, c, cursor?.snapshot);
      if (values && (!cursor || compareValues(order, cursor.values, values) < 0)) placed.push({ c, values });
    }
    return placed.sort((a, b) => compareValues(order, a.values, b.values)).slice(0, count + 1);
  }

  #counted(run: Run): number {
    const { picks, rest, type } = run.lowered;
    let total = 0;
    if (rest.length === 0) {
      for (const cls of picks.keys()) total += this.reader.db.number(0, 'SELECT n FROM class_count WHERE cls = ?', cls);
      return total;
    }
    const [only] = rest;
    if (
      only &&
      rest.length === 1 &&
      COUNTED_BY_INDEX.has(only.op) &&
      picks.size === this.reader.classes.of(type).length
    ) {
      const set = setOf(this, type, only);
      if (set) return set.size;
    }
    for (const _ of this.#found(run, 1_000)) total++;
    return total;
  }

  /** How many are found; on later pages without what came after the first. */
  #total(run: Run, snapshot: number | undefined): number {
    let total = this.#counted(run);
    if (snapshot === undefined || this.reader.lastSeq() === snapshot) return total;
    for (const c of this.#changedSince(run, snapshot, ''))
      if (!valuesAt(this.reader, { kind: 'updated', descending: true }, c, snapshot)) total--;
    return total;
  }
}
