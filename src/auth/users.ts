/** User accounts: what is wrong with one, and how its password and second factor are kept. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { StartError } from '../base/errors.ts';
import type { Sealer } from '../base/secret.ts';
import type { Doc, DocWrite, Store } from '../store/store.ts';
import { allDocs } from './docs.ts';

export const USERS = 'auth-user';
/** Apart from the account, so that one that is written anew stays disabled. */
export const DISABLED = 'auth-user-disabled';

export interface UserRecord {
  readonly username: string;
  /** As given; never stored. */
  readonly password: string;
  /** `Practitioner/1`. */
  readonly fhirUser?: string | undefined;
  /** Base32 without padding, as given; stored sealed. */
  readonly totpSecret?: string | undefined;
}

export interface CheckedUser {
  readonly user?: UserRecord;
  readonly mistakes: string[];
  readonly warnings: string[];
}

/** NIST SP 800-63B §5.1.1.2. */
const PASSWORD_CHARACTERS_MIN = 8;
const PASSWORD_CHARACTERS_MAX = 200;
const KNOWN = new Set(['username', 'password', 'fhirUser', 'totp_secret']);
/** SMART App Launch 2.2 scopes-and-launch-context: what fhirUser may point to. */
const FHIR_USER = /^(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)\/[A-Za-z0-9\-.]{1,64}$/;
/** RFC 4648 §6; ten bytes at least, as authenticator programs make them. */
const BASE32 = /^[A-Z2-7]{16,128}=*$/;

/** @param at place of the user in what was given, e.g. `users[0]`. */
export function validateUser(given: unknown, at: string): CheckedUser {
  const mistakes: string[] = [];
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return { mistakes: [`${at} must be an object with username and password.`], warnings: [] };
  const { username, password, fhirUser, totp_secret: totp } = given as Record<string, unknown>;
  const named = typeof username === 'string' && username !== '' ? `${at} (${username})` : at;
  const warnings = Object.keys(given)
    .filter((name) => !KNOWN.has(name))
    .map((name) => `${named}: unknown field ${name} is ignored.`);
  if (typeof username !== 'string' || !/^\S[^\p{Cc}]{0,98}\S$|^\S$/u.test(username))
    mistakes.push(`${named} needs a username of 1 to 100 characters.`);
  const length = typeof password === 'string' ? [...password].length : 0;
  if (length < PASSWORD_CHARACTERS_MIN || length > PASSWORD_CHARACTERS_MAX)
    mistakes.push(`${named} needs a password of ${PASSWORD_CHARACTERS_MIN} to ${PASSWORD_CHARACTERS_MAX} characters.`);
  if (fhirUser !== undefined && !(typeof fhirUser === 'string' && FHIR_USER.test(fhirUser)))
    mistakes.push(`${named}.fhirUser must be Type/id, such as Practitioner/1.`);
  const secret = typeof totp === 'string' ? totp.replaceAll(' ', '').toUpperCase() : totp;
  if (secret !== undefined && !(typeof secret === 'string' && BASE32.test(secret)))
    mistakes.push(`${named}.totp_secret must be Base32 of at least 10 bytes (16 characters).`);
  if (mistakes.length > 0) return { mistakes, warnings };
  const user: UserRecord = {
    username: username as string,
    password: password as string,
    fhirUser: fhirUser as string | undefined,
    totpSecret: (secret as string | undefined)?.replace(/=+$/, ''),
  };
  return { user, mistakes, warnings };
}

const COST: ScryptOptions & { N: number; r: number; p: number } = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 };

function derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(password.normalize('NFKC'), salt, 32, cost, (error, key) => (error ? reject(error) : resolve(key))),
  );
}

/** `scrypt:<N>:<r>:<p>:<salt>:<hash>`, some 80 ms of work in a thread of the pool. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join(':');
}

export async function passwordMatches(hashed: string, password: string): Promise<boolean> {
  const [kind, N, r, p, salt = '', expected = ''] = hashed.split(':');
  if (kind !== 'scrypt') return false;
  const cost = { N: Number(N), r: Number(r), p: Number(p), maxmem: COST.maxmem };
  const key = await derive(password, Buffer.from(salt, 'base64url'), cost as ScryptOptions);
  const wanted = Buffer.from(expected, 'base64url');
  return key.length === wanted.length && timingSafeEqual(key, wanted);
}

interface StoredUser {
  readonly username: string;
  readonly password: string;
  readonly fhirUser?: string | undefined;
  readonly totp?: string | undefined;
}

async function docFor(user: UserRecord, sealer: Sealer): Promise<Doc> {
  const stored: StoredUser = {
    username: user.username,
    password: await hashPassword(user.password),
    fhirUser: user.fhirUser,
    totp: user.totpSecret === undefined ? undefined : sealer.seal(user.totpSecret),
  };
  return { collection: USERS, key: user.username, body: JSON.stringify(stored) };
}

/** Writes the user over whatever is there under the name; whether the account is disabled stays as it is. */
export const userDoc = async (user: UserRecord, sealer: Sealer): Promise<DocWrite> => ({
  op: 'put',
  doc: await docFor(user, sealer),
});

/** One user as the command line shows it; never a secret. */
export interface UserRow {
  readonly username: string;
  readonly fhirUser?: string | undefined;
  readonly disabled: boolean;
}

/** All users, by name. */
export async function listUsers(store: Store): Promise<UserRow[]> {
  const disabled = new Set((await allDocs(store, DISABLED)).map((doc) => doc.key));
  return (await allDocs(store, USERS)).map((doc) => {
    const { username, fhirUser } = JSON.parse(doc.body) as StoredUser;
    return { username, fhirUser, disabled: disabled.has(username) };
  });
}

/** @throws StartError with every mistake, or when the name is taken. */
export async function addUser(store: Store, sealer: Sealer, given: unknown): Promise<UserRow> {
  const { user, mistakes } = validateUser(given, 'user');
  if (!user) throw new StartError(mistakes);
  const doc = await docFor(user, sealer);
  if (!(await store.commit({ docs: [{ op: 'insert', doc }] })).ok)
    throw new StartError(`There is a user ${user.username} already. Choose another username.`);
  return { username: user.username, fhirUser: user.fhirUser, disabled: false };
}

/** @throws StartError when there is no such user. */
export async function setUserEnabled(store: Store, username: string, enabled: boolean): Promise<void> {
  if (!(await store.doc(USERS, username)))
    throw new StartError(`There is no user ${username}. \`vitalwire user list\` shows those that are.`);
  const mark = { collection: DISABLED, key: username };
  const write: DocWrite = enabled ? { op: 'delete', ...mark } : { op: 'put', doc: { ...mark, body: '{}' } };
  await store.commit({ docs: [write] });
}
