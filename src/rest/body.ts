/** The body of a request as a resource. */
import { VitalwireError } from '../base/errors.ts';
import { mediaType } from '../base/http.ts';
import { type ParsedResource, parseResource } from '../fhir/parse.ts';
import type { RestContext, RestRequest } from './context.ts';

const JSON_TYPES: ReadonlySet<string> = new Set(['application/fhir+json', 'application/json']);

/** @throws VitalwireError `request.media-type`. FHIR R4 http.html#mime-type */
export function assertJson(request: RestRequest): void {
  const sent = mediaType(request.headers['content-type']);
  if (JSON_TYPES.has(sent)) return;
  throw new VitalwireError(
    'request.media-type',
    sent === ''
      ? 'The request has no Content-Type. Send application/fhir+json.'
      : 'This Content-Type is not supported here. Send application/fhir+json.',
  );
}

/** @throws VitalwireError `request.media-type`, `request.malformed`, `request.too-deep`, `request.invalid` (another type than `type`). */
export function resourceOf(ctx: RestContext, request: RestRequest, type: string): ParsedResource {
  assertJson(request);
  const { parsed } = request;
  if (!parsed) return parseResource(request.body, ctx.limits, type);
  if (parsed['resourceType'] !== type)
    throw new VitalwireError('request.invalid', `The resource is not of the type that the URL names: send a ${type}.`, {
      expression: ['resourceType'],
    });
  return { resourceType: type, resource: parsed, text: request.body };
}
