/** Rules of a type: what they hide, mask and refuse, on every way to a resource. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Principal } from '../../src/access/principal.ts';
import { VitalwireError } from '../../src/base/errors.ts';
import type { WriteRule } from '../../src/store/rules.ts';
import { bench, principal } from './support/bench.ts';

const OWNER = 'urn:example:owner';
/** A Basic belongs to the client that made it, who alone sees its text. */
const owned: WriteRule<Principal> = {
  type: 'Basic',
  check: ({ text, caller, method, resource }) => {
    if (method === 'DELETE') return undefined;
    if ((resource?.['code'] as { text?: string } | undefined)?.text === 'refused')
      throw new VitalwireError('resource.rule', 'Not this one.');
    const tag = `{"system":"${OWNER}","code":"${caller?.clientId}"}`;
    return {
      text: text
        .replace(/"meta":\{[^}]*\}\]?\}?,?/, '')
        .replace('"resourceType"', `"meta":{"tag":[${tag}]},"resourceType"`),
    };
  },
  present: (stored, caller) =>
    stored.text.includes(`"code":"${caller.clientId}"`) ? stored.text : stored.text.replace('secret', '***'),
  visibility: (caller) =>
    caller.admin ? undefined : { op: 'token', param: '_tag', system: OWNER, code: caller.clientId },
};

const scope = 'system/Basic.cruds';
const [a, b] = [principal(scope, { clientId: 'a' }), principal(scope, { clientId: 'b' })];
const basic = (text = 'secret') => ({ resourceType: 'Basic', code: { text } });

test('what is another client’s is not there: read, search, history, update, delete, include', async () => {
  const api = await bench({ rules: [owned] });
  const made = await api.post('Basic', basic(), { as: a });
  assert.equal(made.status, 201, made.text);
  const ref = `Basic/${made.json.id}`;
  for (const [who, status, entries] of [
    [a, 200, 1],
    [b, 404, 0],
  ] as const) {
    assert.equal((await api.get(ref, { as: who })).status, status);
    assert.equal((await api.get(`${ref}/_history`, { as: who })).status, status);
    assert.equal((await api.get(`${ref}/_history/1`, { as: who })).status, status);
    for (const url of ['Basic', 'Basic/_history', '_history'])
      assert.equal(((await api.get(url, { as: who })).json.entry ?? []).length, entries, url);
  }
  assert.equal((await api.put(ref, { ...basic(), id: made.json.id }, { as: b })).status, 404);
  await api.del(ref, { as: b });
  assert.equal((await api.get(ref, { as: a })).status, 200);
});

test('what is presented is masked everywhere, and a write answers with what its sender may see', async () => {
  const api = await bench({ rules: [owned] });
  const made = await api.post('Basic', basic(), { as: a });
  assert.ok(made.text.includes('secret'));
  const ref = `Basic/${made.json.id}`;
  for (const url of [ref, `${ref}/_history/1`, `${ref}/_history`, 'Basic', '_history', `Basic?_id=${made.json.id}`]) {
    assert.ok(!(await api.get(url)).text.includes('secret'), url);
    assert.ok((await api.get(url, { as: a })).text.includes('secret'), url);
  }
});

test('what a rule refuses is not stored', async () => {
  const api = await bench({ rules: [owned] });
  assert.equal((await api.post('Basic', basic('refused'), { as: a })).status, 422);
  assert.equal((await api.get('Basic?_summary=count')).json.total, 0);
});
