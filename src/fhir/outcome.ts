/** OperationOutcome as text, and what an error says to the outside. FHIR R4 operationoutcome.html */
import { ERRORS, type ErrorOptions, VitalwireError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';

export type Severity = 'fatal' | 'error' | 'warning' | 'information';

interface OutcomeIssue {
  readonly severity: Severity;
  /** http://hl7.org/fhir/R4/valueset-issue-type.html */
  readonly code: string;
  readonly details: string;
  readonly expression?: readonly string[] | undefined;
}

/** Readers look for the sentence in `details.text` or in `diagnostics`; both have it. */
function issueOf({ severity, code, details, expression }: OutcomeIssue): object {
  const issue = { severity, code, details: { text: details }, diagnostics: details };
  return expression === undefined || expression.length === 0 ? issue : { ...issue, expression };
}

const outcomeText = (issues: readonly OutcomeIssue[]): string =>
  JSON.stringify({ resourceType: 'OperationOutcome', issue: issues.map(issueOf) });

/** JSON text of an OperationOutcome with one issue. `expression` is FHIRPath, e.g. `Patient.name[1].use`. */
export function outcome(
  severity: Severity,
  code: string,
  details: string,
  expression?: string | readonly string[],
): string {
  return outcomeText([
    { severity, code, details, expression: typeof expression === 'string' ? [expression] : expression },
  ]);
}

function issuesOf(error: VitalwireError): readonly OutcomeIssue[] {
  const { issues, expression }: ErrorOptions = error.options;
  if (issues !== undefined && issues.length > 0)
    return issues.slice(0, limits.validationIssuesMax).map((i) => ({ ...i, severity: i.severity ?? 'error' }));
  return [{ severity: 'error', code: ERRORS[error.code].issue, details: error.message, expression }];
}

export interface ErrorAnswer {
  status: number;
  headers: Record<string, string>;
  /** JSON text of an OperationOutcome. */
  body: string;
}

/**
 * What an error answers. Only a `VitalwireError` has a sentence for the caller; for everything else that is thrown it is
 * always the same one, whatever the error holds.
 */
export function outcomeOf(error: unknown): ErrorAnswer {
  const contentType = { 'content-type': 'application/fhir+json; charset=utf-8' };
  if (error instanceof VitalwireError)
    return {
      status: error.status,
      headers: { ...contentType, ...error.options.headers },
      body: outcomeText(issuesOf(error)),
    };
  return {
    status: ERRORS['server.fault'].status,
    headers: contentType,
    body: outcome(
      'fatal',
      ERRORS['server.fault'].issue,
      'The server failed to answer this request. Try again later; the operator finds the cause in the log.',
    ),
  };
}
