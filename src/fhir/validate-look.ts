/** Small questions about well-formed objects, as invariants ask them. */
import type { Obj } from './validate-walk.ts';

const siblings = new Map<string, string>();
/** `_name`, made once: joining it anew costs more than the question. */
function siblingName(name: string): string {
  const known = siblings.get(name);
  if (known !== undefined) return known;
  siblings.set(name, `_${name}`);
  return `_${name}`;
}

/** FHIRPath `exists()` of an element that is no choice: the value, or for a primitive its extensions. */
export const has = (o: Obj, name: string): boolean => o[name] !== undefined || o[siblingName(name)] !== undefined;

/** FHIRPath `exists()` of a choice `name[x]`. */
export function hasChoice(o: Obj, name: string): boolean {
  for (const key in o) {
    const at = key.charCodeAt(0) === 95 ? 1 : 0;
    if (key.length <= name.length + at || !key.startsWith(name, at)) continue;
    const next = key.charCodeAt(name.length + at);
    if (next >= 65 && next <= 90 && o[key] !== undefined) return true;
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

/** Does a CodeableConcept have this coding? */
export function hasCoding(concept: unknown, system: string, code: string): boolean {
  const codings = (concept as Obj | undefined)?.['coding'] as readonly Obj[] | undefined;
  if (codings === undefined) return false;
  for (let i = 0; i < codings.length; i++)
    if (codings[i]!['code'] === code && codings[i]!['system'] === system) return true;
  return false;
}

/** FHIRPath `isDistinct()`; undefined does not count. */
export function distinct(values: readonly unknown[]): boolean {
  const there = values.filter((v) => v !== undefined);
  return new Set(there).size === there.length;
}
