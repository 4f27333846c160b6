/** What the documents of a page are ordered by, and the condition that a cursor is. */
import type { Document } from 'mongodb';
import { sortKeys } from '../../search/memory.ts';
import { type Plan, PRIMARY_DATE, type SortKey } from '../../search/plan.ts';
import { ANY, joined, SEPARATOR } from './documents.ts';

export type Value = string | number | null;

export interface Order {
  readonly field: string;
  readonly descending: boolean;
  /** Expression that computes the field; absent when a document has it. */
  readonly expression?: Document | undefined;
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
export function orderOf(plan: Plan): Order[] {
  return sortKeys(plan).map((key, i) => {
    const { param, descending } = key;
    if (param === '_id') return { field: 'id', descending };
    if (param === '_lastUpdated') return { field: 'updated', descending };
    if (descending && param === PRIMARY_DATE[plan.type]) return { field: 'primary', descending };
    return { field: `sort${i}`, descending, expression: { [descending ? '$max' : '$min']: valuesOf(key) } };
  });
}

/** Documents after the cursor: equal in the first keys and beyond in the next, without a value last. */
export function afterCursor(order: readonly Order[], values: readonly Value[]): Document {
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
