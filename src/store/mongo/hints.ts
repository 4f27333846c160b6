/**
 * Conditions that follow from a filter and change nothing of what is found, but let a compound index answer it: patient and code
 * as one value, and bounds on the primary date.
 */
import { searchParam } from '../../fhir/search-params.ts';
import { type DateFilter, type Filter, PRIMARY_DATE, type ReferenceFilter } from '../../search/plan.ts';
import { ANY, joined, safe } from './documents.ts';
import type { Condition } from './lower.ts';

/** What all of the filter's top-level AND parts demand. */
export const partsOf = (filter: Filter): readonly Filter[] => (filter.op === 'and' ? filter.of : [filter]);
const alternatives = (filter: Filter): readonly Filter[] => (filter.op === 'or' ? filter.of : [filter]);

/** A URL or URN instead of an id: the terms hold it without a type. */
const IS_URI = /[:/]/;

/** Whether a filter names one patient, in a way that the `patient` terms of the type hold too. */
function namesPatient(type: string, f: Filter): f is ReferenceFilter {
  if (f.op !== 'reference' || IS_URI.test(f.id) || (f.type ?? 'Patient') !== 'Patient') return false;
  if (f.param === 'patient') return true;
  return (
    f.param === 'subject' &&
    f.type === 'Patient' &&
    (searchParam(type, 'patient')?.expression.includes('.subject') ?? false)
  );
}

/** Ids of the patients, when one part names nothing but patients. */
export function patientsOf(type: string, filter: Filter): readonly string[] | undefined {
  for (const part of partsOf(filter)) {
    const named = alternatives(part);
    if (named.every((f) => namesPatient(type, f))) return named.map((f) => f.id);
  }
  return undefined;
}

/** `system␁code` of one part that names nothing but codes. */
export function codesOf(filter: Filter): readonly string[] | undefined {
  for (const part of partsOf(filter)) {
    const codes: string[] = [];
    const all = alternatives(part).every((f) => {
      const named = f.op === 'token' && f.param === 'code' && f.code !== undefined;
      if (named) codes.push(joined(f.system === undefined ? ANY : safe(f.system), safe(f.code as string)));
      return named;
    });
    if (all && codes.length > 0) return codes;
  }
  return undefined;
}

/** [low, high] that the low end of a resource's date must lie in to match; `spanMax` is the widest date there is. */
function bound(f: DateFilter, spanMax: number): readonly [number, number] {
  const none = Number.NEGATIVE_INFINITY;
  const end = Number.POSITIVE_INFINITY;
  switch (f.comparator) {
    case 'eq':
      return [f.low, f.high];
    case 'gt':
    case 'ge':
      return [Math.min(f.low, f.high - spanMax), end];
    case 'lt':
    case 'eb':
      return [none, f.low];
    case 'le':
      return [none, f.high];
    case 'sa':
      return [f.high, end];
    case 'ap':
      return [f.low - spanMax, f.high];
    default:
      return [none, end];
  }
}

/** Bounds on `primary` that follow from the filter's dates; none when a resource of the type has several dates. */
function dateBounds(type: string, filter: Filter, spanMax: number): Condition[] {
  if (!Number.isFinite(spanMax)) return [];
  const found = partsOf(filter)
    .filter((f): f is DateFilter => f.op === 'date' && f.param === PRIMARY_DATE[type])
    .map((f) => bound(f, spanMax));
  const low = Math.max(...found.map((b) => b[0]));
  const high = Math.min(...found.map((b) => b[1]));
  const bounds = { ...(Number.isFinite(low) ? { $gte: low } : {}), ...(Number.isFinite(high) ? { $lte: high } : {}) };
  return Object.keys(bounds).length === 0 ? [] : [{ primary: bounds }];
}

/** @param spanMax width of the widest primary date of the type, ms; infinite when one resource has several. */
export function hints(type: string, filter: Filter, spanMax: number): Condition[] {
  const patients = patientsOf(type, filter);
  const codes = codesOf(filter);
  const oneOf = (values: readonly string[]): string | { $in: string[] } =>
    values.length === 1 ? (values[0] as string) : { $in: [...values] };
  const found: Condition[] = dateBounds(type, filter, spanMax);
  if (patients && codes)
    found.push({ patientCode: oneOf(patients.flatMap((id) => codes.map((code) => joined(safe(id), code)))) });
  else if (patients) found.push({ reference: oneOf(patients.map((id) => joined('patient', 'Patient', safe(id)))) });
  return found;
}
