/** From a committed change to a receiver: handshake, order, repetition, restart. Promise 3 of the design. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, ehr, other, readBundle, reading, subscription, until, withWorld } from './support/world.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('requested, a handshake, active; then one notification for each create and update, in order', async (t) => {
  await withWorld(t, async (world, listen) => {
    const hook = await listen();
    const made = await world.create(
      subscription(hook.url, {
        filters: ['patient=p1'],
        header: ['Authorization: Bearer a:b'],
        over: { status: 'active' },
      }),
      ehr,
    );
    assert.equal(made.status, 'requested');
    await world.is(made.id, 'active');
    const [handshake] = hook.got;
    assert.deepEqual(
      [handshake?.type, handshake?.status, handshake?.events.length, handshake?.headers['authorization']],
      ['handshake', 'requested', 0, 'Bearer a:b'],
    );
    assert.equal(handshake?.headers['content-type'], 'application/fhir+json');
    const wanted: string[] = [];
    for (let i = 0; i < 6; i++) {
      const { id } = await world.create(reading());
      wanted.push(`${wanted.length + 1} ${id}`);
      await world.create(reading('p2'));
      if (i % 2 === 0) continue;
      await world.send('PUT', `Observation/${id}`, { ...reading(), id, status: 'amended' });
      wanted.push(`${wanted.length + 1} ${id}`);
    }
    await until('all events', () => hook.events().length >= wanted.length);
    assert.deepEqual(
      hook.events().map((e) => `${e.n} ${e.focus}`),
      wanted,
    );
    const [first] = hook.got.filter((told) => told.type === 'event-notification');
    assert.deepEqual([first?.status, first?.total], ['active', '1']);
    assert.equal((await world.send('GET', `Subscription/${made.id}/_history`)).text.split('"versionId"').length - 1, 2);
  });
});

test('changes between the 201 and the end of the handshake are captured, those before it are not', async (t) => {
  await withWorld(t, async (world, listen) => {
    await world.create(reading());
    const hook = await listen(async (told) => {
      if (told.type === 'handshake') await pause(150);
      return 200;
    });
    await world.create(subscription(hook.url, { filters: ['patient=p1'] }), ehr);
    const { id } = await world.create(reading());
    await until('the event', () => hook.events().length > 0);
    assert.deepEqual(hook.events(), [{ n: 1, focus: id }]);
  });
});

test('full-resource tells the text of the event’s own version, and each receiver only what it asked for', async (t) => {
  await withWorld(t, async (world, listen) => {
    let open = false;
    const slow = await listen(async (told) => {
      if (told.type === 'event-notification' && !open) await pause(100);
      return 200;
    });
    const vitals = await listen();
    await world.subscribe(slow.url, { content: 'full-resource', maxCount: 1 });
    await world.subscribe(vitals.url, { topic: 'vital-signs', filters: ['Observation?code=8867-4'] });
    const { id } = await world.create(reading('p1', { category: undefined }));
    await world.send('PUT', `Observation/${id}`, { ...reading(), id, status: 'amended' });
    await until('both versions', () => slow.events().length === 2);
    open = true;
    const versions = slow.got
      .filter((told) => told.type === 'event-notification')
      .map((told) => (JSON.parse(told.text) as { entry: { resource: { meta: { versionId: string } } }[] }).entry)
      .map((entry) => entry[1]?.resource.meta.versionId);
    assert.deepEqual(versions, ['1', '2']);
    await until('the vital sign', () => vitals.events().length > 0);
    assert.deepEqual(vitals.events(), [{ n: 1, focus: id }], 'only the version in the category');
  });
});

test('what is refused is repeated as it was, the rest waits its turn, nothing is left out', async (t) => {
  await withWorld(
    t,
    async (world, listen) => {
      let refuse = true;
      const hook = await listen((told) => (refuse && told.type === 'event-notification' ? 503 : 200));
      await world.subscribe(hook.url, { content: 'full-resource' });
      const ids = [(await world.create(reading())).id];
      await until('a first attempt', () => hook.got.some((told) => told.answer === 503));
      for (let i = 0; i < 5; i++) ids.push((await world.create(reading())).id);
      refuse = false;
      await until('all of them', () => hook.events().length >= 6);
      const [first, again] = hook.got.filter((told) => told.events[0]?.n === 1);
      assert.deepEqual([again?.text, again?.headers['webhook-id']], [first?.text, first?.headers['webhook-id']]);
      assert.deepEqual(
        hook.events(),
        ids.map((focus, i) => ({ n: i + 1, focus })),
      );
    },
    { deliveryRetryMsMin: 400 },
  );
});

test('a process that dies between write and delivery: the next one repeats the same and goes on', async (t) => {
  await withWorld(t, async (world, listen) => {
    let refuse = false;
    const hook = await listen(() => (refuse ? 503 : 200));
    const { id: subscribed } = await world.subscribe(hook.url, { content: 'full-resource' });
    const ids = [(await world.create(reading())).id];
    await until('one', () => hook.events().length === 1);
    refuse = true;
    for (let i = 0; i < 5; i++) ids.push((await world.create(reading())).id);
    await until('a refusal', () => hook.got.some((told) => told.answer === 503));
    const dead = world.subscriptions;
    // It dies after it numbered everything: two that number at a time there never are.
    await until('all of them numbered', () => dead.metrics()['backlog'] === 5);
    await world.boot();
    refuse = false;
    await until('six', () => hook.events().length >= 6);
    ids.push((await world.create(reading())).id);
    await until('seven', () => new Set(hook.events().map((e) => e.n)).size === 7);
    await dead.stop();
    const first = new Map(
      hook
        .events()
        .map((e) => [e.n, e.focus] as const)
        .reverse(),
    );
    assert.deepEqual(
      [...first].sort(([a], [b]) => a - b),
      ids.map((focus, i) => [i + 1, focus]),
    );
    const refused = hook.got.find((told) => told.answer === 503);
    const repeated = hook.got.find((told) => told.answer === 200 && told.events[0]?.n === refused?.events[0]?.n);
    assert.deepEqual([repeated?.id, repeated?.text], [refused?.id, refused?.text]);
    await world.is(subscribed, 'active');
  });
});

test('a refused handshake is error; asking again heals it, and what happened meanwhile is told', async (t) => {
  await withWorld(t, async (world, listen) => {
    let refuse = true;
    const hook = await listen(() => (refuse ? 500 : 200));
    const { id } = await world.create(subscription(hook.url), ehr);
    await world.is(id, 'error');
    const { text } = await world.send('GET', `Subscription/${id}/$status`, undefined, ehr);
    assert.match(text, /error-response/);
    const missed = (await world.create(reading())).id;
    await pause(50);
    assert.equal(hook.got.length, 1, 'nothing is sent to who refused the handshake');
    refuse = false;
    assert.equal((await world.put(id, { status: 'requested' })).json.status, 'requested');
    await until('the event', () => hook.events().length === 1);
    assert.deepEqual(hook.events(), [{ n: 1, focus: missed }]);
    await world.is(id, 'active');
  });
});

test('off stops; requested shakes hands again and goes on after the last acknowledged event', async (t) => {
  await withWorld(t, async (world, listen) => {
    const hook = await listen();
    const { id } = await world.subscribe(hook.url);
    await world.create(reading());
    await until('one', () => hook.events().length === 1);
    assert.equal((await world.put(id, { status: 'off' })).json.status, 'off');
    await world.create(reading());
    await pause(100);
    assert.equal(hook.events().length, 1);
    await world.put(id, { status: 'requested' });
    await until('two', () => hook.events().length === 2);
    assert.deepEqual(
      hook.events().map((e) => e.n),
      [1, 2],
    );
    assert.equal(hook.got.filter((told) => told.type === 'handshake').length, 2);
  });
});

test('410 is off, and so is a client that was disabled, an end that has passed, and a deletion', async (t) => {
  await withWorld(t, async (world, listen) => {
    const gone = await listen((told) => (told.type === 'handshake' ? 200 : 410));
    const fine = await listen();
    const first = await world.subscribe(gone.url);
    const second = await world.subscribe(fine.url, {}, other);
    const third = await world.subscribe(fine.url, {
      over: { end: new Date(Date.now() + 600).toISOString() },
    });
    world.disabled.add('other');
    await world.create(reading());
    for (const { id } of [first, second, third]) await world.is(id, 'off');
    const sent = [gone.got.length, fine.got.length];
    const fourth = await world.subscribe(fine.url);
    assert.equal((await world.send('DELETE', `Subscription/${fourth.id}`, undefined, ehr)).status, 204);
    await world.create(reading());
    await pause(100);
    assert.deepEqual([gone.got.length, fine.got.length], [sent[0], (sent[1] ?? 0) + 1], 'one handshake more');
    assert.equal(fine.events().filter((e) => e.n > 1).length, 0);
  });
});

test('several events that waited come in one notification of at most maxCount', async (t) => {
  await withWorld(t, async (world, listen) => {
    const hook = await listen(async (told) => {
      if (told.type === 'handshake') await pause(200);
      return 200;
    });
    await world.create(subscription(hook.url, { maxCount: 4 }), ehr);
    for (let i = 0; i < 10; i++) await world.create(reading());
    await until('all', () => hook.events().length === 10);
    const sizes = hook.got.filter((told) => told.type === 'event-notification').map((told) => told.events.length);
    assert.ok(sizes.every((size) => size <= 4) && sizes.includes(4), sizes.join());
    assert.deepEqual(
      hook.events().map((e) => e.n),
      Array.from({ length: 10 }, (_, i) => i + 1),
    );
  });
});

test('heartbeats only when asked for, and they count nothing', async (t) => {
  await withWorld(
    t,
    async (world, listen) => {
      const [silent, beating] = [await listen(), await listen()];
      await world.subscribe(silent.url);
      await world.subscribe(beating.url, { heartbeat: 1 });
      await until('two heartbeats', () => beating.got.filter((told) => told.type === 'heartbeat').length >= 2, 6000);
      const beat = beating.got.find((told) => told.type === 'heartbeat');
      assert.deepEqual([beat?.status, beat?.total, beat?.events.length], ['active', '0', 0]);
      assert.ok(silent.got.every((told) => told.type === 'handshake'));
    },
    { heartbeatSecondsMin: 1 },
  );
});

test('$status and $events: owner and administrators, ranges with both ends, content never above the level', async (t) => {
  await withWorld(t, async (world, listen) => {
    const hook = await listen();
    const { id } = await world.subscribe(hook.url);
    const { id: foreign } = await world.subscribe(hook.url, {}, other);
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) ids.push((await world.create(reading())).id);
    await until('all', () => hook.events().length === 8);
    const get = (url: string, as = ehr) => world.send('GET', url, undefined, as);
    for (const url of [`Subscription/${id}/$status`, `Subscription/$status?id=${id}`, 'Subscription/$status']) {
      const { json, text } = await get(url);
      assert.equal(json['type'], 'searchset');
      const { type, status, total } = readBundle(text);
      assert.deepEqual(
        [(json['entry'] as object[]).length, type, status, total],
        [1, 'query-status', 'active', '4'],
        url,
      );
    }
    const all = ((await get('Subscription/$status', admin)).json['entry'] as object[]).length;
    assert.equal(all, 2);
    assert.equal((await get('Subscription/$status?status=off,error')).json['entry'], undefined);
    assert.equal((await get('Subscription/$status?status=on')).status, 400);
    for (const url of ['', '/$status', '/$events'])
      assert.equal((await get(`Subscription/${foreign}${url}`)).status, 404, url);
    const post = await world.send(
      'POST',
      `Subscription/${id}/$events`,
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'eventsSinceNumber', valueString: '2' },
          { name: 'eventsUntilNumber', valueString: '3' },
          { name: 'content', valueCode: 'full-resource' },
        ],
      },
      ehr,
    );
    const told = readBundle(post.text);
    assert.equal(told.type, 'query-event');
    assert.deepEqual(told.events, [
      { n: 2, focus: ids[1] },
      { n: 3, focus: ids[2] },
    ]);
    assert.equal((post.json['entry'] as object[]).length, 1, 'id-only stays id-only');
    const empty = await get(`Subscription/${id}/$events?content=empty`);
    assert.deepEqual(
      readBundle(empty.text).events.map((e) => [e.n, e.focus]),
      [1, 2, 3, 4].map((n) => [n, undefined]),
    );
    assert.equal((await get(`Subscription/${id}/$events?eventsSinceNumber=x`)).status, 400);
    assert.equal(readBundle((await get(`Subscription/${id}/$events?eventsSinceNumber=9`)).text).events.length, 0);
  });
});
