import type { PlainRequest, PlainResponse } from '../base/http.ts';
import type { Principal } from './principal.ts';

/** A FHIR operation, `$status` …; rooms offer them, `rest/` routes them and lists them in the CapabilityStatement. */
export interface Operation {
  /** Without the dollar sign. */
  readonly name: string;
  /** Canonical URL of its OperationDefinition. */
  readonly definition: string;
  /** Resource type; absent for a system operation. */
  readonly type?: string;
  readonly levels: readonly ('system' | 'type' | 'instance')[];
  readonly methods: readonly ('GET' | 'POST')[];
  /** `id` is set at instance level. Checks access itself. @throws VitalwireError */
  handle(request: PlainRequest & { readonly id?: string | undefined }, principal: Principal): Promise<PlainResponse>;
}
