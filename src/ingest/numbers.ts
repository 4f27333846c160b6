/** The digits of a JSON number as they were sent: `36.40` is not 36.4. Looked up in the text only where a number is. */
import { endOfValue, itemsAt, membersAt } from '../base/json.ts';

/** Where a value stands in valid JSON text. */
export interface Source {
  readonly text: string;
  readonly at: number;
}

/** The value of a member of the object that stands here. */
export function memberSource(source: Source | undefined, name: string): Source | undefined {
  if (!source) return undefined;
  // The last one of a name is what a parser keeps.
  const found = membersAt(source.text, source.at).findLast((m) => m.name === name);
  return found && { text: source.text, at: found.valueStart };
}

/** An item of the array that stands here. */
export function itemSource(source: Source | undefined, index: number): Source | undefined {
  const found = source && itemsAt(source.text, source.at)[index];
  return found && { text: source.text, at: found[0] };
}

export const sourceText = (source: Source): string => source.text.slice(source.at, endOfValue(source.text, source.at));

/** The text of a number that is a member here; what JavaScript prints when the source is not at hand. */
export function numberText(source: Source | undefined, name: string, value: number): string {
  const found = memberSource(source, name);
  return found ? sourceText(found) : String(value);
}
