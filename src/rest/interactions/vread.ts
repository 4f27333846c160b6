/** vread: one version. FHIR R4 http.html#vread */
import type { Principal } from '../../access/principal.ts';
import type { PlainResponse } from '../../base/http.ts';
import { known, permitsVersion } from '../access.ts';
import type { RestContext, RestRequest } from '../context.ts';
import { gone, versionNotFound } from '../refusals.ts';
import { accessFor } from '../rules.ts';
import { answer } from './read.ts';

const VERSION = /^[1-9]\d{0,14}$/;

export async function vread(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
  id: string,
  version: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 'r', type);
  if (!VERSION.test(version)) throw versionNotFound(type, id, version);
  const newest = await ctx.store.read(type, id);
  const found = await ctx.store.readVersion(type, id, Number(version));
  if (!newest || !found || found.id !== id || found.type !== type) throw versionNotFound(type, id, version);
  // Both the newest version and the one that is asked for must be within what the token may see.
  if (!(await known(ctx, access, newest))) throw versionNotFound(type, id, version);
  if (found.deleted) throw gone(type, id, found.version);
  if (found.version !== newest.version && !permitsVersion(ctx, access, found)) throw versionNotFound(type, id, version);
  return answer(ctx, request, principal, found);
}
