/** What this room keeps in the store between restarts. One writer for each kind of document. */
import type { Doc, DocWrite, Method } from '../store/store.ts';
import { COLLECTIONS } from './names.ts';

/** One numbered event. Kept for the retention, whatever becomes of its delivery. */
export interface EventRecord {
  /** 1, 2, 3 … per subscription, without a gap, never reused. */
  readonly n: number;
  /** Change number in the log; one event per subscription and change. */
  readonly seq: number;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly method: Method;
  /** Milliseconds since 1970, as in lastUpdated of the version. */
  readonly at: number;
}

/** Written by the matcher alone. */
export interface CountRecord {
  /** Events since the subscription was created. */
  readonly n: number;
  /** Change of the last event; a change up to it is not numbered again. */
  readonly seq: number;
  /** Newest version by a client whose filters are in force. */
  readonly version: number;
  /** The subscription was deleted: kept so that an id that comes back does not count from 1 again. */
  readonly deleted?: boolean;
}

/** A notification that was begun: every attempt repeats it, also after a crash. */
export interface Frozen {
  readonly from: number;
  readonly to: number;
  /** Bundle.id and webhook-id. */
  readonly id: string;
  /** Bundle.timestamp, ms since 1970. */
  readonly at: number;
}

export type DeliveryError = 'no-response' | 'error-response' | 'dns-resolution-error';

/** Written by the lane alone. */
export interface LaneRecord {
  /** Everything up to this number was acknowledged by a 2xx. */
  readonly acked: number;
  /** Newest version of the Subscription that the server itself wrote (a change of status); 0: none. */
  readonly own: number;
  /** The receiver answered the last handshake with 2xx. */
  readonly shaken: boolean;
  /** Events were dropped by the retention before they were acknowledged: the client has to ask anew. */
  readonly gap: boolean;
  readonly batch?: Frozen | undefined;
  /** Milliseconds since 1970; undefined while deliveries succeed. */
  readonly failingSince?: number | undefined;
  readonly error?: DeliveryError | undefined;
}

export const NEW_LANE: LaneRecord = Object.freeze({ acked: 0, own: 0, shaken: false, gap: false });

const DIGITS = 12;
export const eventKey = (subscription: string, n: number): string =>
  `${subscription}/${String(n).padStart(DIGITS, '0')}`;

const put = (collection: string, key: string, value: unknown, expires?: number): DocWrite => ({
  op: 'put',
  doc: { collection, key, body: JSON.stringify(value), expires },
});

export const eventDoc = (subscription: string, event: EventRecord, expires: number): DocWrite =>
  put(COLLECTIONS.event, eventKey(subscription, event.n), event, expires);
export const countDoc = (subscription: string, count: CountRecord, expires?: number): DocWrite =>
  put(COLLECTIONS.count, subscription, count, expires);
export const laneDoc = (subscription: string, lane: LaneRecord): DocWrite => put(COLLECTIONS.lane, subscription, lane);
export const checkpointDoc = (seq: number): DocWrite => put(COLLECTIONS.checkpoint, 'matcher', { seq });

export const parseDoc = <T>(doc: Doc): T => JSON.parse(doc.body) as T;
