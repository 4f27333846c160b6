/** Type search by GET and POST. FHIR R4 http.html#search, search.html */
import type { Principal } from '../../access/principal.ts';
import { VitalwireError } from '../../base/errors.ts';
import { mediaType, type PlainResponse } from '../../base/http.ts';
import { outcome } from '../../fhir/outcome.ts';
import { encodeCursor } from '../../search/cursor.ts';
import { type ParsedQuery, parseQuery } from '../../search/query.ts';
import type { Page, Stored } from '../../store/store.ts';
import { bundleText, type Link, outcomeEntry, searchEntry } from '../bundle-text.ts';
import type { RestContext, RestRequest } from '../context.ts';
import { related } from '../include.ts';
import { parsePrefer } from '../prefer.ts';
import { queryOptions } from '../query-options.ts';
import { bodyResponse } from '../respond.ts';
import { accessFor, presented, rulesOf } from '../rules.ts';
import { type Subset, subset } from '../subset.ts';

export async function search(
  ctx: RestContext,
  request: RestRequest,
  principal: Principal,
  type: string,
): Promise<PlainResponse> {
  const access = accessFor(ctx, principal, 's', type);
  const { strict } = parsePrefer(request.headers['prefer']);
  const parsed = parseQuery(type, queryOf(ctx, request), queryOptions(ctx, principal, strict));
  const page = await ctx.store.search(parsed.plan, access);
  const entries = await entriesOf(ctx, principal, parsed, page);
  const links = linksOf(ctx, type, parsed, page);
  return bodyResponse(bundleText({ type: 'searchset', total: page.total, links, entries }));
}

/** POST [type]/_search takes its parameters from the form and from the URL. */
function queryOf(ctx: RestContext, request: RestRequest): string {
  if (request.method !== 'POST' || request.body === '') return request.query;
  if (mediaType(request.headers['content-type']) !== 'application/x-www-form-urlencoded')
    throw new VitalwireError(
      'request.media-type',
      'A search by POST is a form. Send application/x-www-form-urlencoded.',
    );
  if (request.body.length > ctx.limits.searchFormBytesMax)
    throw new VitalwireError(
      'request.too-large',
      `The search form is longer than ${ctx.limits.searchFormBytesMax} bytes. Ask for less at once.`,
    );
  return request.query === '' ? request.body : `${request.query}&${request.body}`;
}

function linksOf(ctx: RestContext, type: string, parsed: ParsedQuery, page: Page): Link[] {
  const address = (cursor: Parameters<typeof encodeCursor>[0] | undefined): string => {
    const parts = [parsed.self];
    if (cursor) parts.push(`_cursor=${encodeCursor(cursor, ctx.secret, parsed.cursorBinding)}`);
    const query = parts.filter((part) => part !== '').join('&');
    return `${ctx.base}/${type}${query === '' ? '' : `?${query}`}`;
  };
  const links: Link[] = [{ relation: 'self', url: address(parsed.plan.cursor) }];
  if (page.next) links.push({ relation: 'next', url: address(page.next) });
  return links;
}

async function entriesOf(ctx: RestContext, principal: Principal, parsed: ParsedQuery, page: Page): Promise<string[]> {
  const wanted = subsetOfQuery(parsed);
  const entries: string[] = [];
  const list = async (found: readonly Stored[], mode: 'match' | 'include', part?: Subset): Promise<void> => {
    for (const stored of found) {
      const text = rulesOf(ctx, stored.type).length > 0 ? await presented(ctx, stored, principal) : stored.text;
      entries.push(searchEntry(ctx.base, stored.type, stored.id, part ? subset(text, part) : text, mode));
    }
  };
  await list(page.entries, 'match', wanted);
  if (parsed.ignored.length > 0) entries.push(outcomeEntry(ignoredOutcome(parsed.ignored)));
  if (page.entries.length === 0 || parsed.includes.length + parsed.revincludes.length === 0) return entries;
  const more = await related(ctx, principal, parsed, page.entries);
  await list(more.entries, 'include', wanted);
  if (more.cut) entries.push(outcomeEntry(CUT));
  return entries;
}

function subsetOfQuery({ summary, elements }: ParsedQuery): Subset | undefined {
  if (elements?.length) return { elements };
  return summary === 'true' || summary === 'text' || summary === 'data' ? { summary } : undefined;
}

const ignoredOutcome = (ignored: readonly string[]): string =>
  outcome(
    'warning',
    'not-supported',
    `Not understood and ignored: ${ignored.join(', ')}. The self link shows what was searched for.`,
  );

const CUT = outcome(
  'warning',
  'too-costly',
  'There are more included resources than are listed here. Ask for smaller pages with _count.',
);
