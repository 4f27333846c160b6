/** The connection to a replica set: what it must be, and where things are in the database. */
import { type ClientSession, type Collection, type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { StartError } from '../../base/errors.ts';
import type {
  ChangeDocument,
  CommitDocument,
  KeyDocument,
  NumberDocument,
  ResourceDocument,
  StoredDoc,
  VersionDocument,
} from './documents.ts';
import { Watch } from './watch.ts';

/** What nothing in the URI may change: nothing acknowledged is lost, what is read is committed. */
const PROMISES: MongoClientOptions = {
  appName: 'vitalwire',
  retryWrites: true,
  retryReads: true,
  writeConcern: { w: 'majority', journal: true },
  readConcern: { level: 'majority' },
  readPreference: 'primary',
  ignoreUndefined: true,
};

/**
 * How long things may take, unless the URI says otherwise. A network that swallows everything is noticed after twice the heartbeat;
 * one that swallows a single connection when nothing came back on it for `socketTimeoutMS`.
 */
const TIMES = {
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  heartbeatFrequencyMS: 5_000,
  socketTimeoutMS: 45_000,
  maxPoolSize: 50,
} as const satisfies MongoClientOptions;

/** Building an index takes as long as it takes. */
export const UNHURRIED: MongoClientOptions = { socketTimeoutMS: 0 };

function optionsFor(uri: string, more: MongoClientOptions): MongoClientOptions {
  // What is given beside the URI wins over it, and names in it are the same in any case.
  const given = new Set([...new URLSearchParams(uri.split('?')[1] ?? '').keys()].map((name) => name.toLowerCase()));
  const times = Object.entries(TIMES).filter(([name]) => !given.has(name.toLowerCase()));
  return { ...Object.fromEntries(times), ...PROMISES, ...more };
}

export interface Collections {
  readonly resources: Collection<ResourceDocument>;
  readonly versions: Collection<VersionDocument>;
  readonly changes: Collection<ChangeDocument>;
  readonly keys: Collection<KeyDocument>;
  readonly docs: Collection<StoredDoc>;
  readonly numbers: Collection<NumberDocument>;
  readonly commits: Collection<CommitDocument>;
}

export interface Connection extends Collections {
  readonly db: Db;
  session(): ClientSession;
  /** Work that takes commands on this connection. @throws UnheardError when it will not be heard of any more. */
  heard<T>(work: () => Promise<T>): Promise<T>;
  /** Between two transactions: places of commands that were never heard of are given back. Says whether sessions are void. */
  refresh(): boolean;
  close(): Promise<void>;
}

const words = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] as string;

/** A URI without its password, for messages. */
const shown = (uri: string): string => uri.replace(/\/\/[^@/]*@/, '//***@');

/** @throws StartError naming MONGODB_URI: not a URI, not reachable, or not a replica set. */
export async function connect(uri: string, more: MongoClientOptions = {}): Promise<Connection> {
  let client: MongoClient;
  try {
    client = new MongoClient(uri, optionsFor(uri, more));
  } catch (error) {
    throw new StartError(`MONGODB_URI is not a MongoDB connection string: ${words(error)}.`);
  }
  try {
    await client.connect();
    const hello = await client.db('admin').command({ hello: 1 });
    // Multi-document transactions need one; mongos says msg: isdbgrid instead of a set name.
    if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid')
      throw new StartError(
        `MONGODB_URI ${shown(uri)} is a single server: transactions need a replica set (one member is enough: start mongod with --replSet and run rs.initiate()).`,
      );
  } catch (error) {
    await client.close().catch(() => {});
    if (error instanceof StartError) throw error;
    throw new StartError(`MONGODB_URI ${shown(uri)} cannot be reached: ${words(error)}.`);
  }
  return new Link(client, () => new MongoClient(uri, optionsFor(uri, more)), databaseName(uri));
}

class Link implements Connection {
  #client: MongoClient;
  readonly #another: () => MongoClient;
  readonly #name: string;
  readonly #watch = new Watch();
  readonly #former = new Set<MongoClient>();

  constructor(client: MongoClient, another: () => MongoClient, name: string) {
    this.#client = client;
    this.#another = another;
    this.#name = name;
    this.#watch.over(client);
  }

  get db(): Db {
    return this.#client.db(this.#name);
  }
  get resources(): Collection<ResourceDocument> {
    return this.db.collection('resources');
  }
  get versions(): Collection<VersionDocument> {
    return this.db.collection('versions');
  }
  get changes(): Collection<ChangeDocument> {
    return this.db.collection('changes');
  }
  get keys(): Collection<KeyDocument> {
    return this.db.collection('keys');
  }
  get docs(): Collection<StoredDoc> {
    return this.db.collection('docs');
  }
  get numbers(): Collection<NumberDocument> {
    return this.db.collection('numbers');
  }
  get commits(): Collection<CommitDocument> {
    return this.db.collection('commits');
  }

  session(): ClientSession {
    return this.#client.startSession({ causalConsistency: true });
  }

  heard<T>(work: () => Promise<T>): Promise<T> {
    return this.#watch.heard(work);
  }

  refresh(): boolean {
    if (!this.#watch.spent) return false;
    const before = this.#client;
    this.#client = this.#another();
    this.#watch.over(this.#client);
    this.#former.add(before);
    // What is still read through it comes to its end.
    setTimeout(() => void this.#end(before), TIMES.socketTimeoutMS).unref();
    return true;
  }

  async #end(former: MongoClient): Promise<void> {
    this.#former.delete(former);
    await former.close().catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all([...this.#former].map((client) => this.#end(client)));
    await this.#client.close();
  }
}

/** The database of the URI's path, else `vitalwire`. */
function databaseName(uri: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/?]+\/([^?]*)/.exec(uri)?.[1];
  return path ? decodeURIComponent(path) : 'vitalwire';
}
