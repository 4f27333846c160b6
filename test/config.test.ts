import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartError } from '../src/base/errors.ts';
import { helpTable, readValues, serveConfig, VARIABLES } from '../src/config.ts';

const mistakes = (f: () => unknown): readonly string[] => {
  try {
    f();
  } catch (error) {
    assert.ok(error instanceof StartError);
    return error.mistakes;
  }
  return [];
};

test('nothing must be set, and empty is the same as unset', () => {
  const bare = serveConfig({});
  assert.deepEqual(serveConfig(Object.fromEntries(VARIABLES.map((v) => [v.name, '']))), bare);
  assert.equal(bare.port, 8080);
  assert.equal(bare.host, '127.0.0.1');
});

test('every mistake is listed at once, each by its name', () => {
  const found = mistakes(() =>
    serveConfig({
      PORT: '70000',
      BASE_URL: 'not a url',
      ALLOW_PRIVATE_ENDPOINTS: 'yes',
      ALLOW_INSECURE_HTTP: '1',
      UNKNOWN_DEVICE: 'guess',
    }),
  );
  assert.deepEqual(found.map((m) => m.split(' ')[0]).sort(), [
    'ALLOW_INSECURE_HTTP',
    'ALLOW_PRIVATE_ENDPOINTS',
    'BASE_URL',
    'PORT',
    'UNKNOWN_DEVICE',
  ]);
});

test('the gateway names all three variables that it needs', () => {
  assert.equal(mistakes(() => readValues('gateway', {})).length, 3);
});

test('without TLS the server listens on loopback only', () => {
  assert.match(mistakes(() => serveConfig({ HOST: '0.0.0.0' })).join(), /ALLOW_INSECURE_HTTP/);
  assert.equal(serveConfig({ HOST: '0.0.0.0', ALLOW_INSECURE_HTTP: 'true' }).host, '0.0.0.0');
  for (const host of ['127.0.0.1', 'localhost', '::1']) assert.equal(serveConfig({ HOST: host }).host, host);
  assert.equal(mistakes(() => serveConfig({ HOST: 'localhost.example.com' })).length, 1);
});

test('BASE_URL loses its trailing slash; user, query and other schemes are refused', () => {
  assert.equal(serveConfig({ BASE_URL: 'https://vw.example/' }).baseUrl, 'https://vw.example');
  for (const url of ['ftp://x', 'https://u:p@x', 'https://x/?a=1'])
    assert.equal(mistakes(() => serveConfig({ BASE_URL: url })).length, 1, url);
});

test('help names every variable of its command', () => {
  for (const v of VARIABLES) for (const command of v.commands) assert.ok(helpTable(command).includes(v.name));
});
