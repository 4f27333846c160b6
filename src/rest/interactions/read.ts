/** read and conditional read: the stored bytes are the body. FHIR R4 http.html#read, #cread */
import { isUnrestricted } from '../../access/authorize.ts';
import type { Principal } from '../../access/principal.ts';
import type { PlainResponse } from '../../base/http.ts';
import type { Stored } from '../../store/store.ts';
import { known } from '../access.ts';
import type { RestContext, RestRequest } from '../context.ts';
import { notModified } from '../etag.ts';
import { gone, notFound } from '../refusals.ts';
import { versionHeaders } from '../respond.ts';
import { accessFor, presented } from '../rules.ts';
import { subset, subsetOf } from '../subset.ts';

export async function read(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
  id: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 'r', type);
  const found = await ctx.store.read(type, id);
  // What is returned is what was asked for, and what is hidden answers like what is absent.
  if (!found || found.id !== id || found.type !== type) throw notFound(type, id);
  if (!isUnrestricted(access) && !(await known(ctx, access, found))) throw notFound(type, id);
  if (found.deleted) throw gone(type, id, found.version);
  return answer(ctx, request, principal, found);
}

/** The answer with one version, for read and vread. */
export async function answer(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  found: Stored,
): Promise<PlainResponse> {
  const headers = versionHeaders(found.version, found.lastUpdated);
  if (notModified(request.headers, found.version, found.lastUpdated)) return { status: 304, headers };
  const text = await presented(ctx, found, principal);
  const wanted = request.query === '' ? undefined : subsetOf(request.query);
  return { status: 200, headers, body: wanted ? subset(text, wanted) : text };
}
