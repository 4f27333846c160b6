/** Plans answered: condition, order, page, total. */
import type { ClientSession } from 'mongodb';
import type { Limits } from '../../base/limits.ts';
import { extract } from '../../fhir/extract.ts';
import { type AccessFilter, ALL, type Filter, type Plan } from '../../search/plan.ts';
import type { Page } from '../store.ts';
import type { Connection } from './connection.ts';
import { hints } from './hints.ts';
import { indexFor } from './indexes.ts';
import { finds } from './judge.ts';
import { type Condition, type Lookup, lower } from './lower.ts';
import { read } from './read.ts';
import { Walk } from './walk.ts';

export class Finder implements Lookup {
  readonly limits: Limits;
  readonly #db: Connection;
  readonly #base: string;
  readonly #spans = new Map<string, number>();

  /** @param base FHIR base, for references of the server to itself. */
  constructor(db: Connection, limits: Limits, base: string) {
    this.#db = db;
    this.#base = base;
    this.limits = limits;
  }

  /** Width of the widest primary date of a type, ms. */
  spanOf(type: string): number {
    return this.#spans.get(type) ?? 0;
  }
  widen(type: string, span: number): void {
    this.#spans.set(type, Math.max(span, this.spanOf(type)));
  }
  /** From the database: another process may have stored a wider one. */
  async loadSpans(): Promise<void> {
    for await (const { _id, n } of this.#db.numbers.find({ _id: { $gte: 'span/', $lt: 'span0' } }))
      this.widen(_id.slice('span/'.length), n);
  }

  /** The user's filter and the access filter, lowered apart and joined by AND. */
  async condition(type: string, filter: Filter, access: AccessFilter, session?: ClientSession): Promise<Condition> {
    const lookup = session ? this.#within(session) : this;
    const parts: Condition[] = [{ type, deleted: false }];
    for (const part of [filter, access.filter]) {
      if (part.op === 'all') continue;
      parts.push(await lower(type, part, lookup), ...hints(type, part, this.spanOf(type)));
    }
    return { $and: parts } as Condition;
  }

  /** Ids that a filter finds, at most `limit`; in the session's transaction when one is given. */
  async idsOf(
    type: string,
    filter: Filter,
    access: AccessFilter,
    limit: number,
    session?: ClientSession,
  ): Promise<string[]> {
    const condition = await this.condition(type, filter, access, session);
    const options = { projection: { id: 1 }, limit, ...(session ? { session } : {}) };
    const hint = indexFor({ type, sort: [] }, [filter, access.filter]);
    const found = await this.#db.resources.find(condition, { ...options, ...(hint ? { hint } : {}) }).toArray();
    return found.map((d) => d.id);
  }

  async ids(type: string, condition: Condition, limit: number, session?: ClientSession): Promise<string[]> {
    const all = { $and: [{ type, deleted: false }, condition] } as Condition;
    const found = await this.#db.resources
      .find(all, { projection: { id: 1 }, limit, ...(session ? { session } : {}) })
      .toArray();
    return found.map((d) => d.id);
  }

  async references(type: string, condition: Condition, limit: number, session?: ClientSession): Promise<string[]> {
    const all = { $and: [{ type, deleted: false }, condition] } as Condition;
    const found = await this.#db.resources
      .find(all, { projection: { reference: 1 }, limit, ...(session ? { session } : {}) })
      .toArray();
    return found.flatMap((d) => [...d.reference]);
  }

  #within(session: ClientSession): Lookup {
    return {
      limits: this.limits,
      ids: (type, condition, limit) => this.ids(type, condition, limit, session),
      references: (type, condition, limit) => this.references(type, condition, limit, session),
    };
  }

  /** One look-up by id, then the judgement: the same that history uses. */
  async visible(type: string, id: string, access: AccessFilter): Promise<boolean> {
    if (access.type !== type) throw new Error(`an access filter for ${access.type} on a ${type}`);
    const found = await read(this.#db, type, id);
    if (!found || found.deleted) return false;
    if (access.filter.op === 'all') return true;
    const terms = extract(JSON.parse(found.text) as Record<string, unknown>, this.#base);
    return finds(access.filter, { type, id, lastUpdated: Date.parse(found.lastUpdated), terms }, this);
  }

  async search(plan: Plan, access: AccessFilter): Promise<Page> {
    if (access.type !== plan.type) throw new Error(`an access filter for ${access.type} on a search of ${plan.type}`);
    const filter = plan.filter ?? ALL;
    const condition = await this.condition(plan.type, filter, access);
    return new Walk(this.#db, this.#base, plan, condition, indexFor(plan, [filter, access.filter])).page();
  }
}
