import { type ErrorCode, VitalwireError } from '../base/errors.ts';

/** User text for a sentence: bounded, control characters shown. */
export const quoted = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** The error of one parameter. FHIR R4 operationoutcome-definitions.html: HTTP parameters are named `http.<name>`. */
export function refusal(code: ErrorCode, param: string, why: string): VitalwireError {
  const named = /^[\w:.-]{1,80}$/.test(param) ? { expression: [`http.${param}`] } : {};
  return new VitalwireError(code, `${quoted(param).slice(1, -1)}: ${why}`, named);
}

export const badValue = (param: string, why: string): VitalwireError => refusal('request.value', param, why);
export const unsupported = (param: string, why: string): VitalwireError => refusal('request.unsupported', param, why);
