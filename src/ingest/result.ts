/** What is said of a message, from what became of its measurements. CONTRACT §5 ingest answer. */
import type { Item } from './candidate.ts';
import { type Issue, type Status, statusOf } from './issue.ts';

export interface Result {
  readonly status: Status;
  /** Logical ids. */
  readonly observations: readonly string[];
  readonly issue?: Issue;
}

/** A message of several measurements is stored when one is, and held when one of the rest may yet be cured. */
export function resultOf(item: Item): Result {
  if (item.refused) return { status: statusOf(item.refused), observations: [], issue: item.refused };
  const observations: string[] = [];
  let found: Issue | undefined;
  let stored = item.candidates.length === 0;
  for (const { outcome } of item.candidates) {
    if (!outcome) throw new Error('a measurement without an outcome');
    if (outcome.status === 'refused') {
      if (!found || (statusOf(found) === 'rejected' && statusOf(outcome.issue) === 'held')) found = outcome.issue;
      continue;
    }
    if (!observations.includes(outcome.id)) observations.push(outcome.id);
    stored ||= outcome.status === 'stored';
  }
  if (!found) return { status: stored ? 'stored' : 'duplicate', observations };
  if (stored) return { status: 'stored', observations, issue: found };
  const refused = statusOf(found);
  return {
    status: refused === 'rejected' && observations.length > 0 ? 'duplicate' : refused,
    observations,
    issue: found,
  };
}

const issueText = (found: Issue): string => `{"code":"${found.code}","details":${JSON.stringify(found.details)}}`;

/** @param more further members, each with a leading comma. */
export function resultText(index: number, result: Result, more = ''): string {
  let text = `{"index":${index},"status":"${result.status}"`;
  if (result.status === 'stored' || result.observations.length > 0)
    text += `,"observation":[${result.observations.map((id) => `"Observation/${id}"`).join(',')}]`;
  if (result.issue) text += `,"issue":${issueText(result.issue)}`;
  return `${text}${more}}`;
}
