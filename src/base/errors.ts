/**
 * The one error class. `details` goes on the wire, `cause` and `private` only into the log.
 * The set of codes is closed; `docs/errors.md` is generated from this table.
 */
export const ERRORS = {
  // code                    status  FHIR issue code (http://hl7.org/fhir/R4/valueset-issue-type.html)
  'request.malformed': { status: 400, issue: 'structure' },
  'request.invalid': { status: 400, issue: 'invalid' },
  'request.unsupported': { status: 400, issue: 'not-supported' },
  'request.value': { status: 400, issue: 'value' },
  'request.too-deep': { status: 400, issue: 'structure' },
  'request.too-many': { status: 400, issue: 'too-costly' },
  'request.too-large': { status: 413, issue: 'too-long' },
  'request.media-type': { status: 415, issue: 'not-supported' },
  'request.not-acceptable': { status: 406, issue: 'not-supported' },
  'request.method': { status: 405, issue: 'not-supported' },
  'resource.invalid': { status: 422, issue: 'invalid' },
  'resource.rule': { status: 422, issue: 'business-rule' },
  'resource.not-found': { status: 404, issue: 'not-found' },
  'resource.deleted': { status: 410, issue: 'deleted' },
  'resource.conflict': { status: 409, issue: 'conflict' },
  'resource.version': { status: 412, issue: 'conflict' },
  'resource.multiple': { status: 412, issue: 'multiple-matches' },
  'path.unknown': { status: 404, issue: 'not-found' },
  'auth.missing': { status: 401, issue: 'login' },
  'auth.invalid': { status: 401, issue: 'login' },
  'auth.forbidden': { status: 403, issue: 'forbidden' },
  'server.busy': { status: 429, issue: 'throttled' },
  'server.unavailable': { status: 503, issue: 'transient' },
  // The edge gateway's spool: CONTRACT §6 gateway answer.
  'server.full': { status: 507, issue: 'no-store' },
  'server.fault': { status: 500, issue: 'exception' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorOptions {
  /** FHIRPath of the element at fault, e.g. `Patient.name[1].use`. */
  expression?: readonly string[];
  /** Several issues at once (validation); the first is `details`. */
  issues?: readonly { code: string; details: string; expression?: readonly string[]; severity?: 'error' | 'warning' }[];
  /** Extra response headers, e.g. `Retry-After`. */
  headers?: Readonly<Record<string, string>>;
  /** Never sent; logged. */
  private?: unknown;
  cause?: unknown;
}

/** An error whose sentence may be shown to the caller. Everything else that is thrown is a `server.fault`. */
export class VitalwireError extends Error {
  readonly code: ErrorCode;
  readonly options: ErrorOptions;
  constructor(code: ErrorCode, details: string, options: ErrorOptions = {}) {
    super(details, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'VitalwireError';
    this.code = code;
    this.options = options;
  }
  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** A mistake of the operator (configuration, seed, data folder): printed as sentences, exit 1, no stack trace. */
export class StartError extends Error {
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[] | string) {
    const list = typeof mistakes === 'string' ? [mistakes] : mistakes;
    super(list.join('\n'));
    this.name = 'StartError';
    this.mistakes = list;
  }
}
