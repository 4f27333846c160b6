/** One value of one parameter, by the type of the parameter. */
import { type SearchParam, searchParam } from '../../fhir/search-params.ts';
import { splitAt } from '../escape.ts';
import type { Filter, StringFilter, UriFilter } from '../plan.ts';
import { badValue, unsupported } from '../refuse.ts';
import { parseDateRange } from './date.ts';
import { parseNumberRange } from './number.ts';
import { parseQuantity } from './quantity.ts';
import { parseReferenceIdentifier, parseReferenceValue } from './reference.ts';
import { parseString } from './string.ts';
import { parseToken } from './token.ts';
import { parseUri } from './uri.ts';

export interface ValueContext {
  /** The resource type that is searched. */
  readonly type: string;
  /** As written, for messages. */
  readonly name: string;
  readonly base: string;
}

/** FHIR R4 search.html#composite: one value a part, joined by `$`. */
function parseComposite(param: SearchParam, text: string, context: ValueContext): Filter {
  const components = param.components ?? [];
  const values = splitAt(text, '$');
  if (values.length !== components.length)
    throw badValue(context.name, `is written ${components.map((c) => c.param).join('$')}.`);
  const parts = components.map(({ param: code, type }, i): Filter => {
    const part = searchParam(context.type, code) ?? { code, type, targets: [], systems: [], expression: '' };
    return parseValue(part, undefined, values[i] as string, context);
  });
  return { op: 'composite', param: param.code, parts };
}

/** `modifier` has been checked to fit the type of the parameter. */
export function parseValue(
  param: SearchParam,
  modifier: string | undefined,
  text: string,
  context: ValueContext,
): Filter {
  const { name } = context;
  if (text === '') throw badValue(name, 'has an empty value.');
  switch (param.type) {
    case 'token':
      return parseToken(param, name, text);
    case 'string':
      return parseString(param.code, name, text, (modifier ?? 'starts') as StringFilter['mode']);
    case 'date':
      return { op: 'date', param: param.code, ...parseDateRange(name, text) };
    case 'number':
      return { op: 'number', param: param.code, ...parseNumberRange(name, text) };
    case 'quantity':
      return parseQuantity(param.code, name, text);
    case 'uri':
      return parseUri(param.code, text, (modifier ?? 'exact') as UriFilter['mode']);
    case 'reference':
      if (modifier === 'identifier') return parseReferenceIdentifier(param.code, name, text);
      return parseReferenceValue(param, name, text, context.base, modifier);
    case 'composite':
      return parseComposite(param, text, context);
    default:
      throw unsupported(name, 'is not supported by this server.');
  }
}
