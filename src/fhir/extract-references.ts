/** Search terms of what refers to something. FHIR R4 search.html#reference */
import { type Leaf, text } from './extract-sink.ts';
import { parseReference, type Reference } from './references.ts';

type Obj = Record<string, unknown>;

// The same reference stands behind several parameters of one resource: the last answer is kept.
let lastReference = '';
let lastBase = '';
let lastParsedReference: Reference | undefined;
function referenceOf(url: string, base: string): Reference {
  if (lastParsedReference === undefined || url !== lastReference || base !== lastBase) {
    lastParsedReference = parseReference(url, base);
    lastReference = url;
    lastBase = base;
  }
  return lastParsedReference;
}

/** The type in a literal URL of another server: `https://elsewhere/fhir/Patient/1`. */
const TYPE_IN_URL = /\/([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(\/_history\/[^/]+)?$/;

export const referenceLeaf =
  (only: string) =>
  (param: string): Leaf =>
  (sink, value, at) => {
    const of = value as Obj;
    const logical = of['identifier'] as Obj | undefined;
    const identifier = logical ? { system: text(logical['system']), value: text(logical['value']) } : undefined;
    const url = of['reference'];
    let type = '';
    let id = '';
    let leadsTo = text(of['type']);
    if (typeof url === 'string') {
      const ref = referenceOf(url, at.base);
      if ('id' in ref) {
        type = ref.type;
        id = ref.id;
        leadsTo = type;
      } else if (ref.kind !== 'contained') {
        id = ref.url;
        if (ref.kind === 'absolute') leadsTo = TYPE_IN_URL.exec(id)?.[1] ?? leadsTo;
      }
    }
    if (id === '' && identifier === undefined) return;
    // FHIRPath `where(resolve() is T)`, answered from the reference itself.
    if (only !== '' && leadsTo !== only) return;
    sink.reference.push(identifier === undefined ? { param, type, id } : { param, type, id, identifier });
  };

/** A canonical is found with and without its version. FHIR R4 references.html#canonical */
export const canonicalReference =
  (param: string): Leaf =>
  (sink, value, at) => {
    if (typeof value !== 'string' || value === '' || value.startsWith('#')) return;
    const bar = value.indexOf('|');
    const ref = referenceOf(bar === -1 ? value : value.slice(0, bar), at.base);
    if ('id' in ref) sink.reference.push({ param, type: ref.type, id: ref.id });
    else sink.reference.push({ param, type: '', id: ref.url });
    if (bar !== -1) sink.reference.push({ param, type: '', id: value });
  };

/** Bundle.entry[0].resource: the resource itself is what is referred to. */
export const inlineResource =
  (targets: readonly string[]) =>
  (param: string): Leaf =>
  (sink, value) => {
    const { resourceType, id } = value as Obj;
    if (typeof resourceType === 'string' && typeof id === 'string' && targets.includes(resourceType))
      sink.reference.push({ param, type: resourceType, id });
  };
