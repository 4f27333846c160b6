/** Contained resources and the references between them and their container. FHIR R4 references.html#contained */
import type { Obj, Walk } from './validate-walk.ts';

/** Every string below `value` that begins with `#`. The depth is that of a parsed body, which is bounded. */
function localReferences(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') {
    if (value.charCodeAt(0) === 35) found.add(value);
  } else if (Array.isArray(value)) for (const item of value) localReferences(item, found);
  else if (typeof value === 'object' && value !== null)
    for (const name in value) localReferences((value as Obj)[name], found);
}

/** dom-3, dom-4 and dom-5. `resource` and what it contains are well-formed. */
export function checkContained(resource: Obj, walk: Walk): void {
  const all = resource['contained'] as Obj[];
  const referenced = new Set<string>();
  localReferences(resource, referenced);
  for (let i = 0; i < all.length; i++) {
    const contained = all[i] as Obj;
    const meta = contained['meta'] as Obj | undefined;
    const place = `contained[${i}]`;
    if (meta?.['versionId'] !== undefined || meta?.['lastUpdated'] !== undefined)
      walk.fail('invariant', 'dom-4: a contained resource must not have meta.versionId or meta.lastUpdated.', place);
    if (meta?.['security'] !== undefined)
      walk.fail('invariant', 'dom-5: a contained resource must not have a security label.', place);
    if (typeof contained['id'] === 'string' && referenced.has(`#${contained['id']}`)) continue;
    const own = new Set<string>();
    localReferences(contained, own);
    if (!own.has('#'))
      walk.fail('invariant', 'dom-3: a contained resource needs an id that the resource refers to as "#id".', place);
  }
}

/** ref-1: a local reference must lead to a contained resource, or as `#` to the container. */
export function localReferenceResolves(reference: Obj, walk: Walk): boolean {
  const text = reference['reference'];
  if (typeof text !== 'string' || text.charCodeAt(0) !== 35 || text.length === 1) return true;
  const all = walk.container['contained'];
  if (!Array.isArray(all)) return false;
  for (let i = 0; i < all.length; i++) {
    const id = (all[i] as Obj | null)?.['id'];
    if (typeof id === 'string' && id.length === text.length - 1 && text.endsWith(id)) return true;
  }
  return false;
}
