/** What goes wrong in naive subscription servers: rights that change, clients that write meanwhile, events that are dropped, deletes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../src/store/store.ts';
import { principal } from '../rest/support/bench.ts';
import { admin, ehr, reading, subscription, until, withWorld } from './support/world.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory';
const lab = { category: [{ coding: [{ system: LAB.split('|')[0], code: 'laboratory' }] }] };
const onlyLab = (letters: string) => `system/Observation.${letters}?category=${LAB}`;

test('a token that may read a part is told of that part alone', async (t) => {
  await withWorld(t, async (world, listen) => {
    const hook = await listen();
    const clerk = principal(`system/Subscription.cruds ${onlyLab('rs')}`, { clientId: 'clerk' });
    await world.subscribe(hook.url, {}, clerk);
    await world.create(reading());
    const { id } = await world.create(reading('p1', lab));
    await until('one', () => hook.events().length > 0);
    assert.deepEqual(hook.events(), [{ n: 1, focus: id }]);
  });
});

test('rights lost between numbering and delivery: the number is told, the resource is not', async (t) => {
  await withWorld(
    t,
    async (world, listen) => {
      let refuse = true;
      const hook = await listen((told) => (refuse && told.type === 'event-notification' ? 503 : 200));
      const { id } = await world.subscribe(hook.url, { content: 'full-resource' });
      await world.create(reading('p1', { note: [{ text: 'confidential' }] }));
      await until('a refusal', () => hook.got.some((told) => told.answer === 503));
      const narrower = principal(`system/Subscription.cruds ${onlyLab('rs')}`, { clientId: 'ehr' });
      assert.equal((await world.put(id, { status: 'active' }, narrower)).status, 200);
      refuse = false;
      const { id: seen } = await world.create(reading('p1', lab));
      await until('both', () => hook.events().length === 2);
      assert.deepEqual(hook.events(), [
        { n: 1, focus: undefined },
        { n: 2, focus: seen },
      ]);
      const [first] = hook.got.filter((told) => told.answer === 200 && told.events[0]?.n === 1);
      assert.ok(!first?.text.includes('confidential'));
    },
    { deliveryRetryMsMin: 400 },
  );
});

test('rights that only another resource shows are asked of the store', async (t) => {
  await withWorld(t, async (world, listen) => {
    const hook = await listen();
    const app = principal('patient/Device.rs patient/Subscription.cruds', { clientId: 'app', patient: 'p1' });
    await world.subscribe(hook.url, { topic: 'device-state', filters: [] }, app);
    const worn = await world.create({ resourceType: 'Device', status: 'active' });
    await world.create({ resourceType: 'Device', status: 'active' });
    await world.create({
      resourceType: 'DeviceUseStatement',
      status: 'active',
      subject: { reference: 'Patient/p1' },
      device: { reference: `Device/${worn.id}` },
    });
    for (const { id } of [worn]) await world.send('PUT', `Device/${id}`, { ...worn, status: 'inactive' });
    await until('one', () => hook.events().length > 0);
    await pause(50);
    assert.deepEqual(hook.events(), [{ n: 1, focus: worn.id }]);
  });
});

test('a client that writes during the handshake is not overruled by it', async (t) => {
  await withWorld(t, async (world, listen) => {
    let answered = 0;
    const hook = await listen(async () => {
      await pause(120);
      answered++;
      return 200;
    });
    const { id } = await world.create(subscription(hook.url), ehr);
    await pause(40);
    assert.equal((await world.put(id, { status: 'off' })).status, 200);
    await until('the handshake is answered', () => answered === 1);
    await pause(60);
    assert.equal(await world.status(id), 'off');
    assert.equal((await world.put(id, { status: 'requested', reason: 'again' })).status, 200);
    await pause(40);
    assert.equal((await world.put(id, { status: 'requested', reason: 'and again' })).status, 200);
    await world.is(id, 'active');
    assert.equal((await world.send('GET', `Subscription/${id}`)).json['reason'], 'and again');
  });
});

test('events dropped before they were told: error, until the client asks anew and sees the gap', async (t) => {
  const days = 0.4 / 86_400;
  await withWorld(
    t,
    async (world, listen) => {
      let refuse = true;
      const hook = await listen((told) => (refuse && told.type === 'event-notification' ? 503 : 200));
      const { id } = await world.subscribe(hook.url, { maxCount: 1 });
      await world.create(reading());
      await world.create(reading());
      await pause(420);
      const kept = await world.send('GET', `Subscription/${id}/$events`, undefined, ehr);
      assert.equal(kept.status, 404, kept.text);
      refuse = false;
      await world.is(id, 'error');
      await pause(100);
      assert.deepEqual(
        hook.events().map((e) => e.n),
        [1],
        'what was begun is told to its end; the next one is lost and not passed over in silence',
      );
      await world.put(id, { status: 'requested' });
      await world.is(id, 'active');
      await world.create(reading());
      await until('the third', () => hook.events().length > 1);
      assert.deepEqual(
        hook.events().map((e) => e.n),
        [1, 3],
      );
    },
    { subscriptionEventDaysKept: days, deliveryRetryMsMin: 600, deliveryFailuresBeforeError: 50 },
  );
});

test('a receiver that fails is error after some attempts, and active again by itself when nothing was lost', async (t) => {
  await withWorld(
    t,
    async (world, listen) => {
      let refuse = true;
      const hook = await listen((told) => (refuse && told.type === 'event-notification' ? 302 : 200));
      const { id } = await world.subscribe(hook.url);
      await world.create(reading());
      await world.is(id, 'error');
      assert.match((await world.send('GET', `Subscription/${id}/$status`, undefined, ehr)).text, /error-response/);
      assert.match(String((await world.send('GET', `Subscription/${id}`)).json['error']), /302/);
      await world.create(reading());
      refuse = false;
      await world.is(id, 'active', 9000);
      await until('both', () => hook.events().length === 2);
      assert.equal((await world.send('GET', `Subscription/${id}`)).json['error'], undefined);
    },
    { deliveryRetryMsMin: 100, deliveryFailuresBeforeError: 2 },
  );
});

test('deletes are told by who was associated before; readings out of range by what they say', async (t) => {
  await withWorld(t, async (world, listen) => {
    const [uses, alarms] = [await listen(), await listen()];
    await world.subscribe(uses.url, { topic: 'device-association', content: 'full-resource' }, admin);
    await world.subscribe(alarms.url, { topic: 'out-of-range' });
    const use = await world.create({
      resourceType: 'DeviceUseStatement',
      status: 'active',
      subject: { reference: 'Patient/p1' },
      device: { reference: 'Device/d1' },
    });
    await world.send('DELETE', `DeviceUseStatement/${use.id}`);
    await until('both', () => uses.events().length === 2);
    assert.deepEqual(
      uses.events().map((e) => e.focus),
      [use.id, use.id],
    );
    const last = JSON.parse(uses.got.at(-1)?.text ?? '') as { entry: Record<string, unknown>[] };
    assert.deepEqual(last.entry.at(-1)?.['request'], { method: 'DELETE', url: `DeviceUseStatement/${use.id}` });
    assert.equal(last.entry.at(-1)?.['resource'], undefined);
    await world.create(reading());
    const high = {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'H' }],
    };
    const { id } = await world.create(reading('p1', { interpretation: [high] }));
    await until('the alarm', () => alarms.events().length > 0);
    assert.deepEqual(alarms.events(), [{ n: 1, focus: id }]);
  });
});

test('changes that concern nobody cost no document', async (t) => {
  await withWorld(t, async (world, listen) => {
    const { store } = world;
    const hook = await listen();
    await world.subscribe(hook.url);
    await pause(250);
    const written: Batch[] = [];
    const commit = store.commit.bind(store);
    Object.assign(store, {
      commit: (batch: Batch) => {
        if (batch.docs?.length) written.push(batch);
        return commit(batch);
      },
    });
    for (let i = 0; i < 20; i++) await world.create(reading('p2'));
    await pause(50);
    assert.equal(written.length, 0);
    await world.create(reading());
    await until('one', () => hook.events().length === 1);
    assert.ok(written.length > 0);
  });
});

test('an id that comes back goes on counting and is not told of its former life', async (t) => {
  await withWorld(t, async (world, listen) => {
    const hook = await listen();
    const { id } = await world.subscribe(hook.url);
    await world.create(reading());
    await until('one', () => hook.events().length === 1);
    await world.send('DELETE', `Subscription/${id}`, undefined, ehr);
    await world.create(reading());
    await world.send('PUT', `Subscription/${id}`, { ...subscription(hook.url, { filters: ['patient=p1'] }), id });
    await world.is(id, 'active');
    await world.create(reading());
    await until('two', () => hook.events().length === 2);
    assert.deepEqual(
      hook.events().map((e) => e.n),
      [1, 2],
    );
  });
});

test('one that can no longer be followed is off and says why, instead of looking active', async (t) => {
  await withWorld(t, async (world, listen) => {
    const hook = await listen();
    const { id } = await world.subscribe(hook.url);
    const owner = await world.store.doc('sub-owner', id);
    assert.ok(owner);
    const body = JSON.stringify({ ...JSON.parse(owner.body), scope: 'system/Subscription.cruds' });
    await world.subscriptions.stop();
    await world.store.commit({ docs: [{ op: 'put', doc: { ...owner, body } }] });
    await world.boot();
    await world.is(id, 'off');
    assert.match(String((await world.send('GET', `Subscription/${id}`)).json['error']), /no longer read/);
  });
});

test('an end that passes while the receiver fails is not waited for', async (t) => {
  await withWorld(
    t,
    async (world, listen) => {
      const hook = await listen((told) => (told.type === 'handshake' ? 200 : 503));
      const { id } = await world.subscribe(hook.url, { over: { end: new Date(Date.now() + 700).toISOString() } });
      await world.create(reading());
      await world.is(id, 'off');
    },
    { deliveryRetryMsMin: 60_000 },
  );
});
