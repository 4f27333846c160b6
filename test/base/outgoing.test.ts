import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { Agent, request } from 'undici';
import { guardedConnector, mayReach, type OutgoingRules, outgoingMistake } from '../../src/base/outgoing.ts';

const strict: OutgoingRules = { allowPrivateEndpoints: false, allowInsecureHttp: false };
const own: OutgoingRules = { allowPrivateEndpoints: true, allowInsecureHttp: true };

describe('where outgoing calls may go', () => {
  test('public addresses always', () => {
    for (const ip of ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '::ffff:93.184.215.14'])
      assert.equal(mayReach(ip, strict), true, ip);
  });
  test('loopback and private ones only when that is allowed', () => {
    for (const ip of [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '10.0.0.1',
      '172.16.0.1',
      '192.168.1.1',
      'fd00::1',
      '100.64.0.1',
      '::ffff:10.0.0.1',
    ]) {
      assert.equal(mayReach(ip, strict), false, ip);
      assert.equal(mayReach(ip, own), true, ip);
    }
  });
  test('never: link-local, where clouds keep credentials, unspecified, multicast, tunnels, what is no address', () => {
    for (const ip of [
      '169.254.169.254',
      'fe80::1',
      '0.0.0.0',
      '::',
      '224.0.0.1',
      'ff02::1',
      '255.255.255.255',
      '2002:7f00:1::',
      '64:ff9b::7f00:1',
      '2001::1',
      'localhost',
      '',
    ])
      assert.equal(mayReach(ip, own), false, ip);
  });

  test('addresses as they are given', () => {
    assert.equal(outgoingMistake('https://hook.example/path?x=1', strict), undefined);
    assert.equal(outgoingMistake('http://127.0.0.1:8080/x', own), undefined);
    const wrong: [string, OutgoingRules, RegExp][] = [
      ['', strict, /absolute/],
      ['/relative', strict, /absolute/],
      ['ftp://x.example/', own, /https/],
      ['javascript:alert(1)', own, /https/],
      ['http://hook.example/', strict, /ALLOW_INSECURE_HTTP/],
      ['https://user:pw@hook.example/', own, /user name/],
      ['https://hook.example/#x', own, /fragment/],
      ['https://127.0.0.1/', strict, /ALLOW_PRIVATE_ENDPOINTS/],
      ['https://0x7f.1/', strict, /not public/],
      ['https://[::1]/', strict, /not public/],
      ['https://[::ffff:7f00:1]/', strict, /not public/],
      ['https://169.254.169.254/latest', own, /not public/],
    ];
    for (const [url, rules, sentence] of wrong) assert.match(outgoingMistake(url, rules) ?? '', sentence, url);
  });

  test('the check is made when the connection is: by address and by name', async () => {
    let calls = 0;
    const server = createServer((_req, res) => {
      calls++;
      res.end('here');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const shut = new Agent({ connect: guardedConnector({ ...own, allowPrivateEndpoints: false }) });
    const open = new Agent({ connect: guardedConnector(own) });
    try {
      for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
        const url = `http://${host}:${port}/`;
        await assert.rejects(request(url, { dispatcher: shut }), { name: 'AddressRefused' });
        assert.equal(calls, 0);
      }
      for (const host of ['127.0.0.1', 'localhost']) {
        const { body } = await request(`http://${host}:${port}/`, { dispatcher: open });
        assert.equal(await body.text(), 'here');
      }
      assert.equal(calls, 2);
    } finally {
      await shut.destroy();
      await open.destroy();
      server.close();
    }
  });
});
