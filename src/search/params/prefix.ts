import type { Comparator } from '../plan.ts';

/** FHIR R4 search.html#prefix; without a prefix it is `eq`. */
export function splitPrefix(text: string): { comparator: Comparator; rest: string } {
  const prefix = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)/.exec(text)?.[1];
  return prefix === undefined
    ? { comparator: 'eq', rest: text }
    : { comparator: prefix as Comparator, rest: text.slice(2) };
}
