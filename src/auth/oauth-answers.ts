/** Answers of the authorization server where the library's differ from what SMART or RFC 6749 say. smart.md §1.3, traps 3 and 9. */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { VitalwireError } from '../base/errors.ts';

/** CONTRACT §2 guessing: 429, for the right secret too; `Retry-After` is set by who throws it. */
export class TooManyTries extends errors.OIDCProviderError {
  constructor() {
    super(429, 'temporarily_unavailable');
    this.error_description = 'Too many wrong secrets of this client. Try again later.';
  }
}

/**
 * The store does not answer, or is full: that is not an error of this server (RFC 6749 §4.1.2.1 has the word for it), and the
 * client is told to come back with the same credentials. Says whether it was that.
 */
export function answeredAway(ctx: KoaContextWithOIDC, error: unknown): boolean {
  if (!(error instanceof VitalwireError) || !['server.unavailable', 'server.busy'].includes(error.code)) return false;
  ctx.status = error.status;
  ctx.set({ 'Retry-After': '1', ...error.options.headers });
  ctx.body = { error: 'temporarily_unavailable', error_description: error.message };
  return true;
}

interface OAuthError {
  readonly error: string;
  readonly error_description?: string;
}

const CREDENTIALS = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'] as const;

/** RFC 6749 §2.3: one mechanism, and §3.2: no parameter twice. Those are invalid_request, whatever else is wrong. */
function isMalformed(ctx: KoaContextWithOIDC): boolean {
  const { body, params } = ctx.oidc;
  if (CREDENTIALS.some((name) => Array.isArray(body?.[name]))) return true;
  const used = [ctx.headers.authorization, params?.['client_assertion'], params?.['client_secret']];
  return used.filter(Boolean).length > 1;
}

function betterAnswer(ctx: KoaContextWithOIDC, answer: OAuthError): { status: number; answer: OAuthError } | undefined {
  const { client, params, route } = ctx.oidc;
  if (ctx.status !== 400 || answer.error !== 'invalid_request' || !params) return undefined;
  // SMART: any fault of the assertion is invalid_client, a malformed one and a missing one too.
  if (!client && !isMalformed(ctx)) return { status: 401, answer: { ...answer, error: 'invalid_client' } };
  const grant = params['grant_type'];
  // RFC 6749 §5.2
  if (route === 'token' && client && typeof grant === 'string' && !client.grantTypeAllowed(grant))
    return { status: 400, answer: { ...answer, error: 'unauthorized_client' } };
  return undefined;
}

/** Middleware around all routes of the library. */
export async function correctAnswer(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  // The library gives a request its context only when a route takes it.
  const routed = ctx.oidc as KoaContextWithOIDC['oidc'] | undefined;
  if (!routed || ctx.method !== 'POST') return;
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Pragma', 'no-cache');
  const answer = ctx.body as OAuthError | undefined;
  if (typeof answer !== 'object' || typeof answer?.error !== 'string') return;
  if (answer.error === 'unsupported_token_type') {
    // The library knows at a glance that a JWT is none of its tokens; to the client that is an unknown token like any other.
    // RFC 7662 §2.2, RFC 7009 §2.2
    ctx.status = 200;
    ctx.body = routed.route === 'introspection' ? { active: false } : '';
    return;
  }
  const better = betterAnswer(ctx, answer);
  if (better) {
    ctx.status = better.status;
    ctx.body = better.answer;
  }
  if (ctx.status === 401 && ctx.headers.authorization !== undefined && ctx.response.get('WWW-Authenticate') === '')
    ctx.set('WWW-Authenticate', `Basic realm="${ctx.oidc.issuer}"`);
}
