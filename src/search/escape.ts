/** FHIR R4 search.html#escaping: `\,` `\|` `\$` `\\` stand for the character itself. */
const BACKSLASH = '\\';

/** Splits at each separator that is not escaped; the pieces stay escaped. */
export function splitAt(text: string, separator: ',' | '|' | '$'): string[] {
  if (!text.includes(BACKSLASH)) return text.split(separator);
  const pieces: string[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === BACKSLASH) i++;
    else if (text[i] === separator) {
      pieces.push(text.slice(from, i));
      from = i + 1;
    }
  }
  pieces.push(text.slice(from));
  return pieces;
}

/** A backslash before any other character is itself. */
export const unescaped = (text: string): string =>
  text.includes(BACKSLASH) ? text.replace(/\\([\\,|$])/g, '$1') : text;
