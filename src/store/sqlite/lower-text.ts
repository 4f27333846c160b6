/** Index look-ups of tokens, strings, URIs and identifiers of references. */
import { normalizeString } from '../../fhir/terms.ts';
import { belowStem } from '../../search/params/uri.ts';
import type { ReferenceIdentifierFilter, StringFilter, TokenFilter, UriFilter } from '../../search/plan.ts';
import { PARAM, SYSTEM } from './dictionary.ts';
import type { Reader } from './reader.ts';
import { identifierParam } from './routes.ts';

/** After every text that begins with `prefix`, in the order of bytes. */
const afterPrefix = (prefix: string): string => `${prefix}\u{10FFFF}`;

const first = (rows: readonly (readonly unknown[])[]): number[] => rows.map((r) => r[0] as number);

export const tokenRids = (reader: Reader, type: string, f: TokenFilter, limit: number): number[] =>
  ridsOfToken(reader, `${type}.${f.param}`, f.system, f.code, limit);

export const identifierRids = (reader: Reader, type: string, f: ReferenceIdentifierFilter, limit: number): number[] =>
  ridsOfToken(reader, identifierParam(type, f.param), f.system, f.value, limit);

function ridsOfToken(
  { db, dict }: Reader,
  name: string,
  systemText: string | undefined,
  code: string | undefined,
  limit: number,
): number[] {
  const param = dict.find(PARAM, name);
  const system = systemText === undefined ? undefined : dict.find(SYSTEM, systemText);
  if (param === undefined || (systemText !== undefined && system === undefined)) return [];
  const where = ['param = ?'];
  const args: (string | number)[] = [param];
  if (code !== undefined) {
    where.push('code = ?');
    args.push(code);
  }
  if (system !== undefined) {
    where.push('system = ?');
    args.push(system);
  }
  return first(db.all(`SELECT DISTINCT rid FROM token WHERE ${where.join(' AND ')} LIMIT 0 + ?`, ...args, limit));
}

export function stringRids({ db, dict }: Reader, type: string, f: StringFilter, limit: number): number[] {
  const param = dict.find(PARAM, `${type}.${f.param}`);
  if (param === undefined) return [];
  if (f.mode === 'contains')
    return first(
      db.all(
        'SELECT DISTINCT rid FROM string WHERE param = ? AND instr(folded, ?) > 0 LIMIT 0 + ?',
        param,
        f.value,
        limit,
      ),
    );
  if (f.mode === 'starts')
    return first(
      db.all(
        'SELECT DISTINCT rid FROM string WHERE param = ? AND folded >= ? AND folded < ? LIMIT 0 + ?',
        ...[param, f.value, afterPrefix(f.value), limit],
      ),
    );
  return first(
    db.all(
      'SELECT DISTINCT rid FROM string WHERE param = ? AND folded = ? AND text = ? LIMIT 0 + ?',
      ...[param, normalizeString(f.value), f.value, limit],
    ),
  );
}

/** The URIs above one: those of which it is a part, by whole segments. */
function above(uri: string): string[] {
  const found = [uri];
  for (let i = uri.indexOf('/'); i !== -1; i = uri.indexOf('/', i + 1))
    found.push(uri.slice(0, i), uri.slice(0, i + 1));
  return found;
}

export function uriRids({ db, dict }: Reader, type: string, f: UriFilter, limit: number): number[] {
  const param = dict.find(PARAM, `${type}.${f.param}`);
  if (param === undefined) return [];
  const exact = f.mode === 'above' ? above(f.value) : [f.value];
  const rids = new Set(
    first(
      db.all(
        'SELECT rid FROM uri WHERE param = ? AND value IN (SELECT value FROM json_each(?)) LIMIT 0 + ?',
        ...[param, JSON.stringify(exact), limit],
      ),
    ),
  );
  if (f.mode === 'below') {
    const stem = belowStem(f.value);
    const rows = db.all(
      'SELECT rid FROM uri WHERE param = ? AND value >= ? AND value < ? LIMIT 0 + ?',
      ...[param, stem, afterPrefix(stem), limit],
    );
    for (const rid of first(rows)) rids.add(rid);
  }
  return [...rids];
}
