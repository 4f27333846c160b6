/** Answers of /ingest, errors included: `{"issue":{"code","details"}}`. CONTRACT §5 errors of /ingest. */
import { VitalwireError } from '../base/errors.ts';
import type { PlainResponse } from '../base/http.ts';
import type { Logger } from '../base/log.ts';

const HEADERS = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' } as const;

export const ok = (body: string): PlainResponse => ({ status: 200, headers: HEADERS, body });

const RETRY_SECONDS = '1';

/** What was thrown as an answer; what is no VitalwireError is logged and says nothing of itself. */
export function failure(error: unknown, log: Logger): PlainResponse {
  const known = error instanceof VitalwireError;
  if (!known) log.error({ err: error }, 'ingest failed');
  else if (error.options.private !== undefined || error.status >= 500)
    log.warn({ code: error.code, private: error.options.private }, error.message);
  const status = known ? error.status : 500;
  const issue = known
    ? { code: error.code, details: error.message }
    : { code: 'server.fault', details: 'The server failed at this. Nothing was stored; send it again later.' };
  const retry: Record<string, string> = status === 429 || status === 503 ? { 'retry-after': RETRY_SECONDS } : {};
  const more = known ? error.options.headers : {};
  return { status, headers: { ...HEADERS, ...retry, ...more }, body: JSON.stringify({ issue }) };
}
