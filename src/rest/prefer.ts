/** The Prefer header. FHIR R4 http.html#ops, search.html#unsupported; RFC 7240. */

export interface Prefer {
  readonly return?: 'minimal' | 'representation' | 'OperationOutcome' | undefined;
  readonly strict: boolean;
}

const NONE: Prefer = Object.freeze({ strict: false });

/** Unknown preferences are ignored, as RFC 7240 asks. */
export function parsePrefer(header: string | undefined): Prefer {
  if (header === undefined) return NONE;
  let answer: Prefer['return'];
  let strict = false;
  for (const part of header.split(/[,;]/)) {
    const [name, value] = part.split('=', 2).map((x) => x.trim().replace(/^"|"$/g, ''));
    if (name === 'handling') strict = value === 'strict';
    if (name === 'return' && (value === 'minimal' || value === 'representation' || value === 'OperationOutcome'))
      answer = value;
  }
  return { return: answer, strict };
}
