/** Parameters of an operation, from a query or from a Parameters body. FHIR R4 operations.html#executing */
import { VitalwireError } from '../base/errors.ts';
import { mediaType, type PlainRequest, type PlainResponse } from '../base/http.ts';
import { list, type Obj } from './names.ts';

/** All values by name; names may repeat. */
export type OperationParams = ReadonlyMap<string, readonly string[]>;

function collect(pairs: Iterable<readonly [string, string]>): OperationParams {
  const found = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const values = found.get(name);
    if (values) values.push(value);
    else found.set(name, [value]);
  }
  return found;
}

function fromBody(body: string): OperationParams {
  let json: Obj;
  try {
    json = JSON.parse(body) as Obj;
  } catch (cause) {
    throw new VitalwireError('request.malformed', 'The body is not JSON. Send a Parameters resource.', { cause });
  }
  if (json?.['resourceType'] !== 'Parameters')
    throw new VitalwireError('request.invalid', 'The body of an operation is a Parameters resource.');
  return collect(
    list(json['parameter']).flatMap((parameter): [string, string][] => {
      const value = Object.entries(parameter).find(([name]) => name.startsWith('value'))?.[1];
      return typeof value === 'string' || typeof value === 'number' ? [[String(parameter['name']), String(value)]] : [];
    }),
  );
}

/** @throws VitalwireError when the body is not what an operation takes. */
export function operationParams(request: PlainRequest): OperationParams {
  const query = new URLSearchParams(request.query);
  if (request.method !== 'POST' || request.body.trim() === '') return collect(query);
  const form = mediaType(request.headers['content-type']) === 'application/x-www-form-urlencoded';
  return form ? collect(new URLSearchParams(request.body)) : fromBody(request.body);
}

/** A whole number of at least 1. @throws VitalwireError `request.value` */
export function numberParam(params: OperationParams, name: string): number | undefined {
  const text = params.get(name)?.[0];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw new VitalwireError('request.value', `${name} is the number of an event: 1, 2, 3 …`, { expression: [name] });
  return Number(text);
}

export const fhirAnswer = (body: string): PlainResponse => ({
  status: 200,
  headers: { 'content-type': 'application/fhir+json; charset=utf-8', 'cache-control': 'no-store' },
  body,
});
