/**
 * Which reading is this, and is it the same as before? CONTRACT §5 identity of a reading. The scope is the device, not the
 * gateway, so that two gateways that relay one reading agree.
 */
import { sha256Url } from '../base/hash.ts';
import type { Measurement } from './measurement.ts';
import type { Normal, NormalValue } from './normal.ts';
import type { Moment } from './time.ts';

/** 144 bits, and short enough for the store to keep it as it is. */
const KEY_CHARS = 24;
const CONTENT_CHARS = 22;

const digest = (text: string, chars: number): string => sha256Url(text).slice(0, chars);

/** Unique for ever: device and id; without id device, sequence number or time, and kind. */
export function readingKey(deviceId: string, m: Measurement, moment: Moment, content: string): string {
  if (m.id !== undefined) return digest(`${deviceId}\ni${m.id}`, KEY_CHARS);
  const kind = m.slot === undefined ? m.kind : `${m.kind}\n${m.slot}`;
  if (m.sequence !== undefined) return digest(`${deviceId}\ns${m.sequence}\n${kind}`, KEY_CHARS);
  if (m.time !== undefined) return digest(`${deviceId}\nt${moment.key}\n${m.end?.key ?? ''}\n${kind}`, KEY_CHARS);
  // Neither: two of one moment of reception are two readings unless they say the same.
  return digest(`${deviceId}\nr${moment.key}\n${kind}\n${content}`, KEY_CHARS);
}

function valueContent(v: NormalValue): string {
  if (v.value !== undefined) return `${v.value} ${v.unit?.code}`;
  if (v.absent !== undefined) return `!${v.absent}`;
  const { samples: s } = v;
  if (s) return `${s.period} ${s.factor} ${s.origin} ${s.lowerLimit} ${s.upperLimit} ${v.unit?.code}\t${s.data}`;
  return v.coded?.code ?? String(v.flag);
}

/**
 * What the reading says, in short: equal for equal content. The time of reception is no part of it. A short one is kept as it
 * is, a long one as a digest, which has no line break.
 */
export function contentOf(m: Measurement, normal: Normal): string {
  const keyedByTime = m.id === undefined && m.sequence === undefined;
  let text = keyedByTime ? '' : `${m.kind}\n${m.time?.key ?? ''}\n${m.end?.key ?? ''}`;
  text += `\n${m.status.join(' ')}\n${valueContent(normal)}`;
  for (const part of normal.parts) text += `\n${part.component.name}=${valueContent(part)}`;
  return text.length <= CONTENT_CHARS ? text : digest(text, CONTENT_CHARS);
}

/** What is kept with the key, to judge a repetition without reading the Observation. */
export interface Note {
  readonly content: string;
  /** Of the source record. */
  readonly version?: number;
  readonly retracted: boolean;
}

export const noteText = (note: Note): string => `${note.content};${note.version ?? ''}${note.retracted ? ';r' : ''}`;

export function parseNote(text: string): Note {
  const [content = '', version = '', mark] = text.split(';');
  return { content, retracted: mark === 'r', ...(version === '' ? {} : { version: Number(version) }) };
}

export type Repetition = 'duplicate' | 'newer' | 'conflict' | 'retract';

/** How a reading stands to what is stored under its key. */
export function compare(stored: Note, incoming: Note): Repetition {
  const higher = incoming.version !== undefined && incoming.version > (stored.version ?? -1);
  const lower = incoming.version !== undefined && stored.version !== undefined && incoming.version < stored.version;
  if (incoming.retracted) return stored.retracted || lower ? 'duplicate' : 'retract';
  if (stored.retracted && higher) return 'newer';
  if (stored.content === incoming.content || lower) return 'duplicate';
  return higher ? 'newer' : 'conflict';
}
