/**
 * One page of a walk. A walk shows each resource once, where it stood when its first page was cut: what was created since is left
 * out, what was updated since keeps its old place, although the index has it at the new one.
 */
import type { Document } from 'mongodb';
import { instant } from '../../base/clock.ts';
import { extract } from '../../fhir/extract.ts';
import { compareKeys, sortKeys, sortValue } from '../../search/memory.ts';
import type { Plan } from '../../search/plan.ts';
import type { Page, Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { type ResourceDocument, type VersionDocument, versionId } from './documents.ts';
import { CHANGES_OF_ONE, ID_INDEX, LATER_CHANGES } from './indexes.ts';
import type { Condition } from './lower.ts';
import { afterCursor, type Order, orderOf, type Value } from './order.ts';

/** Ids in one question. */
const IDS_PER_FIND = 500;

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

interface Placed {
  readonly found: ResourceDocument;
  /** One for each key, then the number of the creation. */
  readonly values: readonly Value[];
}

interface Hint {
  readonly hint: Readonly<Record<string, 1 | -1>>;
}

export class Walk {
  readonly #db: Connection;
  readonly #base: string;
  readonly #plan: Plan;
  readonly #condition: Condition;
  readonly #order: readonly Order[];
  readonly #hint: Hint | Record<never, never>;

  /** @param index that answers it; without one the database decides. */
  constructor(db: Connection, base: string, plan: Plan, condition: Condition, index: Hint['hint'] | undefined) {
    this.#hint = index ? { hint: index } : {};
    this.#db = db;
    this.#base = base;
    this.#plan = plan;
    this.#condition = condition;
    this.#order = orderOf(plan);
  }

  async page(): Promise<Page> {
    const { cursor, count, total } = this.#plan;
    const snapshot = cursor?.snapshot ?? (await this.#lastSeq());
    const counted = total || count === 0 ? await this.#total() : undefined;
    if (count === 0) return { entries: [], total: counted };
    let placed = cursor ? undefined : await this.#find(this.#condition);
    // What was committed while a first page was read may have changed what comes next: then it is read as of the snapshot too.
    if (!placed || (placed.length > count && (await this.#lastSeq()) !== snapshot)) placed = await this.#asOf(snapshot);
    const shown = placed.slice(0, count);
    const last = shown.at(-1);
    return {
      entries: shown.map((p) => storedOf(p.found)),
      next: placed.length > count && last ? { values: last.values, snapshot } : undefined,
      total: total ? counted : undefined,
    };
  }

  async #lastSeq(): Promise<number> {
    return (await this.#db.numbers.findOne({ _id: 'seq' }))?.n ?? 0;
  }

  /** On later pages without what came after the first. */
  async #total(): Promise<number> {
    const { cursor } = this.#plan;
    if (!cursor) return this.#db.resources.countDocuments(this.#condition, this.#hint);
    const found = { $and: [this.#condition, { created: { $lte: cursor.snapshot } }] } as Condition;
    const total = await this.#db.resources.countDocuments(found, this.#hint);
    // Deleted then and there again since: no part of the walk.
    const since = await this.#changedSince(cursor.snapshot);
    return total - since.filter((s) => s.before === undefined).length;
  }

  async #asOf(snapshot: number): Promise<Placed[]> {
    const unchanged = { $and: [this.#condition, { seq: { $lte: snapshot } }] } as Condition;
    // In this order: what changes in between is in both, never in neither.
    const stayed = await this.#find(unchanged);
    if ((await this.#lastSeq()) === snapshot) return stayed;
    const keys = sortKeys(this.#plan);
    const { cursor } = this.#plan;
    const all = new Map(stayed.map((p) => [p.found._id, p]));
    for (const { found, before } of await this.#changedSince(snapshot)) {
      if (!before) continue;
      const terms = extract(JSON.parse(before.text) as Record<string, unknown>, this.#base);
      const row = { id: before.id, lastUpdated: before.updated, terms };
      const values = [...keys.map((key) => sortValue(row, key)), found.created];
      if (!cursor || compareKeys(values, cursor.values, keys) > 0) all.set(found._id, { found, values });
    }
    return [...all.values()].sort((a, b) => compareKeys(a.values, b.values, keys)).slice(0, this.#plan.count + 1);
  }

  /** Found resources that a later version than that of the snapshot is there of; `before`: how they were, unless deleted. */
  async #changedSince(
    snapshot: number,
  ): Promise<{ readonly found: ResourceDocument; readonly before: VersionDocument | undefined }[]> {
    const { type } = this.#plan;
    const changed = await this.#db.changes
      .find({ type, version: { $gt: 1 }, _id: { $gt: snapshot } }, { projection: { id: 1 }, hint: LATER_CHANGES })
      .toArray();
    const ids = [...new Set(changed.map((c) => c.id))];
    const all: { found: ResourceDocument; before: VersionDocument | undefined }[] = [];
    for (let i = 0; i < ids.length; i += IDS_PER_FIND) {
      const some = ids.slice(i, i + IDS_PER_FIND).map((id) => `${type}/${id}`);
      const known = { $and: [this.#condition, { _id: { $in: some } }, { created: { $lte: snapshot } }] } as Condition;
      const found = await this.#db.resources
        .find(known, { projection: { ...TEXT, created: 1 }, hint: ID_INDEX })
        .toArray();
      for (const one of found as unknown as ResourceDocument[])
        all.push({ found: one, before: await this.#versionAt(one, snapshot) });
    }
    return all;
  }

  async #versionAt({ type, id }: ResourceDocument, snapshot: number): Promise<VersionDocument | undefined> {
    const change = await this.#db.changes.findOne(
      { type, id, _id: { $lte: snapshot } },
      { sort: { _id: -1 }, hint: CHANGES_OF_ONE },
    );
    const version = change && (await this.#db.versions.findOne({ _id: versionId(type, id, change.version) }));
    return version && !version.deleted ? version : undefined;
  }

  async #find(condition: Condition): Promise<Placed[]> {
    const { cursor, count } = this.#plan;
    const order = this.#order;
    const after = cursor ? afterCursor(order, cursor.values) : undefined;
    const fields = Object.fromEntries(order.map((o) => [o.field, 1]));
    const projection = { ...TEXT, ...fields, created: 1 };
    const limit = count + 1;
    const stored = order.every((o) => o.expression === undefined);
    const documents = stored
      ? await this.#db.resources
          .find(after ? ({ $and: [condition, after] } as Condition) : condition, {
            projection,
            sort: sortOf(order),
            limit,
            ...this.#hint,
          })
          .toArray()
      : await this.#db.resources.aggregate(stages(condition, order, after, limit, projection), this.#hint).toArray();
    return (documents as unknown as ResourceDocument[]).map((found) => ({
      found,
      values: [...order.map((o) => ((found as unknown as Document)[o.field] ?? null) as Value), found.created],
    }));
  }
}

/** Without a value sorts last by itself: null is below every number, and only descending fields can be without one. */
const sortOf = (order: readonly Order[]): Record<string, 1 | -1> =>
  Object.fromEntries([...order.map((o) => [o.field, o.descending ? -1 : 1] as const), ['created', -1 as const]]);

/** Fields that no document has are computed; what has no value comes last, both ways. */
function stages(
  condition: Condition,
  order: readonly Order[],
  after: Document | undefined,
  limit: number,
  projection: Document,
): Document[] {
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
  return [
    { $match: condition },
    { $addFields: computed },
    ...(after ? [{ $match: after }] : []),
    { $addFields: absent },
    { $sort: sort },
    { $limit: limit },
    { $project: projection },
  ];
}
