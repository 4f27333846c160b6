/** The index finds what a look at every filter finds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Filter, or } from '../../src/search/plan.ts';
import { isLocal, matches } from '../../src/search/predicate.ts';
import { PredicateIndex } from '../../src/subscriptions/predicate-index.ts';
import { queryString, resources } from '../support/arbitrary.ts';
import { parse, rowsOf } from '../support/search.ts';

const filters = (): fc.Arbitrary<Filter[]> =>
  fc
    .array(queryString('Observation'), { minLength: 1, maxLength: 12 })
    .map((queries) => queries.map((query) => parse('Observation', query).plan.filter).filter(isLocal));

test('index = linear, after adding, removing and adding again', () => {
  fc.assert(
    fc.property(filters(), filters(), resources(), (kept, removed, all) => {
      const index = new PredicateIndex<number>();
      const members = [...kept, ...kept.slice(0, 2), or(...kept.slice(0, 3))];
      removed.forEach((filter, i) => {
        index.add(filter, -1 - i);
      });
      members.forEach((filter, i) => {
        index.add(filter, i);
      });
      removed.forEach((filter, i) => {
        index.remove(filter, -1 - i);
      });
      assert.equal(index.size, members.length);
      for (const row of rowsOf(all).filter((r) => r.type === 'Observation')) {
        const linear = members.flatMap((filter, i) => (matches(filter, row.terms, row) ? [i] : []));
        assert.deepEqual(
          index.match(row.terms, row).sort((a, b) => a - b),
          linear,
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('a filter that was removed is nowhere in the index', () => {
  const index = new PredicateIndex<string>();
  const filter = parse('Observation', 'patient=p1,p2&code=8867-4').plan.filter;
  index.add(filter, 'a');
  index.add(filter, 'b');
  index.remove(filter, 'a');
  index.remove(filter, 'a');
  assert.equal(index.size, 1);
  index.remove(filter, 'b');
  assert.equal(index.size, 0);
});
