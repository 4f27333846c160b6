/** What the FHIR API is made from: everything it needs of the other rooms, passed in by the composition root. */
import type { Operation } from '../access/operation.ts';
import type { Principal } from '../access/principal.ts';
import type { Clock } from '../base/clock.ts';
import type { PlainRequest, PlainResponse } from '../base/http.ts';
import type { Limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { WriteRule } from '../store/rules.ts';
import type { Store } from '../store/store.ts';

/** The members of the SMART discovery document that the CapabilityStatement repeats. */
export interface SmartEndpoints {
  readonly authorization_endpoint?: string;
  readonly token_endpoint?: string;
  readonly registration_endpoint?: string;
  readonly management_endpoint?: string;
  readonly introspection_endpoint?: string;
  readonly revocation_endpoint?: string;
}

export interface RestContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Logger;
  /** The FHIR base, without a slash at its end. */
  readonly base: string;
  /** The server's own address, without a slash at its end. */
  readonly baseUrl: string;
  /** Signs paging cursors. */
  readonly secret: Uint8Array;
  readonly rules: readonly WriteRule<Principal>[];
  readonly operations: readonly Operation[];
  /** Canonical URLs of the subscription topics. */
  readonly topics: readonly string[];
  readonly smart: SmartEndpoints;
  /** Version of this software, for the CapabilityStatement. */
  readonly version?: string | undefined;
}

/** A request of which more is known than its text: an entry of a Bundle was parsed and checked together with the Bundle. */
export interface RestRequest extends PlainRequest {
  /** `body` as a value. */
  readonly parsed?: Record<string, unknown> | undefined;
}

/** What answers a request, errors thrown. */
export type Act = (ctx: RestContext, request: RestRequest, principal: Principal) => Promise<PlainResponse>;
