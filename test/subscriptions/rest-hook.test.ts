/** One attempt: where it may go, how long it may take, what counts as an answer. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { type Limits, limits } from '../../src/base/limits.ts';
import { RestHook } from '../../src/subscriptions/channels/rest-hook.ts';
import { errorOf, isGone, isOriginDown } from '../../src/subscriptions/outcome.ts';

const OPEN = { allowPrivateEndpoints: true, allowInsecureHttp: true };

async function serve(t: TestContext, listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

function hookOf(t: TestContext, rules = OPEN, over: Partial<Limits> = {}): RestHook {
  const hook = new RestHook(rules, { ...limits, ...over }, systemClock);
  t.after(() => hook.close());
  return hook;
}
const post = (hook: RestHook, endpoint: string, timeoutMs = 2000, abort = new AbortController()) =>
  hook.post({
    endpoint,
    headers: { 'content-type': 'application/fhir+json', 'x-a': 'b' },
    body: '{}',
    timeoutMs,
    abort,
  });

test('nothing is sent to a private address, by literal or by name, or by http: where that is not allowed', async (t) => {
  let requests = 0;
  const { url } = await serve(t, (_req, res) => {
    requests++;
    res.end();
  });
  const port = new URL(url).port;
  const closed = hookOf(t, { allowPrivateEndpoints: false, allowInsecureHttp: true });
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0'])
    assert.equal(errorOf(await post(closed, `http://${host}:${port}/`)), 'no-response', host);
  const secure = hookOf(t, { allowPrivateEndpoints: true, allowInsecureHttp: false });
  assert.equal(errorOf(await post(secure, url)), 'no-response');
  assert.equal(requests, 0);
  assert.deepEqual(await post(hookOf(t), `${url}/x?y=z`), { kind: 'answer', status: 200, retryAfterMs: undefined });
});

test('a redirect is an answer and not followed; 410 and Retry-After are read', async (t) => {
  const paths: (string | undefined)[] = [];
  const { url } = await serve(t, (req, res) => {
    paths.push(req.url);
    if (req.url === '/moved') res.writeHead(307, { location: '/elsewhere' });
    else res.writeHead(req.url === '/gone' ? 410 : 503, { 'retry-after': '7' });
    res.end();
  });
  const hook = hookOf(t);
  assert.equal(errorOf(await post(hook, `${url}/moved`)), 'error-response');
  assert.ok(isGone(await post(hook, `${url}/gone`)));
  const busy = await post(hook, `${url}/busy`);
  assert.deepEqual([busy, isOriginDown(busy)], [{ kind: 'answer', status: 503, retryAfterMs: 7000 }, true]);
  assert.deepEqual(paths, ['/moved', '/gone', '/busy']);
});

test('one deadline over everything: no head, or a head and a body without end', async (t) => {
  const { url } = await serve(t, (req, res) => {
    if (req.url === '/body') res.writeHead(200).write('x');
  });
  const hook = hookOf(t);
  const at = Date.now();
  assert.deepEqual(await post(hook, `${url}/head`, 150), { kind: 'none', error: 'no-response', code: 'TIMEOUT' });
  const head = await post(hook, `${url}/body`, 150);
  assert.equal(head.kind === 'answer' && head.status, 200, 'the status was there in time');
  assert.ok(Date.now() - at < 1500);
});

test('of a large answer no more is read than its bound', async (t) => {
  const { url } = await serve(t, (_req, res) => {
    res.writeHead(200);
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (!res.destroyed && res.write(chunk));
    };
    res.on('drain', more);
    more();
  });
  const outcome = await post(hookOf(t), url);
  assert.deepEqual(outcome, { kind: 'answer', status: 200, retryAfterMs: undefined });
});

test('a kept-alive connection that the receiver closed meanwhile costs no failure', async (t) => {
  let requests = 0;
  const { url, server } = await serve(t, (_req, res) => {
    requests++;
    res.end();
  });
  const hook = hookOf(t);
  await post(hook, url);
  server.closeAllConnections();
  assert.equal(errorOf(await post(hook, url)), undefined);
  assert.equal(requests, 2);
});

test('names that do not exist, ports that do not listen, attempts that are ended', async (t) => {
  const hook = hookOf(t);
  const { url, server } = await serve(t, () => undefined);
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  assert.deepEqual(await post(hook, url, 2000, abort), { kind: 'aborted' });
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  assert.equal(errorOf(await post(hook, url)), 'no-response');
  assert.notEqual(errorOf(await post(hook, 'http://no-such-host.invalid/')), undefined);
});

test('pools are bounded: the one that was idle longest goes', async (t) => {
  const hook = hookOf(t, OPEN, { deliveryOriginsMax: 2 });
  for (let i = 0; i < 4; i++) {
    const { url } = await serve(t, (_req, res) => void res.end());
    await post(hook, url);
  }
  assert.equal(hook.origins, 2);
});
