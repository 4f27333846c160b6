/** The refusals that several interactions give in the same words: what is hidden and what is absent must not differ by a byte. */
import { VitalwireError } from '../base/errors.ts';

export const notFound = (type: string, id: string): VitalwireError =>
  new VitalwireError('resource.not-found', `There is no ${type}/${id}. Check the id.`);

export const versionNotFound = (type: string, id: string, version: string): VitalwireError =>
  new VitalwireError('resource.not-found', `There is no version ${version} of ${type}/${id}. Read its _history.`);

export const gone = (type: string, id: string, version: number): VitalwireError =>
  new VitalwireError('resource.deleted', `${type}/${id} was deleted. Its earlier versions are in its _history.`, {
    headers: { etag: `W/"${version}"` },
  });

/** CONTRACT §2 refusals: 403 for a write whose result leaves what the token may see. */
export const leaves = (): VitalwireError =>
  new VitalwireError(
    'auth.forbidden',
    'The result would be outside of what this token may see. Ask for a wider scope, or change the resource.',
  );

export const pathUnknown = (path: string): VitalwireError =>
  new VitalwireError(
    'path.unknown',
    `There is nothing at ${path}. The CapabilityStatement at /metadata lists what there is.`,
  );

export const methodUnknown = (method: string, what: string, allow: string): VitalwireError =>
  new VitalwireError('request.method', `${method} is not possible on ${what}. Use ${allow}.`, { headers: { allow } });
