/**
 * Invariants, compiled by hand: the key and the sentence come from the definitions, the test from the tables of
 * validate-rules-*.ts. A test sees only well-formed objects. Best-practice rules (severity warning) are not tested.
 */
import { type TypeRow, typeRow } from './definitions.ts';
import { BUNDLE_RULES } from './validate-bundle.ts';
import { CANONICAL_RULES } from './validate-rules-canonical.ts';
import { CLINICAL_RULES } from './validate-rules-clinical.ts';
import { DATATYPE_RULES } from './validate-rules-datatypes.ts';
import type { Obj, Walk } from './validate-walk.ts';

export interface Rule {
  readonly key: string;
  readonly human: string;
  readonly holds: (object: Obj, walk: Walk) => boolean;
}

/** type → key → does it hold? A test that reports by itself answers true. */
export type RuleTable = Readonly<Record<string, Readonly<Record<string, Rule['holds']>>>>;

const TABLES: RuleTable = { ...DATATYPE_RULES, ...BUNDLE_RULES, ...CLINICAL_RULES, ...CANONICAL_RULES };

/** The test of a rule stands with the type or with one of those that it is based on. */
function testOf(row: TypeRow, key: string): Rule['holds'] | undefined {
  for (let type: TypeRow | undefined = row; type !== undefined; type = type.base ? typeRow(type.base) : undefined) {
    const test = TABLES[type.name]?.[key];
    if (test !== undefined) return test;
  }
  return undefined;
}

export function rulesOf(row: TypeRow): readonly Rule[] {
  return Object.entries(row.rules).flatMap(([key, human]) => {
    const holds = testOf(row, key);
    return holds === undefined ? [] : [{ key, human, holds }];
  });
}
