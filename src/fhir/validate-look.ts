/** Small questions about well-formed objects, as invariants ask them. */
import type { Obj } from './validate-walk.ts';

/** FHIRPath `exists()` of an element that is no choice: the value, or for a primitive its extensions. */
export const has = (o: Obj, name: string): boolean => o[name] !== undefined || o[`_${name}`] !== undefined;

/** FHIRPath `exists()` of a choice `name[x]`. */
export function hasChoice(o: Obj, name: string): boolean {
  for (const key in o) {
    const at = key.charCodeAt(0) === 95 ? 1 : 0;
    if (key.length <= name.length + at || !key.startsWith(name, at)) continue;
    const next = key.charCodeAt(name.length + at);
    if (next >= 65 && next <= 90) return true;
  }
  return false;
}

export const text = (o: Obj, name: string): string => {
  const value = o[name];
  return typeof value === 'string' ? value : '';
};

const NO_ITEMS: readonly Obj[] = Object.freeze([]);
/** The items of a repeating element; none when it is absent. */
export const items = (o: Obj, name: string): readonly Obj[] => (o[name] as Obj[] | undefined) ?? NO_ITEMS;

export const count = (o: Obj, ...names: string[]): number => names.filter((name) => has(o, name)).length;

/** Does a CodeableConcept (or one of an array of them) have this coding? */
export function hasCoding(concept: unknown, system: string, ...codes: string[]): boolean {
  if (Array.isArray(concept)) return concept.some((c) => hasCoding(c, system, ...codes));
  return items((concept as Obj | undefined) ?? {}, 'coding').some(
    (c) => c['system'] === system && codes.includes(text(c, 'code')),
  );
}

/** FHIRPath `isDistinct()`; undefined does not count. */
export function distinct(values: readonly unknown[]): boolean {
  const there = values.filter((v) => v !== undefined);
  return new Set(there).size === there.length;
}
