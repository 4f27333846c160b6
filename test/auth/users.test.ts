import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  addUser,
  hashPassword,
  listUsers,
  passwordMatches,
  setUserEnabled,
  userDoc,
  validateUser,
} from '../../src/auth/users.ts';
import { systemClock } from '../../src/base/clock.ts';
import { StartError } from '../../src/base/errors.ts';
import { createSealer } from '../../src/base/secret.ts';
import { createDocDisk } from '../support/doc-store.ts';

const good = { username: 'ada', password: 'long enough 1', fhirUser: 'Practitioner/ada' };
const sealer = createSealer(Buffer.alloc(32, 1));

describe('users', () => {
  test('a good one; without fhirUser; with a second factor as programs print it', () => {
    assert.deepEqual(validateUser(good, 'users[0]').mistakes, []);
    assert.ok(validateUser({ ...good, fhirUser: undefined }, 'u').user);
    const { user } = validateUser({ ...good, totp_secret: 'jbsw y3dp ehpk 3pxp' }, 'u');
    assert.equal(user?.totpSecret, 'JBSWY3DPEHPK3PXP');
  });

  const mistakes: Record<string, [unknown, RegExp]> = {
    'no object': [7, /object/],
    'no username': [{ ...good, username: undefined }, /username/],
    'a username of spaces': [{ ...good, username: '  ' }, /username/],
    'no password': [{ username: 'broken-user' }, /broken-user.*password/],
    'a short password': [{ ...good, password: 'short' }, /password/],
    'fhirUser no reference': [{ ...good, fhirUser: 'nobody at all' }, /fhirUser/],
    'fhirUser of a type that is nobody': [{ ...good, fhirUser: 'Device/1' }, /fhirUser/],
    'totp_secret no Base32': [{ ...good, totp_secret: 'not base32!' }, /totp_secret/],
    'totp_secret too short': [{ ...good, totp_secret: 'JBSWY3DP' }, /totp_secret/],
  };
  for (const [name, [given, sentence]] of Object.entries(mistakes))
    test(`${name} is a mistake that names the place`, () => {
      const checked = validateUser(given, 'users[3]');
      assert.equal(checked.user, undefined);
      assert.ok(checked.mistakes.every((m) => m.startsWith('users[3]')));
      assert.match(checked.mistakes.join('\n'), sentence);
      assert.doesNotMatch(checked.mistakes.join('\n'), /long enough/);
    });

  test('an unknown field is a warning that names it', () => {
    const { user, warnings } = validateUser({ ...good, shoe_size: 43 }, 'users[0]');
    assert.ok(user);
    assert.match(warnings.join(), /shoe_size/);
  });

  test('passwords: salted scrypt; only the right one matches, however its accents are typed', async () => {
    const hashed = await hashPassword('pässwörd 1');
    assert.match(hashed, /^scrypt:32768:8:1:/);
    assert.equal(await passwordMatches(hashed, 'pässwörd 1'), true);
    assert.equal(await passwordMatches(hashed, 'pässwörd 1'.normalize('NFD')), true);
    assert.equal(await passwordMatches(hashed, 'pässwörd 2'), false);
    assert.equal(await passwordMatches('', 'x'), false);
  });

  test('in the store: no password, no second factor in the clear; added, disabled, enabled', async () => {
    const disk = createDocDisk();
    const store = disk.open(systemClock);
    await addUser(store, sealer, { ...good, totp_secret: 'JBSWY3DPEHPK3PXP' });
    assert.ok(!disk.dump().includes(good.password) && !disk.dump().includes('JBSWY3DP'));
    await assert.rejects(addUser(store, sealer, good), StartError);
    await assert.rejects(addUser(store, sealer, { username: 'x' }), StartError);
    await setUserEnabled(store, 'ada', false);
    await store.commit({ docs: [await userDoc(validateUser(good, 'u').user!, sealer)] });
    assert.deepEqual(await listUsers(store), [{ username: 'ada', fhirUser: 'Practitioner/ada', disabled: true }]);
    await setUserEnabled(store, 'ada', true);
    assert.equal((await listUsers(store))[0]?.disabled, false);
    await assert.rejects(setUserEnabled(store, 'bob', false), StartError);
  });
});
