/** Which scope a backend service gets: all that it asked for, or a refusal that names what is wrong. SMART Backend Services. */
import { scopeMistake } from '../access/authorize.ts';
import type { Scope } from '../access/principal.ts';
import { covers, parseScope } from '../access/scopes.ts';

export type Granted = { readonly scope: string } | { readonly refusal: string };

function refusalOf(word: string, registered: readonly Scope[], base: string): string | undefined {
  const scope = parseScope(word);
  if (!scope) return `${word} is not a scope that this server knows.`;
  if (scope.level !== 'system') return `${word} needs a user; client_credentials takes system/ scopes only.`;
  if (!covers(registered, scope)) return `${word} is more than the client is registered for.`;
  const mistake = scopeMistake(scope, base);
  // RFC 6749 §5.2: no double quotes or backslashes in error_description.
  return mistake === undefined ? undefined : `${word} cannot be granted. ${mistake.replace(/["\\]/g, "'")}`;
}

/**
 * All or nothing, as asked: a v1 scope stays v1, a granular one granular. A token without scope is never issued.
 * @param base `{BASE_URL}/fhir`.
 */
export function grantScope(
  asked: string | undefined,
  registered: readonly Scope[],
  base: string,
  scopesMax: number,
): Granted {
  const words = [...new Set((asked ?? '').split(' ').filter((word) => word !== ''))];
  if (words.length === 0) return { refusal: 'scope is missing. Ask for what the client is registered for.' };
  if (words.length > scopesMax) return { refusal: `More than ${scopesMax} scopes were asked for.` };
  for (const word of words) {
    const refusal = refusalOf(word, registered, base);
    if (refusal !== undefined) return { refusal };
  }
  return { scope: words.join(' ') };
}
