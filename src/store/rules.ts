/** Rules of single resource types that every write path obeys: REST, transactions, seed, ingest. */
import type { Caller } from '../base/caller.ts';
import type { MaybePromise } from '../base/types.ts';
import type { Filter } from '../search/plan.ts';
import type { Batch, Method, Stored } from './store.ts';

export interface ProposedWrite<C extends Caller = Caller> {
  readonly method: Method;
  readonly type: string;
  readonly id: string;
  /** The version it follows; absent for a create. */
  readonly before?: Stored | undefined;
  /** Parsed and validated; absent for a delete. */
  readonly resource?: Readonly<Record<string, unknown>> | undefined;
  /** Its text; empty for a delete. */
  readonly text: string;
  /** Absent: the server itself (seed). */
  readonly caller?: C | undefined;
  /**
   * Every write of the same transaction, this one included: none of them can be read from the store yet, so a rule that
   * compares resources with each other must look here too. Absent: this is the only one.
   */
  readonly alongside?: readonly ProposedWrite<C>[] | undefined;
}

export interface RuleOutcome {
  /** Replaces the text that is stored (the server adjusted something). Must be a valid resource of the same type. */
  readonly text?: string;
  /** Goes into the same transaction. Documents, preconditions and touches only. */
  readonly batch?: Batch;
}

export interface WriteRule<C extends Caller = Caller> {
  readonly type: string;
  /** @throws VitalwireError to refuse the write. */
  check(write: ProposedWrite<C>): MaybePromise<RuleOutcome | undefined>;
  /** Called after the commit, before the answer. */
  committed?(write: ProposedWrite<C>): void;
  /** The text that this caller may see of what is stored, when not all of it. */
  present?(stored: Stored, caller: C): MaybePromise<string>;
  /** What of this type the caller may see at all, ANDed like an access rule into every read path; undefined: no restriction. */
  visibility?(caller: C): Filter | undefined;
}
