/** Which interaction a request is. FHIR R4 http.html#summary */
import type { Principal } from '../access/principal.ts';
import type { PlainRequest, PlainResponse } from '../base/http.ts';
import { isResourceType } from '../fhir/definitions.ts';
import type { RestContext, RestRequest } from './context.ts';
import { bundle } from './interactions/bundle.ts';
import { capabilities } from './interactions/capabilities.ts';
import { create } from './interactions/create.ts';
import { conditionalRemove, remove } from './interactions/delete.ts';
import { history } from './interactions/history.ts';
import { operation } from './interactions/operation.ts';
import { conditionalPatch, patch } from './interactions/patch.ts';
import { read } from './interactions/read.ts';
import { search } from './interactions/search.ts';
import { conditionalUpdate, update } from './interactions/update.ts';
import { vread } from './interactions/vread.ts';
import { methodUnknown, pathUnknown } from './refusals.ts';
import { refuse } from './respond.ts';
import { assertId, segments } from './route.ts';

/** Answers every request; what goes wrong is an OperationOutcome. `request.path` is below the FHIR base. */
export async function handle(ctx: RestContext, request: PlainRequest, principal: Principal): Promise<PlainResponse> {
  try {
    return await act(ctx, request, principal);
  } catch (error) {
    return refuse(ctx, error, request.method);
  }
}

/** The same, errors thrown: what entries of a Bundle go through. @throws VitalwireError */
export async function act(ctx: RestContext, request: RestRequest, principal: Principal): Promise<PlainResponse> {
  const parts = segments(request.path);
  const [type, id, third, fourth] = parts;
  if (type === undefined) return atBase(ctx, request, principal);
  if (!isResourceType(type)) return atSystem(ctx, request, principal, parts);
  if (id === undefined) return atType(ctx, request, principal, type);
  if (id === '_search' || id === '_history' || id.startsWith('$'))
    return atTypeSpecial(ctx, request, principal, type, parts);
  assertId(id);
  if (third === undefined) return atInstance(ctx, request, principal, type, id);
  if (third.startsWith('$') && fourth === undefined)
    return operation(ctx, request, principal, { name: third.slice(1), type, id });
  if (third !== '_history' || parts.length > 4) throw pathUnknown(request.path);
  if (request.method !== 'GET') throw methodUnknown(request.method, 'a history', 'GET');
  return fourth === undefined
    ? history(ctx, request, principal, { type, id })
    : vread(ctx, request, principal, type, id, fourth);
}

async function atBase(ctx: RestContext, request: RestRequest, principal: Principal): Promise<PlainResponse> {
  if (request.method === 'POST') return bundle(ctx, request, principal, act);
  throw methodUnknown(request.method, 'the FHIR base', 'POST');
}

async function atSystem(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  [first = '', second]: readonly string[],
): Promise<PlainResponse> {
  if (second === undefined && first.startsWith('$'))
    return operation(ctx, request, principal, { name: first.slice(1) });
  if (second !== undefined || (first !== 'metadata' && first !== '_history')) throw pathUnknown(request.path);
  if (request.method !== 'GET') throw methodUnknown(request.method, first, 'GET');
  return first === 'metadata' ? capabilities(ctx) : history(ctx, request, principal, {});
}

async function atType(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
): Promise<PlainResponse> {
  switch (request.method) {
    case 'GET':
      return search(ctx, request, principal, type);
    case 'POST':
      return create(ctx, request, principal, type);
    case 'PUT':
      return conditionalUpdate(ctx, request, principal, type);
    case 'PATCH':
      return conditionalPatch(ctx, request, principal, type);
    case 'DELETE':
      return conditionalRemove(ctx, request, principal, type);
    default:
      throw methodUnknown(request.method, type, 'GET, POST, PUT, PATCH or DELETE');
  }
}

async function atTypeSpecial(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
  [, what = '', third]: readonly string[],
): Promise<PlainResponse> {
  if (third !== undefined) throw pathUnknown(request.path);
  if (what.startsWith('$')) return operation(ctx, request, principal, { name: what.slice(1), type });
  if (what === '_search') {
    if (request.method === 'POST') return search(ctx, request, principal, type);
    throw methodUnknown(request.method, '_search', 'POST');
  }
  if (request.method === 'GET') return history(ctx, request, principal, { type });
  throw methodUnknown(request.method, 'a history', 'GET');
}

async function atInstance(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
  id: string,
): Promise<PlainResponse> {
  switch (request.method) {
    case 'GET':
      return read(ctx, request, principal, type, id);
    case 'PUT':
      return update(ctx, request, principal, type, id);
    case 'PATCH':
      return patch(ctx, request, principal, type, id);
    case 'DELETE':
      return remove(ctx, request, principal, type, id);
    default:
      throw methodUnknown(request.method, `${type}/[id]`, 'GET, PUT, PATCH or DELETE');
  }
}
