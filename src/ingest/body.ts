/** The body of an ingest request → its messages, each with its own text. JSON with a list, or NDJSON. */
import { VitalwireError } from '../base/errors.ts';
import { countMembers, endOfValue, itemsAt, membersAt, shapeOf } from '../base/json.ts';
import type { Limits } from '../base/limits.ts';
import { type Issue, malformed } from './issue.ts';
import { memberSource, type Source } from './numbers.ts';

export interface Message {
  readonly index: number;
  readonly value: unknown;
  /** Set: it could not be read, and `value` is nothing. */
  readonly broken?: Issue;
  readonly source: () => Source;
}

export const JSON_TYPE = 'application/json';
export const NDJSON_TYPE = 'application/x-ndjson';

const TWICE = malformed('A name stands twice in one object. Send each member once.');

function tooMany(max: number): VitalwireError {
  return new VitalwireError('request.too-many', `A request may have at most ${max} messages. Send it in parts.`);
}

/** Text of a message, for the held list and for comparing messages. */
export function messageText(message: Message): string {
  const { text, at } = message.source();
  return at === 0 && message.broken ? text : text.slice(at, endOfValue(text, at));
}

/** @throws VitalwireError `request.malformed`, `request.too-deep`, `request.too-many`. */
export function messagesOf(text: string, media: string, list: string, limits: Limits): Message[] {
  return media === NDJSON_TYPE ? lines(text, limits) : items(text, list, limits);
}

function line(text: string, index: number, limits: Limits): Message {
  const source = (): Source => ({ text, at: 0 });
  const broken = (details: string): Message => ({ index, value: undefined, source, broken: malformed(details) });
  try {
    const { members } = shapeOf(text, limits.jsonDepthMax);
    const value: unknown = JSON.parse(text);
    return countMembers(value) === members
      ? { index, value, source }
      : { index, value: undefined, source, broken: TWICE };
  } catch (error) {
    return broken(
      error instanceof VitalwireError ? error.message : 'The line is not valid JSON. Send one JSON object a line.',
    );
  }
}

function lines(text: string, limits: Limits): Message[] {
  const found: Message[] = [];
  for (const part of text.split('\n')) {
    const trimmed = part.trim();
    if (trimmed === '') continue;
    if (found.length === limits.readingsPerRequestMax) throw tooMany(limits.readingsPerRequestMax);
    found.push(line(trimmed, found.length, limits));
  }
  if (found.length === 0)
    throw new VitalwireError('request.malformed', 'The body has no line. Send one JSON object a line.');
  return found;
}

function items(text: string, list: string, limits: Limits): Message[] {
  const { members } = shapeOf(text, limits.jsonDepthMax);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new VitalwireError('request.malformed', 'The body is not valid JSON.', { cause });
  }
  const values = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[list] : undefined;
  if (!Array.isArray(values))
    throw new VitalwireError('request.malformed', `The body must be an object with a list: {"${list}":[…]}.`);
  if (values.length > limits.readingsPerRequestMax) throw tooMany(limits.readingsPerRequestMax);
  let places: [number, number][] | undefined;
  const place = (index: number): Source => {
    places ??= itemsAt(text, memberSource({ text, at: 0 }, list)?.at ?? 0);
    return { text, at: places[index]?.[0] ?? 0 };
  };
  const found = values.map((value: unknown, index): Message => ({ index, value, source: () => place(index) }));
  return countMembers(body) === members ? found : withoutTwins(found, text, list, limits);
}

/** A name stood twice somewhere: only what it stood in is refused, unless that is the body itself. */
function withoutTwins(found: Message[], text: string, list: string, limits: Limits): Message[] {
  if (membersAt(text).filter((m) => m.name === list).length !== 1)
    throw new VitalwireError('request.malformed', `The body has "${list}" more than once.`);
  return found.map((message) => {
    const { members } = shapeOf(messageText(message), limits.jsonDepthMax);
    return countMembers(message.value) === members ? message : { ...message, value: undefined, broken: TWICE };
  });
}
