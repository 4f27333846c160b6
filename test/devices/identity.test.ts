import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalIdentity, EUI64, identitiesOf, MAC_BLUETOOTH, MAC_ETHERNET } from '../../src/devices/identity.ts';

test('an EUI-64 or MAC is one identity in every spelling, order and form', () => {
  // Facts: MAC B0-49-5F-00-10-71, sent LSO first as 71 10 00 FE FF 5F 49 B0
  const spellings = [
    [EUI64, 'B0-49-5F-FF-FE-00-10-71'],
    [EUI64, 'b0:49:5f:ff:fe:00:10:71'],
    [EUI64, 'B0495FFFFE001071'],
    [EUI64, '71 10 00 FE FF 5F 49 B0'],
    [EUI64, '711000feff5f49b0'],
    [MAC_BLUETOOTH, 'B0:49:5F:00:10:71'],
    [MAC_BLUETOOTH, 'b0-49-5f-00-10-71'],
    [MAC_BLUETOOTH, 'b049.5f00.1071'],
    [MAC_ETHERNET, 'B0495F001071'],
  ];
  const found = new Set(spellings.map(([system, value]) => canonicalIdentity({ system, value: value as string })));
  assert.equal(found.size, 1);
});

test('everything else counts exactly', () => {
  const serial = 'urn:example:serial';
  assert.notEqual(
    canonicalIdentity({ system: serial, value: 'A-1' }),
    canonicalIdentity({ system: serial, value: 'a-1' }),
  );
  assert.notEqual(canonicalIdentity({ system: serial, value: 'A-1' }), canonicalIdentity({ value: 'A-1' }));
  assert.notEqual(
    canonicalIdentity({ system: serial, value: 'B0495FFFFE001071' }),
    canonicalIdentity({ system: EUI64, value: 'B0495FFFFE001071' }),
  );
  assert.notEqual(
    canonicalIdentity({ system: EUI64, value: 'not hex' }),
    canonicalIdentity({ system: EUI64, value: 'NOT HEX' }),
  );
  assert.notEqual(
    canonicalIdentity({ system: EUI64, value: 'B0495FFFFE001071' }),
    canonicalIdentity({ system: EUI64, value: 'B0495FFFFE001072' }),
  );
});

test('a Device claims each identity once, and what is no identifier none', () => {
  const identifier = [
    { system: EUI64, value: 'B0495FFFFE001071' },
    { system: MAC_BLUETOOTH, value: 'B0:49:5F:00:10:71' },
    { system: 'urn:example:serial', value: 'S' },
    { system: 'urn:example:serial' },
    { value: '' },
    null,
  ];
  assert.equal(identitiesOf({ identifier }).length, 2);
  assert.deepEqual(identitiesOf({}), []);
});
