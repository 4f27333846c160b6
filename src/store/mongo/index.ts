/** The store port on MongoDB: a replica set, majority writes, multi-document transactions. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { StartError, VitalwireError } from '../../base/errors.ts';
import { randomUrl } from '../../base/hash.ts';
import type { Limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import type { Batch, Committed, Store } from '../store.ts';
import { Changes } from './changes.ts';
import { Committer, isNetwork, unavailable } from './commit.ts';
import { type Connection, connect, UNHURRIED } from './connection.ts';
import { doc, docs } from './docs.ts';
import { history } from './history.ts';
import { migrate } from './migrations.ts';
import { keyHolders, read, readMany, readVersion } from './read.ts';
import { Finder } from './search.ts';

export interface MongoStoreOptions {
  readonly uri: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Logger;
  /** FHIR base, for references of the server to itself. */
  readonly base: string;
}

/** MongoDB's own limit is 16 MiB of BSON; the text and its index values must fit together. */
const DOCUMENT_BYTES_MAX = 15 * 2 ** 20;

/** @throws StartError naming MONGODB_URI. */
export async function openMongoStore(options: MongoStoreOptions): Promise<Store> {
  await prepare(options);
  const db = await connect(options.uri);
  try {
    const finder = new Finder(db, options.limits, options.base);
    await finder.loadSpans();
    return await build(db, finder, options);
  } catch (error) {
    await db.close();
    throw unusable(error);
  }
}

const unusable = (error: unknown): StartError =>
  error instanceof StartError
    ? error
    : new StartError(`The database of MONGODB_URI cannot be used: ${(error as Error).message}.`);

async function prepare({ uri, clock }: MongoStoreOptions): Promise<void> {
  const db = await connect(uri, UNHURRIED);
  try {
    await migrate(db, clock);
  } catch (error) {
    throw unusable(error);
  } finally {
    await db.close();
  }
}

/** 48 bits of time and 80 random ones: unguessable, and new ones lie side by side in the index. */
function newId(now: number): string {
  return Math.floor(now).toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
}

/** What would fail inside the transaction, and take the batches beside it with it. */
function malformed({ writes = [] }: Batch): Error | undefined {
  for (const { draft } of writes) {
    if (typeof draft.body === 'string') continue;
    const { skeleton, values } = draft.body;
    if (skeleton.parts.length !== values.length + 1)
      return new Error(`skeleton ${skeleton.key} has ${skeleton.parts.length - 1} holes, not ${values.length}`);
  }
  return undefined;
}

function tooLarge(batch: Batch): VitalwireError | undefined {
  const size = (text: string): boolean =>
    text.length * 3 > DOCUMENT_BYTES_MAX && Buffer.byteLength(text) > DOCUMENT_BYTES_MAX;
  const large =
    (batch.writes ?? []).some(({ draft }) => typeof draft.body === 'string' && size(draft.body)) ||
    (batch.docs ?? []).some((d) => d.op !== 'delete' && size(d.doc.body));
  return large
    ? new VitalwireError(
        'request.too-large',
        'A document of the database holds at most 16 MB. Send a smaller resource, or the readings in smaller parts.',
      )
    : undefined;
}

async function build(db: Connection, finder: Finder, options: MongoStoreOptions): Promise<Store> {
  const { clock, limits, log, base } = options;
  const instance = randomUrl(9);
  const changes = new Changes(db, limits, log, instance, () => finder.loadSpans());
  const committer = new Committer({
    db,
    finder,
    clock,
    limits,
    log,
    instance,
    committed(outcome) {
      for (const [type, span] of outcome.spans) finder.widen(type, span);
      changes.committed(outcome);
    },
  });
  /** A read that the database does not answer is a 503, not a fault of the server. */
  const answered = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await db.heard(work);
    } catch (error) {
      if (isNetwork(error)) throw unavailable(error);
      throw error;
    }
  };
  const number = async (_id: string): Promise<number> => (await db.numbers.findOne({ _id }))?.n ?? 0;
  const lastSeq = (): Promise<number> => answered(() => number('seq'));
  await committer.start();
  changes.start(await lastSeq());
  return {
    capabilities: { engine: 'mongodb', sharedByServers: false },
    newId: () => newId(clock.now()),
    commit(batch): Promise<Committed> {
      const error = malformed(batch) ?? tooLarge(batch);
      return error ? Promise.reject(error) : committer.commit(batch);
    },
    read: (type, id) => answered(() => read(db, type, id)),
    readVersion: (type, id, version) => answered(() => readVersion(db, type, id, version)),
    readMany: (refs) => answered(() => readMany(db, refs)),
    visible: (type, id, access) => answered(() => finder.visible(type, id, access)),
    search: (plan, access) => answered(() => finder.search(plan, access)),
    history: (query, access) => answered(() => history({ db, finder, base }, query, access)),
    keyHolders: (keys) => answered(() => keyHolders(db, keys)),
    changesSince: (after, limit) => answered(() => changes.since(after, limit)),
    lastSeq,
    keepTerms: (of) => {
      changes.wanted = of;
    },
    onChange: (listener) => changes.onChange(listener),
    onForeignChange: (listener) => changes.onForeignChange(listener),
    doc: (collection, key) => answered(() => doc(db, clock.now(), collection, key)),
    docs: (query) => answered(() => docs(db, clock.now(), query)),
    counters: (names) =>
      answered(async () => {
        const found = await db.numbers.find({ _id: { $in: names.map((n) => `counter/${n}`) } }).toArray();
        const values = new Map(found.map((f) => [f._id.slice('counter/'.length), f.n]));
        return Object.fromEntries(names.map((n) => [n, values.get(n) ?? 0]));
      }),
    guard: (name) => answered(() => number(`guard/${name}`)),
    stats: async () => ({ commit_queue: committer.waiting, changes_total: await lastSeq() }),
    ping: () => answered(async () => void (await db.db.command({ ping: 1 }))),
    async close() {
      await committer.close();
      await changes.stop();
      await db.close();
    },
  };
}
