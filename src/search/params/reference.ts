import { parseReference } from '../../fhir/references.ts';
import type { SearchParam } from '../../fhir/search-params.ts';
import { unescaped } from '../escape.ts';
import type { ReferenceFilter, ReferenceIdentifierFilter } from '../plan.ts';
import { badValue, quoted } from '../refuse.ts';
import { systemAndCode } from './token.ts';

const ID = /^[A-Za-z0-9\-.]{1,64}$/;

/**
 * FHIR R4 search.html#reference: an id, `Type/id`, an absolute URL (of this server: the same as `Type/id`) or a URN.
 * `type` is the type modifier, or the only type that the parameter leads to.
 */
export function parseReferenceValue(
  param: SearchParam,
  name: string,
  text: string,
  base: string,
  only?: string,
): ReferenceFilter {
  const value = unescaped(text);
  const type = only ?? (param.targets.length === 1 ? param.targets[0] : undefined);
  if (ID.test(value)) return { op: 'reference', param: param.code, type, id: value };
  const to = parseReference(value, base);
  if ('id' in to) {
    if (only !== undefined && to.type !== only) throw badValue(name, `leads to ${only}, not to ${quoted(to.type)}.`);
    return { op: 'reference', param: param.code, type: to.type, id: to.id };
  }
  if (to.kind === 'contained' || !/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(value))
    throw badValue(name, `${quoted(value)} is not a reference. Write an id, Type/id or a URL.`);
  return { op: 'reference', param: param.code, id: to.url };
}

/** `:identifier` looks at Reference.identifier, not at what the reference leads to. */
export function parseReferenceIdentifier(code: string, name: string, text: string): ReferenceIdentifierFilter {
  const { system, code: value } = systemAndCode(name, text);
  return { op: 'reference-identifier', param: code, system, value };
}
