/** What the text of a Reference points to. FHIR R4 references.html#literal */
import { isResourceType } from './definitions.ts';

export type Reference =
  | { kind: 'relative' | 'own'; type: string; id: string; version?: string }
  | { kind: 'absolute' | 'urn' | 'contained' | 'other'; url: string };

const LOCAL = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;

function local(text: string, kind: 'relative' | 'own'): Reference | undefined {
  const [, type, id, version] = LOCAL.exec(text) ?? [];
  if (type === undefined || id === undefined || !isResourceType(type)) return undefined;
  return version === undefined ? { kind, type, id } : { kind, type, id, version };
}

/**
 * @param base the server's own FHIR base without a slash at the end, `${BASE_URL}/fhir`: an absolute URL below it is `own`.
 * A relative text that is no `Type/id` of R4 (a conditional reference, a bare id) is `other`.
 */
export function parseReference(text: string, base: string): Reference {
  if (text.startsWith('#')) return { kind: 'contained', url: text };
  if (text.startsWith('urn:')) return { kind: 'urn', url: text };
  if (text.startsWith(base) && text.charCodeAt(base.length) === 47) {
    const own = local(text.slice(base.length + 1), 'own');
    if (own !== undefined) return own;
  }
  if (SCHEME.test(text)) return { kind: 'absolute', url: text };
  return local(text, 'relative') ?? { kind: 'other', url: text };
}
