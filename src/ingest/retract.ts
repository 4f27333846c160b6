/** The text of an Observation with another status; every other byte stays. */
import { membersAt } from '../base/json.ts';

export function withStatus(text: string, status: string): string {
  const found = membersAt(text).find((m) => m.name === 'status');
  if (!found) throw new Error('an Observation without status');
  return `${text.slice(0, found.valueStart)}${JSON.stringify(status)}${text.slice(found.valueEnd)}`;
}
