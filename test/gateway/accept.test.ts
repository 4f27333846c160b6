import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept } from '../../src/gateway/accept.ts';

const NOW = '2026-05-07T08:00:00.000Z';
const device = '"device":{"identifier":[{"system":"s","value":"1"}]}';
const bodies = (adapter: string, text: string, ndjson = false): unknown[] =>
  accept(adapter, text, ndjson, NOW).map((a) => ('body' in a ? a.body : a.issue.code));

test('the text of an item is kept, white space, decimals and all', () => {
  const item = `{ ${device}, "kind":"body-temperature","time":"2026-05-07T08:00:00+02:00", "value" : 37.00 }`;
  assert.deepEqual(bodies('readings', `{"x":{"readings":[1]},"readings" : [ ${item} ]}`), [item]);
  assert.deepEqual(bodies('readings', `\n${item}\r\n`, true), [item]);
});

test('a reading without time and a message without receivedAt get the moment of reception, once', () => {
  const item = `{${device},"kind":"heart-rate","value":"60"}`;
  const stamped = `{"time":"${NOW}",${item.slice(1)}`;
  assert.deepEqual(bodies('readings', `{"readings":[${item}]}`), [stamped]);
  assert.deepEqual(bodies('readings', `{"readings":[${stamped}]}`), [stamped]);
  const message = `{${device},"payload":{"characteristic":"2A1C","value":"00"}}`;
  assert.deepEqual(bodies('gatt', `{"messages":[${message}]}`), [`{"receivedAt":"${NOW}",${message.slice(1)}`]);
});

test('a device is one device whatever the order of its identifiers', () => {
  const names = (ids: string): string => {
    const [first] = accept('gatt', `{"device":{"identifier":[${ids}]},"payload":1}`, true, NOW);
    return first && 'device' in first ? first.device : '';
  };
  const [a, b] = ['{"system":"s","value":"1"}', '{"system":"t","value":"2"}'];
  assert.equal(names(`${a},${b}`), names(`${b},${a}`));
  assert.notEqual(names(a as string), names(b as string));
});
