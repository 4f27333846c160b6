/** `channel.header`: what may be sent with every POST, and how its values are kept out of sight. CONTRACT §7 channel.header */
import { randomUrl } from '../base/hash.ts';

export interface Header {
  readonly name: string;
  readonly value: string;
}

// RFC 9110 §5.6.2 token, §5.5 field value (visible ASCII with spaces and tabs inside).
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\x20-\x7e\t]*$/;
/** RFC 9110 §7.6.1: for the hop, not for the receiver; and what this server writes itself. */
const REFUSED = new Set([
  'host',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);
const REFUSED_PREFIXES = ['content-', 'webhook-', 'proxy-'];

/** Cut at the first colon. @returns the header, or a sentence that says why it is refused. */
export function parseHeader(text: string): Header | string {
  const colon = text.indexOf(':');
  if (colon <= 0) return 'Write a header as "Name: value".';
  const name = text.slice(0, colon);
  const value = text.slice(colon + 1).trim();
  if (!NAME.test(name)) return "The name of a header is made of letters, digits and !#$%&'*+-.^_`|~.";
  if (/[\r\n]/.test(text)) return 'A header has no line breaks.';
  if (!VALUE.test(value)) return 'The value of a header is visible ASCII.';
  const lower = name.toLowerCase();
  if (REFUSED.has(lower) || REFUSED_PREFIXES.some((p) => lower.startsWith(p)))
    return `${name} is set by the server itself or belongs to one connection; choose another header.`;
  return { name, value };
}

/** What the stored text says instead of a value; the key finds the value in the sealed document. */
const SEALED = /^sealed:([A-Za-z0-9_-]{12})$/;
/** What others than the owner are shown. */
export const HIDDEN = '********';

export type Secrets = Readonly<Record<string, string>>;

export interface SealedHeaders {
  /** For the stored text. */
  readonly lines: readonly string[];
  /** Values by key: the content of the sealed document. */
  readonly secrets: Secrets;
}

/**
 * Takes the values out of headers. A value that comes back as it was shown (hidden or sealed) stays what it was; one that is the
 * same as before keeps its key, so that an update without a change changes nothing.
 * @param before lines and secrets of the version before
 * @returns undefined for a hidden value that stands for nothing
 */
export function sealHeaders(headers: readonly Header[], before: SealedHeaders): SealedHeaders | undefined {
  const old = before.lines.map((line) => parseHeader(line)).filter((h) => typeof h !== 'string');
  const secrets: Record<string, string> = {};
  const lines: string[] = [];
  for (const { name, value } of headers) {
    const same = old.filter((h) => h.name.toLowerCase() === name.toLowerCase());
    const keyOf = (h: Header): string => SEALED.exec(h.value)?.[1] ?? '';
    const given = SEALED.exec(value)?.[1];
    const found = same.find((h) =>
      value === HIDDEN || given !== undefined
        ? given === undefined || keyOf(h) === given
        : before.secrets[keyOf(h)] === value,
    );
    const key = found && before.secrets[keyOf(found)] !== undefined ? keyOf(found) : undefined;
    if (key === undefined && (value === HIDDEN || given !== undefined)) return undefined;
    const own = key ?? randomUrl(9);
    secrets[own] = key === undefined ? value : (before.secrets[key] as string);
    lines.push(`${name}: sealed:${own}`);
  }
  return { lines, secrets };
}

/** The header as it is sent, or as its owner sees it; hidden when the value is no longer kept. */
export function openHeader(line: string, secrets: Secrets | undefined): Header | undefined {
  const header = parseHeader(line);
  if (typeof header === 'string') return undefined;
  const key = SEALED.exec(header.value)?.[1];
  if (key === undefined) return header;
  return { name: header.name, value: secrets?.[key] ?? HIDDEN };
}

export const lineOf = (header: Header): string => `${header.name}: ${header.value}`;
