/** From the text of a body to one resource, before anything recursive sees it. FHIR R4 json.html */
import { VitalwireError } from '../base/errors.ts';
import { countMembers, itemsAt, membersAt, shapeOf } from '../base/json.ts';
import type { Limits } from '../base/limits.ts';

export interface ParsedResource {
  resourceType: string;
  resource: Record<string, unknown>;
  /** As it came in: what is stored. */
  text: string;
}

const malformed = (details: string, cause?: unknown): VitalwireError =>
  new VitalwireError('request.malformed', details, cause === undefined ? {} : { cause });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (text.trim() === '') throw malformed('The body is empty. Send a resource as JSON.', cause);
    if (text.charCodeAt(0) === 0xfeff)
      throw malformed('The body begins with a byte order mark. Send JSON as UTF-8 without one.', cause);
    throw malformed('The body is not valid JSON, or something stands after it. Send exactly one JSON object.', cause);
  }
}

/** The name that stands twice in one object of valid JSON text, with where. */
function doubleName(text: string, at: number, path: string): string | undefined {
  const seen = new Set<string>();
  for (const { name, valueStart } of membersAt(text, at)) {
    const here = path === '' ? name : `${path}.${name}`;
    if (seen.has(name)) return here;
    seen.add(name);
    const below = doubleName(text, valueStart, here);
    if (below !== undefined) return below;
  }
  for (const [start] of itemsAt(text, at)) {
    const below = doubleName(text, start, path);
    if (below !== undefined) return below;
  }
  return undefined;
}

/** Looking for the name reads the text once for each level: not done for large bodies. */
const NAMED_CHARACTERS_MAX = 2 ** 20;

function doubled(text: string): VitalwireError {
  const name = text.length > NAMED_CHARACTERS_MAX ? undefined : doubleName(text, 0, '');
  const which = name === undefined ? 'A member name' : `The member "${name.slice(0, 200)}"`;
  return malformed(`${which} stands twice in one object. Send each member once.`);
}

/**
 * Parses one resource. Values, also `null`, are left to the validator.
 * @param expectedType the type that the address names.
 * @throws VitalwireError `request.too-deep` before anything recursive, `request.malformed` for bad syntax, a member name that
 * stands twice in one object, no object or no `resourceType`, `request.invalid` when the type is another than expected.
 */
export function parseResource(text: string, limits: Limits, expectedType?: string): ParsedResource {
  const { members } = shapeOf(text, limits.jsonDepthMax);
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('The body is not a JSON object. Send one resource.');
  // With double names two readers may see two different resources: JSON.parse keeps the last, others the first.
  if (countMembers(value) !== members) throw doubled(text);
  const resource = value as Record<string, unknown>;
  const { resourceType } = resource;
  if (typeof resourceType !== 'string' || resourceType === '')
    throw malformed('The body has no resourceType. Send a resource, e.g. {"resourceType":"Patient", …}.');
  if (expectedType !== undefined && resourceType !== expectedType)
    throw new VitalwireError(
      'request.invalid',
      `The body is a ${resourceType.slice(0, 64)}, the address is for ${expectedType}. Send it to its own address.`,
      { expression: [expectedType] },
    );
  return { resourceType, resource, text };
}
