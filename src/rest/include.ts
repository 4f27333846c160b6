/**
 * _include and _revinclude: what belongs to the matches of a page. Every type that is produced is authorised on its own, inside
 * the query; what the token may not see is silently absent. FHIR R4 search.html#revinclude
 */
import { isUnrestricted } from '../access/authorize.ts';
import type { Principal } from '../access/principal.ts';
import { isResourceType } from '../fhir/definitions.ts';
import { extract } from '../fhir/extract.ts';
import type { ReferenceTerm } from '../fhir/terms.ts';
import { type AccessFilter, type Filter, or } from '../search/plan.ts';
import type { Include } from '../search/query.ts';
import type { Stored } from '../store/store.ts';
import type { RestContext } from './context.ts';
import { accessIfAny } from './rules.ts';

export interface Related {
  readonly entries: readonly Stored[];
  /** There was more than `includeEntriesMax` or `includeRoundsMax` allow. */
  readonly cut: boolean;
}

interface Asked {
  readonly includes: readonly Include[];
  readonly revincludes: readonly Include[];
}

const keyOf = (type: string, id: string): string => `${type}/${id}`;

export async function related(
  ctx: RestContext,
  principal: Principal,
  asked: Asked,
  matches: readonly Stored[],
): Promise<Related> {
  const gatherer = new Gatherer(ctx, principal, matches);
  let frontier: readonly Stored[] = matches;
  let now = asked;
  const iterated: Asked = {
    includes: asked.includes.filter((i) => i.iterate),
    revincludes: asked.revincludes.filter((i) => i.iterate),
  };
  for (let round = 0; frontier.length > 0 && now.includes.length + now.revincludes.length > 0; round++) {
    if (round > ctx.limits.includeRoundsMax) return { entries: gatherer.entries, cut: true };
    const before = gatherer.entries.length;
    await gatherer.forward(frontier, now.includes);
    await gatherer.backward(frontier, now.revincludes);
    frontier = gatherer.entries.slice(before);
    now = iterated;
  }
  return { entries: gatherer.entries, cut: gatherer.cut };
}

class Gatherer {
  readonly entries: Stored[] = [];
  cut = false;
  readonly #ctx: RestContext;
  readonly #principal: Principal;
  readonly #seen: Set<string>;

  constructor(ctx: RestContext, principal: Principal, matches: readonly Stored[]) {
    this.#ctx = ctx;
    this.#principal = principal;
    this.#seen = new Set(matches.map((m) => keyOf(m.type, m.id)));
  }

  /** What the frontier refers to. */
  async forward(frontier: readonly Stored[], includes: readonly Include[]): Promise<void> {
    const wanted = new Map<string, Set<string>>();
    for (const stored of frontier) {
      const mine = includes.filter((i) => i.source === stored.type || i.source === '*');
      if (mine.length === 0) continue;
      for (const term of this.#references(stored)) {
        if (!isResourceType(term.type) || this.#seen.has(keyOf(term.type, term.id))) continue;
        if (mine.some((i) => asksFor(i, term)))
          wanted.set(term.type, (wanted.get(term.type) ?? new Set()).add(term.id));
      }
    }
    for (const [type, ids] of wanted) await this.#byIds(type, [...ids]);
  }

  /** What refers to the frontier. */
  async backward(frontier: readonly Stored[], revincludes: readonly Include[]): Promise<void> {
    for (const { source, param, target } of revincludes) {
      const of = frontier
        .filter((stored) => target === undefined || stored.type === target)
        .map(({ type, id }): Filter => ({ op: 'reference', param, type, id }));
      if (of.length > 0) await this.#find(source, or(...of));
    }
  }

  #references(stored: Stored): readonly ReferenceTerm[] {
    return extract(JSON.parse(stored.text) as Record<string, unknown>, this.#ctx.base).reference;
  }

  /** r on the type that is produced, or s: either shows the whole resource. */
  #access(type: string): AccessFilter | undefined {
    return accessIfAny(this.#ctx, this.#principal, 'r', type) ?? accessIfAny(this.#ctx, this.#principal, 's', type);
  }

  async #byIds(type: string, ids: readonly string[]): Promise<void> {
    const access = this.#access(type);
    if (!access) return;
    if (!isUnrestricted(access)) return this.#find(type, { op: 'id', ids });
    const left = this.#left();
    if (ids.length > left) this.cut = true;
    this.#take(await this.#ctx.store.readMany(ids.slice(0, left).map((id) => ({ type, id }))));
  }

  async #find(type: string, filter: Filter): Promise<void> {
    const access = this.#access(type);
    if (!access) return;
    const count = this.#left();
    if (count === 0) {
      this.cut = true;
      return;
    }
    const page = await this.#ctx.store.search({ type, filter, sort: [], count, total: false }, access);
    if (page.next) this.cut = true;
    this.#take(page.entries);
  }

  #left(): number {
    return this.#ctx.limits.includeEntriesMax - this.entries.length;
  }

  #take(found: readonly Stored[]): void {
    for (const stored of found) {
      const key = keyOf(stored.type, stored.id);
      if (stored.deleted || this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.entries.push(stored);
    }
  }
}

const asksFor = (include: Include, term: ReferenceTerm): boolean =>
  (include.param === '*' || include.param === term.param) &&
  (include.target === undefined || include.target === term.type);
