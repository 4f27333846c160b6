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

/** MongoDB's transactions end after 60 s by themselves; the driver's own retries stop well before a caller gives up. */
const OPTIONS: MongoClientOptions = {
  appName: 'vitalwire',
  retryWrites: true,
  retryReads: true,
  // Nothing acknowledged is lost: majority and journalled, read what is committed.
  writeConcern: { w: 'majority', journal: true },
  readConcern: { level: 'majority' },
  readPreference: 'primary',
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  // A network that swallows everything is noticed after twice this: then what waits for an answer is ended.
  heartbeatFrequencyMS: 5_000,
  maxPoolSize: 50,
  ignoreUndefined: true,
};

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
  readonly client: MongoClient;
  readonly db: Db;
  session(): ClientSession;
  close(): Promise<void>;
}

const words = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] as string;

/** A URI without its password, for messages. */
const shown = (uri: string): string => uri.replace(/\/\/[^@/]*@/, '//***@');

/** @throws StartError naming MONGODB_URI: not a URI, not reachable, or not a replica set. */
export async function connect(uri: string): Promise<Connection> {
  let client: MongoClient;
  try {
    client = new MongoClient(uri, OPTIONS);
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
  const db = client.db(databaseName(uri));
  return {
    client,
    db,
    resources: db.collection('resources'),
    versions: db.collection('versions'),
    changes: db.collection('changes'),
    keys: db.collection('keys'),
    docs: db.collection('docs'),
    numbers: db.collection('numbers'),
    commits: db.collection('commits'),
    session: () => client.startSession({ causalConsistency: true }),
    close: () => client.close(),
  };
}

/** The database of the URI's path, else `vitalwire`. */
function databaseName(uri: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/?]+\/([^?]*)/.exec(uri)?.[1];
  return path ? decodeURIComponent(path) : 'vitalwire';
}
