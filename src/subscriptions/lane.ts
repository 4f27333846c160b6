/** One subscription's delivery: what it holds in memory. One notification is under way at a time, so order is kept. */
import type { Definition } from './definition.ts';
import type { SubscriptionStatus } from './names.ts';
import type { EventRecord, LaneRecord } from './state.ts';

export type Work = 'end' | 'handshake' | 'batch' | 'heartbeat';

export class Lane {
  definition: Definition;
  status: SubscriptionStatus;
  record: LaneRecord;
  /** Events numbered so far. */
  total: number;
  /** Failed attempts since the last success or handshake. */
  failures = 0;
  /** The receiver is not tried before this moment, ms since 1970. */
  notBefore = 0;
  /** Nothing is done before this moment: the store refused, or a newer version of the Subscription is on its way here. */
  pausedUntil = 0;
  /** Last notification of any kind that got through, ms since 1970: heartbeats are about silence. */
  lastSent: number;
  /** An attempt, or the freezing of a batch, is under way. */
  busy = false;
  /** The client asked anew after events were lost: go on with the first that is left. */
  forgive = false;
  /** `record` is newer than its document. */
  dirty = false;
  gone = false;
  /** Events of the frozen batch, while they are at hand. */
  events: readonly EventRecord[] | undefined;
  /** Ends what is under way. */
  abort: AbortController | undefined;
  timer: NodeJS.Timeout | undefined;
  /** A change of status that is being committed: its version, and when that is decided. */
  writing: { readonly version: number; readonly done: Promise<unknown> } | undefined;

  constructor(definition: Definition, record: LaneRecord, total: number, now: number) {
    this.definition = definition;
    this.status = definition.status;
    this.record = record;
    this.total = total;
    this.lastSent = now;
  }

  get id(): string {
    return this.definition.id;
  }

  /** Newest version of the Subscription that this room knows. */
  get version(): number {
    return Math.max(this.definition.version, this.record.own);
  }

  get origin(): string {
    return URL.parse(this.definition.channel.endpoint)?.origin ?? '';
  }

  get backlog(): number {
    return this.total - this.record.acked;
  }

  /** Whether events may be sent: after a handshake, and until the receiver has to ask anew. */
  get flowing(): boolean {
    if (this.gone) return false;
    return this.status === 'active' || (this.status === 'error' && this.record.shaken && !this.record.gap);
  }

  /** What is to be done now, if anything. */
  next(now: number): Work | undefined {
    if (this.gone || this.status === 'off') return undefined;
    if (this.definition.end !== undefined && this.definition.end <= now) return 'end';
    if (this.status === 'requested') return 'handshake';
    if (!this.flowing) return undefined;
    if (this.record.batch || this.backlog > 0) return 'batch';
    return this.heartbeatDue(now) ? 'heartbeat' : undefined;
  }

  heartbeatDue(now: number): boolean {
    const period = this.definition.channel.heartbeatMs;
    return period !== undefined && now - this.lastSent >= period;
  }

  change(change: Partial<LaneRecord>): void {
    this.record = { ...this.record, ...change };
    this.dirty = true;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.abort?.abort();
  }
}
