/** Registered clients: what is known of them, how they are kept, and what the command line does with them. */
import { StartError } from '../base/errors.ts';
import type { Sealer } from '../base/secret.ts';
import type { Doc, DocWrite, Store } from '../store/store.ts';
import { allDocs } from './docs.ts';
import type { PublicJwk } from './jwks.ts';
import {
  type AuthMethod,
  checkClientId,
  checkCredentials,
  checkGrants,
  checkScope,
  checkSigningAlg,
  checkUnknown,
  type Findings,
  isLoopbackHttp,
  uriList,
} from './metadata.ts';
import { sealSecret } from './secrets.ts';

export const CLIENTS = 'auth-client';
/** Apart from the record, so that a registration that is written anew does not enable what an operator disabled. */
export const DISABLED = 'auth-client-disabled';

export interface ClientRecord {
  readonly clientId: string;
  readonly name?: string | undefined;
  readonly method: AuthMethod;
  /** Only assertions with this algorithm; absent: any that fits the key. */
  readonly signingAlg?: string | undefined;
  readonly keys?: readonly PublicJwk[] | undefined;
  readonly jwksUri?: string | undefined;
  /** As given; never stored. */
  readonly secret?: string | undefined;
  readonly grantTypes: readonly string[];
  readonly redirectUris: readonly string[];
  readonly launchUris: readonly string[];
  /** A loopback `http:` or private-scheme redirect makes it native. */
  readonly native: boolean;
  /** The most it may get, separated by single spaces. */
  readonly scope: string;
  /** Other metadata, for display: `client_uri`, `logo_uri`, `contacts` … */
  readonly about: Readonly<Record<string, unknown>>;
}

/** A record as stored. */
export interface StoredClient extends Omit<ClientRecord, 'secret'> {
  /** Sealed hash of the secret. */
  readonly sealedSecret?: string | undefined;
}

const ABOUT = ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'contacts', 'software_id', 'software_version'];

export interface CheckedClient {
  readonly client?: ClientRecord;
  /** Sentences that begin with `at`. */
  readonly mistakes: string[];
  readonly warnings: string[];
}

/** @param at place of the metadata in what was given, e.g. `clients[1]`. `client` is there only when nothing is wrong. */
export function validateClient(metadata: unknown, at: string): CheckedClient {
  const found: Findings = { mistakes: [], warnings: [] };
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return { mistakes: [`${at} must be an object with client metadata (RFC 7591).`], warnings: [] };
  const given = metadata as Record<string, unknown>;
  const clientId = checkClientId(given, at, found);
  const place = clientId === '' ? at : `${at} (${clientId})`;
  checkUnknown(given, place, found);
  const { keys, jwksUri, secret, method } = checkCredentials(given, place, found);
  const redirectUris = uriList(given, 'redirect_uris', place, true, found);
  const launchUris = uriList(given, 'launch_uris', place, false, found);
  const grantTypes = checkGrants(given, place, { redirects: redirectUris.length > 0, method }, found);
  const scope = checkScope(given, place, grantTypes, found);
  const signingAlg = checkSigningAlg(given, place, found);
  const name = given['client_name'];
  if (name !== undefined && typeof name !== 'string') found.mistakes.push(`${place}.client_name must be a text.`);
  if (found.mistakes.length > 0) return found;
  const client: ClientRecord = {
    clientId,
    name: name as string | undefined,
    method,
    signingAlg,
    keys,
    jwksUri,
    secret,
    grantTypes,
    redirectUris,
    launchUris,
    native: redirectUris.some((uri) => isLoopbackHttp(uri) || !uri.startsWith('https:')),
    scope,
    about: Object.fromEntries(ABOUT.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]]))),
  };
  return { client, ...found };
}

function docFor(client: ClientRecord, sealer: Sealer): Doc {
  const { secret, ...rest } = client;
  const stored: StoredClient = secret === undefined ? rest : { ...rest, sealedSecret: sealSecret(secret, sealer) };
  return { collection: CLIENTS, key: client.clientId, body: JSON.stringify(stored) };
}

