/** A store that does not answer is no fault of the client's, and none of the server's: the same again later. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VitalwireError } from '../../src/base/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { type Answer, assertion, JWT_BEARER, post, signingClient, startAuth } from '../support/auth.ts';

const away = (): never => {
  throw new VitalwireError('server.unavailable', 'The database does not answer.', { headers: { 'retry-after': '2' } });
};

test('a store that is away: 503 with Retry-After everywhere, never 500 and never 401', async (t) => {
  const s = await startAuth();
  t.after(() => s.stop());
  const client = signingClient('a-client', 'system/Observation.rs');
  await s.register(client.metadata);
  const token = await s.token(client);
  const store = s.store as { -readonly [K in keyof Store]: Store[K] };
  const { doc, docs, commit } = store;
  const refused = (answer: Answer): void => {
    assert.deepEqual([answer.status, answer.json['error']], [503, 'temporarily_unavailable'], answer.text);
    assert.equal(answer.headers.get('retry-after'), '2');
  };
  const manage = (path: string): Promise<Answer> =>
    post(`${s.base}/auth/${path}`, {
      token,
      client_assertion_type: JWT_BEARER,
      client_assertion: assertion(client, s.tokenUrl),
    });
  s.auth.refresh();
  // As the store fails when it reads, and when it writes what it has read.
  store.doc = store.docs = store.commit = async () => away();
  refused(await s.ask(client));
  refused(await manage('introspect'));
  refused(await manage('revoke'));
  await assert.rejects(
    async () => s.auth.verifier.verify(token),
    VitalwireError,
    'not known is not the same as invalid',
  );
  Object.assign(store, { doc, docs });
  refused(await s.ask(client));
  Object.assign(store, { commit });
  assert.equal((await s.ask(client)).status, 200);
  assert.equal((await s.auth.verifier.verify(token))?.clientId, client.id);
});
