/**
 * The indexes of the resources, and which one answers a search. It is named to the database rather than left to its planner: a
 * plan that was tried on one patient is kept for the next one, and a wrong one reads a whole type.
 */
import { type Filter, type Plan, PRIMARY_DATE } from '../../search/plan.ts';
import { codesOf, partsOf, patientsOf } from './hints.ts';

type Index = Readonly<Record<string, 1 | -1>>;

const NEWEST = { primary: -1, created: -1 } as const;

export const RESOURCE_INDEXES = {
  /** "This code of this patient, newest first". */
  patientCode: { type: 1, patientCode: 1, ...NEWEST },
  /** "Of this patient (or device), newest first". */
  reference: { type: 1, reference: 1, ...NEWEST },
  /** "This code, newest first", and identifiers. */
  token: { type: 1, token: 1, ...NEWEST },
  string: { type: 1, stringStart: 1 },
  quantity: { type: 1, 'quantity.p': 1, 'quantity.value': 1 },
  primary: { type: 1, ...NEWEST },
  updated: { type: 1, updated: -1, created: -1 },
  created: { type: 1, created: -1 },
} as const satisfies Record<string, Index>;

export const ID_INDEX: Index = { _id: 1 };
/** Updates and deletions of a type. */
export const LATER_CHANGES: Index = { type: 1, _id: 1 };
export const CHANGES_OF_TYPE: Index = { type: 1, _id: -1 };
export const CHANGES_OF_ONE: Index = { type: 1, id: 1, _id: -1 };

/** In the order of an index that ends so; undefined for a search that must be sorted. */
function inOrder({ type, sort }: Pick<Plan, 'type' | 'sort'>): Index | undefined {
  const [key, another] = sort;
  const primary = PRIMARY_DATE[type];
  if (!key) return primary === undefined ? RESOURCE_INDEXES.created : RESOURCE_INDEXES.primary;
  if (another || !key.descending) return undefined;
  if (key.param === primary) return RESOURCE_INDEXES.primary;
  return key.param === '_lastUpdated' ? RESOURCE_INDEXES.updated : undefined;
}

/** Whether nothing but the order decides where to look. */
const isWide = (type: string, parts: readonly Filter[]): boolean =>
  parts.every((f) => f.op === 'all' || f.op === 'last-updated' || (f.op === 'date' && f.param === PRIMARY_DATE[type]));

/** The index for what all of `filters` demand; undefined: the planner of the database decides. */
export function indexFor(plan: Pick<Plan, 'type' | 'sort'>, filters: readonly Filter[]): Index | undefined {
  const { type } = plan;
  const parts = filters.flatMap(partsOf);
  if (parts.some((f) => f.op === 'none' || f.op === 'id')) return ID_INDEX;
  if (filters.some((f) => patientsOf(type, f) && codesOf(f))) return RESOURCE_INDEXES.patientCode;
  if (filters.some((f) => patientsOf(type, f))) return RESOURCE_INDEXES.reference;
  if (parts.some((f) => f.op === 'reference')) return RESOURCE_INDEXES.reference;
  const order = inOrder(plan);
  if (order === RESOURCE_INDEXES.updated && !isWide(type, parts)) return undefined;
  if (parts.some((f) => f.op === 'token' && f.code !== undefined)) return RESOURCE_INDEXES.token;
  if (parts.some((f) => f.op === 'string' && f.mode === 'starts')) return RESOURCE_INDEXES.string;
  return isWide(type, parts) ? order : undefined;
}