/** Writes the client over whatever is registered under its id; whether it is disabled stays as it is. */
export const clientDoc = (client: ClientRecord, sealer: Sealer): DocWrite => ({
  op: 'put',
  doc: docFor(client, sealer),
});

export const parseClient = (doc: Doc): StoredClient => JSON.parse(doc.body) as StoredClient;

/** One client as the command line shows it; never a secret. */
export interface ClientRow {
  readonly client_id: string;
  readonly client_name?: string | undefined;
  readonly grant_types: readonly string[];
  readonly token_endpoint_auth_method: AuthMethod;
  readonly scope: string;
  readonly disabled: boolean;
}

const rowOf = (client: StoredClient | ClientRecord, disabled: boolean): ClientRow => ({
  client_id: client.clientId,
  client_name: client.name,
  grant_types: client.grantTypes,
  token_endpoint_auth_method: client.method,
  scope: client.scope,
  disabled,
});

/** All clients, by client_id. */
export async function listClients(store: Store): Promise<ClientRow[]> {
  const disabled = new Set((await allDocs(store, DISABLED)).map((doc) => doc.key));
  return (await allDocs(store, CLIENTS)).map((doc) => rowOf(parseClient(doc), disabled.has(doc.key)));
}

async function docOf(store: Store, clientId: string): Promise<Doc> {
  const doc = await store.doc(CLIENTS, clientId);
  if (!doc) throw new StartError(`There is no client ${clientId}. \`vitalwire client list\` shows those that are.`);
  return doc;
}

/** Registers a new client from RFC 7591 metadata. @throws StartError with every mistake, or when the client_id is taken. */
export async function addClient(store: Store, sealer: Sealer, metadata: unknown): Promise<ClientRow> {
  const { client, mistakes } = validateClient(metadata, 'client');
  if (!client) throw new StartError(mistakes);
  const doc = docFor(client, sealer);
  if (!(await store.commit({ docs: [{ op: 'insert', doc }] })).ok)
    throw new StartError(`There is a client ${client.clientId} already. Choose another client_id.`);
  return rowOf(client, false);
}

/**
 * Disabled: its tokens stop working and it gets no new ones, within seconds also on servers that run.
 * @throws StartError when there is no such client.
 */
export async function setClientEnabled(store: Store, clientId: string, enabled: boolean): Promise<void> {
  await docOf(store, clientId);
  const mark = { collection: DISABLED, key: clientId };
  const write: DocWrite = enabled ? { op: 'delete', ...mark } : { op: 'put', doc: { ...mark, body: '{}' } };
  await store.commit({ docs: [write] });
}

/**
 * Replaces what the client signs in with; the old keys or secret are worth nothing from then on.
 * @param credentials `{"jwks"}`, `{"jwks_uri"}` or `{"client_secret"}`.
 * @throws StartError with every mistake, when there is no such client, or when it was changed meanwhile.
 */
export async function rotateClientKeys(
  store: Store,
  sealer: Sealer,
  clientId: string,
  credentials: unknown,
): Promise<void> {
  const before = await docOf(store, clientId);
  const found: Findings = { mistakes: [], warnings: [] };
  const { method, keys, jwksUri, secret } = checkCredentials(Object(credentials), 'client', found);
  if (method === 'none' && found.mistakes.length === 0)
    found.mistakes.push('client needs jwks, jwks_uri or client_secret.');
  if (found.mistakes.length > 0) throw new StartError(found.mistakes);
  const { sealedSecret: _old, ...rest } = parseClient(before);
  const doc = docFor({ ...rest, method, keys, jwksUri, secret }, sealer);
  if (!(await store.commit({ docs: [{ op: 'replace', doc, was: before.body }] })).ok)
    throw new StartError(`The client ${clientId} was changed by someone else meanwhile. Try again.`);
}
