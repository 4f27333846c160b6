/** What a narrative may not be. FHIR R4 narrative.html#id1: no active content, one div, something to read. */

const FORBIDDEN =
  /^\/?(script|head|body|html|base|link|meta|xlink|form|input|button|select|textarea|frame|frameset|iframe|object|applet|embed)(?![\w:-])/i;
const EVENT_ATTRIBUTE = /[\s"'/]on[a-z]+\s*=/i;
const OPENING = /^<div(?=[\s/>])/;

/** Index just after the tag that opens at `at`, or -1. Quoted values may hold `>`. */
function endOfTag(text: string, at: number): number {
  let quote = 0;
  for (let i = at + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quote !== 0) {
      if (c === quote) quote = 0;
    } else if (c === 34 || c === 39) quote = c;
    else if (c === 62) return i + 1;
  }
  return -1;
}

/** Reads every tag once: the cost is linear, whatever is in it. */
function isInert(text: string): boolean {
  for (let at = text.indexOf('<'); at !== -1; ) {
    if (text.startsWith('<!--', at)) {
      const end = text.indexOf('-->', at + 4);
      if (end === -1) return false;
      at = text.indexOf('<', end + 3);
      continue;
    }
    const end = endOfTag(text, at);
    if (end === -1) return false;
    const tag = text.slice(at + 1, end - 1);
    if (FORBIDDEN.test(tag) || EVENT_ATTRIBUTE.test(tag.replace(/"[^"]*"|'[^']*'/g, '""'))) return false;
    if (/=\s*["']?\s*javascript:/i.test(tag)) return false;
    at = text.indexOf('<', end);
  }
  return true;
}

export function isNarrative(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const text = value.trim();
  if (!OPENING.test(text)) return false;
  return (text.endsWith('</div>') || text.endsWith('/>')) && isInert(text);
}
