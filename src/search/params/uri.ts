import { unescaped } from '../escape.ts';
import type { UriFilter } from '../plan.ts';

/** FHIR R4 search.html#uri: to the letter; `:below` and `:above` go by whole path segments. */
export const parseUri = (code: string, text: string, mode: UriFilter['mode']): UriFilter => ({
  op: 'uri',
  param: code,
  mode,
  value: unescaped(text),
});

/** What a URI below this one begins with, unless it is this one: `http://a/b` → `http://a/b/`. */
export const belowStem = (uri: string): string => (uri.endsWith('/') ? uri : `${uri}/`);
