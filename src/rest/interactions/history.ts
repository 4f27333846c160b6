/** History of a resource, a type, the system. FHIR R4 http.html#history */
import type { Principal } from '../../access/principal.ts';
import { VitalwireError } from '../../base/errors.ts';
import type { PlainResponse } from '../../base/http.ts';
import { parseDateTime } from '../../fhir/dates.ts';
import { resourceTypes } from '../../fhir/definitions.ts';
import type { AccessFilter } from '../../search/plan.ts';
import type { Stored } from '../../store/store.ts';
import { known } from '../access.ts';
import { bundleText, type Link, responseEntry } from '../bundle-text.ts';
import type { RestContext, RestRequest } from '../context.ts';
import { notFound } from '../refusals.ts';
import { bodyResponse } from '../respond.ts';
import { accessFor, accessIfAny, presented } from '../rules.ts';

/** Neither: the system. `id` comes with `type`. */
export interface HistoryOf {
  readonly type?: string;
  readonly id?: string;
}

export async function history(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  of: HistoryOf,
): Promise<PlainResponse> {
  const access = await accessOf(ctx, principal, of);
  const asked = parseAsked(ctx, request.query);
  const page = await ctx.store.history({ ...of, ...asked }, access);
  const entries: string[] = [];
  for (const version of page.entries) entries.push(await historyEntry(ctx, principal, version));
  const path = [of.type, of.id, '_history'].filter((part) => part !== undefined).join('/');
  const links: Link[] = [{ relation: 'self', url: address(ctx, path, asked) }];
  if (page.next !== undefined)
    links.push({ relation: 'next', url: address(ctx, path, { ...asked, before: page.next }) });
  return bodyResponse(bundleText({ type: 'history', links, entries }));
}

async function accessOf(
  ctx: RestContext,
  principal: Principal,
  { type, id }: HistoryOf,
): Promise<AccessFilter | readonly AccessFilter[]> {
  if (type !== undefined && id !== undefined) {
    const access = accessFor(ctx, principal, 'r', type);
    const newest = await ctx.store.read(type, id);
    if (!newest || !(await known(ctx, access, newest))) throw notFound(type, id);
    return access;
  }
  if (type !== undefined) return accessFor(ctx, principal, 's', type);
  const all = resourceTypes().flatMap((each) => accessIfAny(ctx, principal, 's', each) ?? []);
  if (all.length > 0) return all;
  throw new VitalwireError(
    'auth.forbidden',
    'The token permits searching no type. Ask for a token with a wider scope.',
  );
}

interface Asked {
  readonly count: number;
  readonly sinceText?: string;
  readonly since?: number;
  readonly before?: number;
}

const COUNT = /^\d{1,9}$/;
const SEQ = /^\d{1,15}$/;

/** @throws VitalwireError `request.value` */
function parseAsked(ctx: RestContext, query: string): Asked {
  const params = new URLSearchParams(query);
  const count = params.get('_count') ?? String(ctx.limits.pageEntriesDefault);
  if (!COUNT.test(count) || Number(count) === 0)
    throw new VitalwireError('request.value', '_count of a history is a number from 1.', { expression: ['_count'] });
  const before = params.get('_before');
  if (before !== null && !SEQ.test(before))
    throw new VitalwireError('request.value', '_before is taken from a next link.', { expression: ['_before'] });
  const sinceText = params.get('_since');
  const since = sinceText === null ? undefined : parseDateTime(sinceText)?.low;
  if (sinceText !== null && since === undefined)
    throw new VitalwireError('request.value', '_since is an instant such as 2026-11-22T08:05:09Z.', {
      expression: ['_since'],
    });
  return {
    count: Math.min(Number(count), ctx.limits.pageEntriesMax),
    ...(sinceText !== null && since !== undefined ? { sinceText, since } : {}),
    ...(before === null ? {} : { before: Number(before) }),
  };
}

function address(ctx: RestContext, path: string, { count, sinceText, before }: Asked): string {
  const params = new URLSearchParams({ _count: String(count) });
  if (sinceText !== undefined) params.set('_since', sinceText);
  if (before !== undefined) params.set('_before', String(before));
  return `${ctx.base}/${path}?${params}`;
}

async function historyEntry(ctx: RestContext, principal: Principal, version: Stored): Promise<string> {
  const { type, id, method, lastUpdated, deleted } = version;
  const url = method === 'POST' ? type : `${type}/${id}`;
  const status = deleted ? 204 : version.version === 1 ? 201 : 200;
  const request = `"request":{"method":"${method}","url":"${url}"}`;
  const resource = deleted ? undefined : await presented(ctx, version, principal);
  const head = `"fullUrl":"${ctx.base}/${type}/${id}",${resource ? `"resource":${resource},` : ''}${request},`;
  return responseEntry({ status, version: version.version, lastUpdated }, head);
}
