/**
 * Links between the entries of a transaction, replaced in their text: what an entry was called in the Bundle becomes what it is
 * called here. FHIR R4 http.html#trules, bundle.html#references
 */
import { VitalwireError } from '../base/errors.ts';

/**
 * Replaces string values in JSON text; names of members stay. The text must be valid JSON.
 * @param replace gets the name of the member that the value (or the list it stands in) belongs to.
 */
export function replaceStrings(text: string, replace: (value: string, member: string) => string | undefined): string {
  let result = '';
  let kept = 0;
  let member = '';
  for (let open = text.indexOf('"'); open !== -1; ) {
    const end = endOfString(text, open);
    const raw = text.slice(open + 1, end);
    const value = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
    if (isName(text, end + 1)) member = value;
    else {
      const other = replace(value, member);
      if (other !== undefined) {
        result += text.slice(kept, open) + JSON.stringify(other);
        kept = end + 1;
      }
    }
    open = text.indexOf('"', end + 1);
  }
  return kept === 0 ? text : result + text.slice(kept);
}

/** Index of the quote that closes the string opened at `open`. */
function endOfString(text: string, open: number): number {
  let end = text.indexOf('"', open + 1);
  for (;;) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
}

function isName(text: string, at: number): boolean {
  let i = at;
  while (text.charCodeAt(i) <= 32) i++;
  return text.charCodeAt(i) === 58;
}

const CONDITIONAL = /^([A-Z][A-Za-z]+)\?(.+)$/;

/** `Practitioner?identifier=…` as a reference: FHIR R4 http.html#trules, conditional references. */
export function parseConditional(value: string): { type: string; query: string } | undefined {
  const found = CONDITIONAL.exec(value);
  return found ? { type: found[1] as string, query: found[2] as string } : undefined;
}

/** The distinct conditional references of a resource. */
export function conditionalsOf(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  if (!/"reference"\s*:\s*"[A-Z][A-Za-z]+\?/.test(text)) return found;
  replaceStrings(text, (value, member) => {
    if (member === 'reference' && CONDITIONAL.test(value)) found.add(value);
    return undefined;
  });
  return found;
}

const URN = /^urn:(uuid|oid):/i;
// Elements of type string: a number that looks like a link is not one (Identifier.value of a document, for example).
const NOT_LINKS: ReadonlySet<string> = new Set(['value', 'valueString', 'display', 'text', 'div', 'id', 'code']);

/** What entries are called in the Bundle → what they are called here, `Patient/123`. */
export class Links {
  readonly #names = new Map<string, string>();

  /** @throws VitalwireError `request.invalid` when two entries have one name. */
  add(name: string, reference: string): void {
    const other = this.#names.get(name);
    if (other !== undefined && other !== reference)
      throw new VitalwireError('request.invalid', 'Two entries have this fullUrl. Give each its own.');
    this.#names.set(name, reference);
  }

  /**
   * A resource with its links replaced.
   * @param fullUrl of its entry: relative references mean what lies at the same root.
   */
  apply(text: string, fullUrl: string | undefined, base: string): string {
    if (this.#names.size === 0) return text;
    const root = rootOf(fullUrl) ?? `${base}/`;
    return replaceStrings(text, (value, member) => {
      if (member === 'reference') return this.#names.get(value) ?? this.#names.get(root + value);
      return URN.test(value) && !NOT_LINKS.has(member) ? this.#names.get(value) : undefined;
    });
  }
}

/** `https://other.example/fhir/Patient/1` → `https://other.example/fhir/`; undefined for a urn. */
function rootOf(fullUrl: string | undefined): string | undefined {
  return fullUrl === undefined ? undefined : /^(https?:\/\/.+\/)[A-Za-z]+\/[^/]+$/.exec(fullUrl)?.[1];
}
