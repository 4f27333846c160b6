/**
 * Messages that were not filed, as documents: held ones until they are cured, rejected ones for a while. A held message is found
 * again by its print, so that the very same one is a duplicate of it. CONTRACT §5 held and rejected.
 */
import { sha256Url } from '../base/hash.ts';
import type { DocWrite } from '../store/store.ts';
import type { IssueCode } from './issue.ts';
import type { Identifier } from './measurement.ts';

export const HELD = 'held';
export const PRINTS = 'held-print';

export interface HeldEntry {
  readonly id: string;
  readonly status: 'held' | 'rejected';
  readonly reason: IssueCode;
  readonly details: string;
  readonly device: readonly Identifier[];
  /** Canonical identities of `device`. */
  readonly identities: readonly string[];
  /** Client that sent it. */
  readonly gateway: string;
  readonly adapter: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** As it came, JSON text; of a broken line whatever it was. */
  readonly message: string;
  /** `raw/<key>#<index>` of the request that it came in. */
  readonly origin: string;
  /** Of a held one: key of its print. */
  readonly print: string;
  /** False: the balance has the message as stored, since another part of it was. */
  readonly counted: boolean;
  /** Granular scopes of the token that sent it: a replay may not do what that token may not. */
  readonly scopes?: readonly string[];
}

/** The very same message: the same adapter and the same text. */
export const printOf = (adapter: string, text: string): string => sha256Url(`${adapter}\n${text}`).slice(0, 32);

export const identityTag = (identity: string): string => `i:${identity}`;
export const valueTag = (value: string): string => `v:${value}`;
export const reasonTag = (reason: string): string => `r:${reason}`;
export const statusTag = (status: string): string => `s:${status}`;
export const gatewayTag = (clientId: string): string => `g:${clientId}`;

function tagsOf(entry: HeldEntry): string[] {
  return [
    reasonTag(entry.reason),
    statusTag(entry.status),
    gatewayTag(entry.gateway),
    ...entry.identities.map(identityTag),
    ...new Set(entry.device.map((i) => valueTag(i.value))),
  ];
}

export const bodyOf = (entry: HeldEntry): string => JSON.stringify(entry);

/** @param expires ms since 1970 of a rejected one. */
export function putEntry(entry: HeldEntry, expires?: number): DocWrite[] {
  const doc = { collection: HELD, key: entry.id, body: bodyOf(entry), tags: tagsOf(entry), expires };
  if (entry.status === 'rejected') return [{ op: 'put', doc }];
  const print = { collection: PRINTS, key: entry.print, body: entry.id };
  // Inserted, so that of two that come at once the later one is judged again and finds the first.
  return [
    { op: 'insert', doc: print },
    { op: 'put', doc },
  ];
}

/** Changes an entry, unless somebody else did meanwhile. A held one that is now rejected gives up its print. */
export function changeEntry(was: HeldEntry, now: HeldEntry, expires?: number): DocWrite[] {
  const doc = { collection: HELD, key: now.id, body: bodyOf(now), tags: tagsOf(now), expires };
  const change: DocWrite = { op: 'replace', doc, was: bodyOf(was) };
  return now.status === 'held' ? [change] : [change, { op: 'delete', collection: PRINTS, key: was.print }];
}

/** Takes a cured entry away; refused by the store when somebody else did, so that nothing moves twice in the balance. */
export function removeEntry(entry: HeldEntry): DocWrite[] {
  const gone = { collection: HELD, key: entry.id, body: '{}', expires: 1 };
  return [
    { op: 'replace', doc: gone, was: bodyOf(entry) },
    { op: 'delete', collection: PRINTS, key: entry.print },
  ];
}

export const parseEntry = (body: string): HeldEntry => JSON.parse(body) as HeldEntry;
