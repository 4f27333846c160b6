import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Principal } from '../../src/access/principal.ts';
import { createVerifier, type TokenFacts } from '../../src/auth/verifier.ts';
import { limits } from '../../src/base/limits.ts';

const token = (n: number): string => String(n).padStart(43, 'T');

function make(more: { verdictsMax?: number; facts?: (t: string) => TokenFacts | undefined } = {}) {
  let now = 1_000_000;
  const asked: string[] = [];
  const facts = more.facts ?? (() => ({ clientId: 'c', scope: 'openid system/*.cruds', expires: 1_300_000 }));
  const state = { facts };
  const verifier = createVerifier({
    clock: { now: () => now },
    limits: { ...limits, tokenVerdictsMax: more.verdictsMax ?? 100 },
    find: async (t) => {
      asked.push(t);
      await new Promise(setImmediate);
      return state.facts(t);
    },
  });
  const advance = (ms: number): void => {
    now += ms;
  };
  return { verifier, asked, state, advance };
}

test('a hit is answered at once, with the same frozen principal', async () => {
  const { verifier, asked } = make();
  const first = await verifier.verify(token(1));
  const second = verifier.verify(token(1));
  assert.ok(first && !(second instanceof Promise));
  assert.equal(first, second);
  assert.ok(Object.isFrozen(first));
  assert.deepEqual(asked, [token(1)]);
  assert.equal(first.admin, true);
  assert.equal(first.scopeText, 'openid system/*.cruds');
  assert.equal(first.scopes.length, 1);
});

test('what cannot be a token is not looked up', () => {
  const { verifier, asked } = make();
  for (const junk of ['', 'x', 'a.b.c', token(1) + 'x', `${token(1).slice(1)} `, '__proto__'])
    assert.equal(verifier.verify(junk), undefined);
  assert.deepEqual(asked, []);
});

test('a verdict is kept for a minute, never beyond the end of the token', async () => {
  const { verifier, asked, advance } = make();
  await verifier.verify(token(1));
  advance(limits.tokenVerdictMsMax);
  assert.ok(verifier.verify(token(1)) instanceof Promise);
  await verifier.verify(token(1));
  advance(299_999 - limits.tokenVerdictMsMax);
  await verifier.verify(token(1));
  advance(1);
  assert.equal(await verifier.verify(token(1)), undefined);
  assert.ok(asked.length >= 3);
});

test('unknown tokens are not remembered: one that comes into being works at once', async () => {
  const { verifier, state } = make({ facts: () => undefined });
  assert.equal(await verifier.verify(token(1)), undefined);
  state.facts = () => ({ clientId: 'c', scope: '', expires: 2_000_000 });
  assert.ok(await verifier.verify(token(1)));
  assert.equal(verifier.size, 1);
});

test('a token revoked while it is being looked up is not believed', async () => {
  const { verifier, state } = make();
  const looking = verifier.verify(token(1)) as Promise<Principal | undefined>;
  state.facts = () => undefined;
  verifier.drop(token(1));
  assert.equal(await looking, undefined);
  assert.equal(verifier.size, 0);
});

test('drops: one token, the tokens of a grant, all', async () => {
  const grants: Record<string, string> = { [token(1)]: 'g1', [token(2)]: 'g1', [token(3)]: 'g2' };
  const { verifier } = make({
    facts: (t) => ({ clientId: 'c', scope: '', expires: 2_000_000, grantId: grants[t] }),
  });
  for (const n of [1, 2, 3]) await verifier.verify(token(n));
  verifier.dropGrant('g1');
  assert.equal(verifier.size, 1);
  assert.ok(!(verifier.verify(token(3)) instanceof Promise));
  verifier.drop(token(3));
  assert.equal(verifier.size, 0);
  await verifier.verify(token(3));
  verifier.dropAll();
  assert.equal(verifier.size, 0);
});

test('the table is bounded: the oldest verdict goes first', async () => {
  const { verifier } = make({ verdictsMax: 3 });
  for (const n of [1, 2, 3, 4]) await verifier.verify(token(n));
  assert.equal(verifier.size, 3);
  assert.ok(verifier.verify(token(1)) instanceof Promise);
  assert.ok(!(verifier.verify(token(4)) instanceof Promise));
});

test('two look-ups at once end in one principal', async () => {
  const { verifier } = make();
  const [a, b] = await Promise.all([verifier.verify(token(1)), verifier.verify(token(1))]);
  assert.ok(a);
  assert.equal(a, b);
});
