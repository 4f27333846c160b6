/** Plans answered: condition, order, page, total. */
import type { ClientSession, Document } from 'mongodb';
import { instant } from '../../base/clock.ts';
import type { Limits } from '../../base/limits.ts';
import { sortKeys } from '../../search/memory.ts';
import { type AccessFilter, ALL, type Filter, type Plan, PRIMARY_DATE, type SortKey } from '../../search/plan.ts';
import type { Page, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { ANY, joined, type ResourceDocument, SEPARATOR, type VersionDocument } from './documents.ts';
import { hints } from './hints.ts';
import { type Condition, type Lookup, lower } from './lower.ts';

type Value = string | number | null;

interface Order {
  readonly field: string;
  readonly descending: boolean;
  /** Expression that computes the field; absent when a document has it. */
  readonly expression?: Document | undefined;
}

const TEXT = { type: 1, id: 1, version: 1, updated: 1, method: 1, deleted: 1, text: 1, origin: 1 } as const;

export function storedOf(found: VersionDocument): Stored {
  return {
    type: found.type,
    id: found.id,
    version: found.version,
    lastUpdated: instant(found.updated),
    method: found.method,
    deleted: found.deleted,
    text: found.text,
    origin: found.origin,
  };
}

/** Values of one parameter in a document, as an aggregation expression. */
function valuesOf({ param, type }: SortKey): Document {
  const of = (array: string, value: string): Document => ({
    $map: {
      input: { $filter: { input: `$${array}`, as: 't', cond: { $eq: ['$$t.p', param] } } },
      as: 't',
      in: `$$t.${value}`,
    },
  });
  // The last part of `param␁ANY␁code`.
  const ofJoined = (array: string): Document => {
    const prefix = joined(param, ANY, '');
    const begins = { $eq: [{ $indexOfBytes: ['$$t', prefix] }, 0] };
    return {
      $map: {
        input: { $filter: { input: `$${array}`, as: 't', cond: begins } },
        as: 't',
        in: { $arrayElemAt: [{ $split: ['$$t', SEPARATOR] }, 2] },
      },
    };
  };
  if (type === 'token') return ofJoined('token');
  if (type === 'reference') return ofJoined('reference');
  if (type === 'string') return of('string', 'folded');
  if (type === 'date') return of('date', 'low');
  return of(type, 'value');
}

/** What the documents are ordered by; creation, newest first, decides between equals. */
function orderOf(plan: Plan): Order[] {
  return sortKeys(plan).map((key, i) => {
    const { param, descending } = key;
    if (param === '_id') return { field: 'id', descending };
    if (param === '_lastUpdated') return { field: 'updated', descending };
    if (descending && param === PRIMARY_DATE[plan.type]) return { field: 'primary', descending };
    return { field: `sort${i}`, descending, expression: { [descending ? '$max' : '$min']: valuesOf(key) } };
  });
}

/** Documents after the cursor: equal in the first keys and beyond in the next, without a value last. */
function afterCursor(order: readonly Order[], values: readonly Value[]): Document {
  const alternatives: Document[] = [];
  const equal: Document[] = [];
  for (const [i, { field, descending }] of order.entries()) {
    const value = values[i] ?? null;
    if (value !== null)
      alternatives.push({
        $and: [...equal, { $or: [{ [field]: descending ? { $lt: value } : { $gt: value } }, { [field]: null }] }],
      });
    equal.push({ [field]: value });
  }
  alternatives.push({ $and: [...equal, { created: { $lt: values.at(-1) } }] });
  return { $or: alternatives };
}

export class Finder implements Lookup {
  readonly limits: Limits;
  readonly #db: Connection;
  readonly #spans = new Map<string, number>();

  constructor(db: Connection, limits: Limits) {
    this.#db = db;
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
    const found = await this.#db.resources
      .find(condition, { projection: { id: 1 }, limit, ...(session ? { session } : {}) })
      .toArray();
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

  async visible(type: string, id: string, access: AccessFilter): Promise<boolean> {
    if (access.filter.op === 'all') return true;
    return (await this.idsOf(type, { op: 'id', ids: [id] }, access, 1)).length > 0;
  }

  async search(plan: Plan, access: AccessFilter): Promise<Page> {
    const found = await this.condition(plan.type, plan.filter ?? ALL, access);
    const snapshot = plan.cursor?.snapshot ?? (await this.#db.numbers.findOne({ _id: 'seq' }))?.n ?? 0;
    const bounded = plan.cursor ? ({ $and: [found, { created: { $lte: snapshot } }] } as Condition) : found;
    const total = plan.total || plan.count === 0 ? await this.#db.resources.countDocuments(bounded) : undefined;
    if (plan.count === 0) return { entries: [], total };
    const order = orderOf(plan);
    const documents = await this.#page(bounded, order, plan);
    const entries = documents.slice(0, plan.count);
    const last = entries.at(-1);
    const next =
      documents.length > plan.count && last
        ? { values: [...order.map((o) => ((last as Document)[o.field] ?? null) as Value), last.created], snapshot }
        : undefined;
    return { entries: entries.map(storedOf), next, total: plan.total ? total : undefined };
  }

  async #page(condition: Condition, order: readonly Order[], plan: Plan): Promise<ResourceDocument[]> {
    const after = plan.cursor ? afterCursor(order, plan.cursor.values) : undefined;
    const fields = Object.fromEntries(order.map((o) => [o.field, 1]));
    const projection = { ...TEXT, ...fields, created: 1 };
    const limit = plan.count + 1;
    if (order.every((o) => o.expression === undefined)) {
      // Without a value sorts last by itself: null is below every number, and only descending fields can be without one.
      const sort = Object.fromEntries([
        ...order.map((o) => [o.field, o.descending ? -1 : 1] as const),
        ['created', -1 as const],
      ]);
      const all = after ? ({ $and: [condition, after] } as Condition) : condition;
      return (await this.#db.resources
        .find(all, { projection, sort, limit })
        .toArray()) as unknown as ResourceDocument[];
    }
    const computed = Object.fromEntries(order.flatMap((o) => (o.expression ? [[o.field, o.expression]] : [])));
    const absent = Object.fromEntries(
      order.map((o) => [`absent_${o.field}`, { $cond: [{ $eq: [{ $ifNull: [`$${o.field}`, null] }, null] }, 1, 0] }]),
    );
    const sort = Object.fromEntries([
      ...order.flatMap(
        (o) =>
          [
            [`absent_${o.field}`, 1],
            [o.field, o.descending ? -1 : 1],
          ] as const,
      ),
      ['created', -1 as const],
    ]);
    const stages: Document[] = [
      { $match: condition },
      { $addFields: computed },
      ...(after ? [{ $match: after }] : []),
      { $addFields: absent },
      { $sort: sort },
      { $limit: limit },
      { $project: projection },
    ];
    return (await this.#db.resources.aggregate(stages).toArray()) as unknown as ResourceDocument[];
  }
}
