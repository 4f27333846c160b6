/** A newcomer's first command, as processes over real sockets: everything that was measured reaches the hospital. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { folder, Program } from '../support/process.ts';

interface Summary {
  readonly sent: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly notified: number;
  readonly missing: number;
  readonly latency_ms: { readonly p50: number; readonly p99: number };
  readonly resent: number;
  readonly through_link_cut: number;
}

test('demo --exit: one summary on stdout, nothing missing though the link was cut, nothing left behind', async (t) => {
  const tmp = folder(t);
  const demo = new Program(['demo', '--exit', '--seconds', '14'], { TMPDIR: tmp });
  t.after(() => demo.stop('SIGKILL'));
  assert.equal(await demo.ended, 0, demo.log);
  const summary = JSON.parse(demo.out) as Summary;
  assert.ok(summary.sent >= 100, JSON.stringify(summary));
  assert.deepEqual([summary.stored, summary.notified, summary.missing], [summary.sent, summary.sent, 0]);
  assert.ok(summary.resent > 0 && summary.duplicates >= summary.resent, JSON.stringify(summary));
  assert.ok(summary.through_link_cut > 0);
  assert.ok(summary.latency_ms.p50 > 0 && summary.latency_ms.p99 >= summary.latency_ms.p50);
  assert.match(demo.err, /Hospital EHR +http:\/\/127\.0\.0\.1:\d+/);
  assert.match(demo.err, /EHR told in \d+ ms/);
  assert.deepEqual(readdirSync(tmp), []);
});

test('demo: the EHR shows what it is told, and one Ctrl-C ends everything', async (t) => {
  const tmp = folder(t);
  const demo = new Program(['demo'], { TMPDIR: tmp });
  t.after(() => demo.stop('SIGKILL'));
  const told = async (): Promise<void> => {
    while (!demo.out.includes('EHR told in'))
      await Promise.race([once(demo.child.stdout!, 'data'), demo.ended.then(() => assert.fail(demo.log))]);
  };
  await told();
  const ehr = /Hospital EHR +(http:\S+)/.exec(demo.out)?.[1] as string;
  const page = await (await fetch(ehr)).text();
  for (const name of ['Ingrid Halvorsen', 'Samuel Adeyemi', 'Mei Tanaka'])
    assert.ok(page.includes(`<h2 id=`) && page.includes(name), name);
  assert.match(page, /<td class="value">\d/);
  assert.match(page, /Subscription active/);
  const hook = await fetch(`${ehr}hook/demo-patient-1`, { method: 'POST', body: '{}' });
  assert.equal(hook.status, 401, 'a notification without the secret is refused');
  assert.equal(await demo.stop('SIGINT'), 0, demo.log);
  assert.ok(existsSync(tmp) && readdirSync(tmp).length === 0);
  await assert.rejects(fetch(ehr), 'the EHR is gone');
});
