/**
 * A MongoDB for tests: the replica set of TEST_MONGODB_URI, or a process of our own of the program that TEST_MONGODB_PROGRAM names
 * (`secantusd-py` of the package secantusdb). Without either, tests skip and say how to get one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { MongoClient } from 'mongodb';
import { freePort } from './process.ts';

const URI = process.env['TEST_MONGODB_URI'];
const PROGRAM = process.env['TEST_MONGODB_PROGRAM'];

/** Why a test that needs a MongoDB is skipped, or false when there is one: for the option `skip`. */
export const noMongo: string | false =
  URI || PROGRAM
    ? false
    : 'no MongoDB: set TEST_MONGODB_URI to a replica set, or TEST_MONGODB_PROGRAM to secantusd-py (docs/mongodb.md)';

/** The same for a test that kills and restarts the database process, which takes one of our own. */
export const noMongoProcess: string | false = PROGRAM
  ? false
  : 'no MongoDB process of our own: set TEST_MONGODB_PROGRAM to secantusd-py (docs/mongodb.md)';

const START_MS_MAX = 30_000;

/** A database process on a free port with data that outlive it. */
export class MongoProcess {
  readonly port: number;
  readonly dir: string;
  readonly flags: readonly string[];
  #child: ChildProcess;

  private constructor(port: number, dir: string, flags: readonly string[]) {
    this.port = port;
    this.dir = dir;
    this.flags = flags;
    this.#child = this.#spawn();
  }

  /** @param flags of the program, e.g. `--sync-on-commit` where durability is judged, or `--standalone`. */
  static async start(...flags: string[]): Promise<MongoProcess> {
    const dir = mkdtempSync(join(tmpdir(), 'vitalwire-mongo-'));
    const started = new MongoProcess(await freePort(), dir, flags);
    await started.#answers();
    return started;
  }

  #spawn(): ChildProcess {
    const args = ['--host', '127.0.0.1', '--port', String(this.port), '--storage-path', this.dir];
    return spawn(PROGRAM as string, [...args, '--enable-test-commands', '--log-level', 'ERROR', ...this.flags], {
      stdio: 'ignore',
    });
  }

  async #answers(): Promise<void> {
    const end = Date.now() + START_MS_MAX;
    for (;;) {
      const client = new MongoClient(`mongodb://127.0.0.1:${this.port}/?directConnection=true`, {
        serverSelectionTimeoutMS: 500,
      });
      try {
        await client.db('admin').command({ ping: 1 });
        return;
      } catch (error) {
        if (Date.now() > end || this.#child.exitCode !== null)
          throw new Error(`TEST_MONGODB_PROGRAM does not answer on port ${this.port}`, { cause: error });
      } finally {
        await client.close();
      }
    }
  }

  /** A URI of a database of its own. */
  uri(database = `vitalwire_${randomBytes(6).toString('hex')}`): string {
    return `mongodb://127.0.0.1:${this.port}/${database}`;
  }

  /** As a power cut of the database would: SIGKILL. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
  }

  /** As a machine that hangs would: it answers nothing, and no connection ends. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Starts it again on the same port and data. */
  async start(): Promise<void> {
    this.#child = this.#spawn();
    await this.#answers();
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

let shared: Promise<MongoProcess> | undefined;
after(async () => (await shared)?.remove());

/** URI of a new, empty database; it goes away with the tests of the file. */
export async function newDatabase(): Promise<string> {
  const name = `vitalwire_test_${randomBytes(6).toString('hex')}`;
  if (!URI) {
    shared ??= MongoProcess.start();
    return (await shared).uri(name);
  }
  const url = new URL(URI);
  url.pathname = `/${name}`;
  after(async () => {
    const client = new MongoClient(url.href);
    await client.db(name).dropDatabase();
    await client.close();
  });
  return url.href;
}

/** Why a test that hurts the database on purpose is skipped: there is none, or one that does not let itself be hurt. */
export async function noFailPoints(): Promise<string | false> {
  if (noMongo) return noMongo;
  const client = new MongoClient(await newDatabase());
  try {
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
    return false;
  } catch {
    return 'the MongoDB has no fail points: start it with --setParameter enableTestCommands=1';
  } finally {
    await client.close();
  }
}
