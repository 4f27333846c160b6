/**
 * Group commit. Batches that come while the writer is busy wait here and go over together in one message, into one transaction
 * with one sync; each is judged for itself.
 */
import { type Clock, instant } from '../../base/clock.ts';
import { VitalwireError } from '../../base/errors.ts';
import type { Limits } from '../../base/limits.ts';
import type { Batch, Committed, Refusal } from '../store.ts';
import type { Changes } from './changes.ts';
import { type EncodedBatch, type Encoder, WrittenVersion } from './encode.ts';
import { GroupBuffer } from './group.ts';
import type { Keys } from './keys.ts';
import type { Reader } from './reader.ts';
import type { Search } from './search.ts';
import { Sequence } from './sequence.ts';
import type { Skeletons } from './skeletons.ts';
import { type FromWriter, type GroupDone, REFUSALS } from './wire.ts';
import type { Writer } from './writer.ts';

interface Pending {
  readonly batch: Batch;
  resolve(committed: Committed): void;
  reject(error: Error): void;
}

/** The group that is with the writer. */
interface Flight {
  readonly id: number;
  readonly at: number;
  readonly definitions: number;
  readonly members: readonly { readonly pending: Pending; readonly encoded: EncodedBatch }[];
}

export interface QueueParts {
  readonly reader: Reader;
  readonly search: Search;
  readonly keys: Keys;
  readonly changes: Changes;
  readonly skeletons: Skeletons;
  readonly encoder: Encoder;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly limits: Limits;
  /** After a commit of resources, before it is answered. */
  committed(seq: number, types: ReadonlySet<string>): void;
  /** Another process wrote resources. */
  foreign(): void;
}

const unavailable = (cause: unknown): VitalwireError =>
  new VitalwireError('server.unavailable', 'The store cannot write at the moment. Send the request again later.', {
    headers: { 'retry-after': '5' },
    cause,
  });

export class CommitQueue {
  readonly #parts: QueueParts;
  #waiting: Pending[] = [];
  #flight: Flight | undefined;
  #groups = 0;
  #lastAt: number;
  #lastSeq: number;
  /** Of the group that is being built, then with the writer. */
  readonly #buffer = new GroupBuffer();
  #idle: (() => void)[] = [];
  #broken: Error | undefined;
  readonly counted = { commits: 0, groups: 0, syncMicros: 0 };

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#lastAt = 0;
    this.#lastSeq = 0;
    this.#refresh();
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Why the last group could not be written; undefined when it could. */
  get broken(): Error | undefined {
    return this.#parts.writer.dead ?? this.#broken;
  }

  /** The disk was tried and is back. */
  mended(): void {
    this.#broken = undefined;
  }

  #refresh(): void {
    const { db } = this.#parts.reader;
    const row = db.get('SELECT seq, at FROM change ORDER BY seq DESC LIMIT 1');
    this.#lastSeq = (row?.[0] as number | undefined) ?? 0;
    this.#lastAt = Math.max(this.#lastAt, (row?.[1] as number | undefined) ?? 0);
  }

  commit(batch: Batch): Promise<Committed> {
    const { writer, limits } = this.#parts;
    if (writer.dead) return Promise.reject(unavailable(writer.dead));
    if (this.#waiting.length >= limits.commitQueueBatchesMax)
      return Promise.reject(
        new VitalwireError(
          'server.busy',
          'The store has more to write than it can take. Send the request again later.',
          {
            headers: { 'retry-after': '1' },
          },
        ),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#handOver();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  async drained(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#flight) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #handOver(): void {
    if (this.#flight) return;
    // A group that was answered without the writer makes room for what waited for it.
    while (!this.#flight && this.#waiting.length > 0) {
      try {
        this.#parts.reader.snapshot(() => this.#build());
      } catch (error) {
        this.#rejectAll(this.#waiting.splice(0), error);
      }
    }
    if (this.#flight) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Builds a group out of what waits and sends it. */
  #build(): void {
    const { reader, search, keys, clock, limits, writer } = this.#parts;
    const at = Math.max(clock.now(), this.#lastAt);
    const sequence = new Sequence(search, keys, at);
    const members: Flight['members'][number][] = [];
    const left: Pending[] = [];
    const buffer = this.#buffer;
    buffer.clear();
    let chars = 0;
    let next = 0;
    for (; next < this.#waiting.length; next++) {
      if (members.length >= limits.commitBatchesPerTransactionMax) break;
      if (chars > limits.commitTextCharsPerTransactionMax) break;
      const pending = this.#waiting[next] as Pending;
      const from = buffer.texts.length;
      const encoded = this.#take(sequence, pending);
      if (encoded === 'wait') left.push(pending);
      if (encoded === 'wait' || encoded === 'answered') continue;
      members.push({ pending, encoded });
      for (let i = from; i < buffer.texts.length; i++) chars += (buffer.texts[i] as string).length;
    }
    this.#waiting = left.concat(this.#waiting.slice(next));
    if (members.length === 0) return;
    this.#lastAt = at;
    const definitions = reader.dict.fresh();
    this.#flight = { id: ++this.#groups, at, definitions: definitions.length, members };
    const head = [at, this.#lastSeq, members.length, definitions.length, ...definitions.flatMap((d) => [d.kind, d.id])];
    writer.send({
      kind: 'group',
      id: this.#flight.id,
      head: Float64Array.from(head),
      definitions: definitions.map((d) => d.text),
      numbers: buffer.numbers(),
      texts: buffer.texts.join(''),
      lengths: Int32Array.from(buffer.texts, (text) => text.length),
    });
  }

  #take(sequence: Sequence, pending: Pending): EncodedBatch | 'wait' | 'answered' {
    const mark = this.#buffer.mark();
    try {
      const judgement = sequence.judge(pending.batch);
      if (judgement.kind === 'wait') return 'wait';
      if (judgement.kind === 'go') return this.#parts.encoder.encode(pending.batch, judgement.heldKeys, this.#buffer);
      pending.resolve({ ok: false, refusal: judgement.refusal });
    } catch (error) {
      // Only this batch is at fault: a skeleton with a hole too many, terms without a value.
      this.#buffer.cut(mark);
      pending.reject(error as Error);
    }
    return 'answered';
  }

  receive(message: FromWriter): void {
    const flight = this.#flight;
    if (!flight || !('id' in message) || message.id !== flight.id) return;
    this.#flight = undefined;
    if (message.kind === 'done') this.#done(flight, message);
    else if (message.kind === 'stale') this.#stale(flight);
    else if (message.kind === 'failed') this.#failed(flight, new Error(message.message));
    this.#handOver();
  }

  #done(flight: Flight, done: GroupDone): void {
    const { reader, keys, changes, skeletons, committed } = this.#parts;
    const lastUpdated = instant(flight.at);
    this.#broken = undefined;
    this.#lastSeq = done.lastSeq;
    this.counted.groups++;
    this.counted.syncMicros += done.syncMicros;
    reader.dict.confirmed(flight.definitions);
    this.#tail(flight, done);
    if (done.merged) keys.forget();
    const answers: (() => void)[] = [];
    const types = new Set<string>();
    for (const [i, { pending, encoded }] of flight.members.entries()) {
      const [ok, last = 0, index = 0, version = 0] = done.results.subarray(i * 4, i * 4 + 4);
      if (ok !== 1) {
        answers.push(() => pending.resolve({ ok: false, refusal: refusalOf(last, index, version) }));
        continue;
      }
      this.counted.commits++;
      const first = last - encoded.writes.length + 1;
      for (const [j, write] of encoded.writes.entries()) {
        types.add(write.type);
        changes.remember(first + j, write.type, write.terms);
      }
      const seq = encoded.writes.length > 0 ? last : 0;
      const written = encoded.writes.map((write) => new WrittenVersion(write, flight.at, lastUpdated, skeletons));
      answers.push(() => pending.resolve({ ok: true, written, seq }));
    }
    if (types.size > 0) committed(done.lastSeq, types);
    for (const answer of answers) answer();
  }

  /** Rows that a search has read from the file already are not added twice. */
  #tail(flight: Flight, done: GroupDone): void {
    const { tail } = this.#parts.reader;
    if (done.lid > tail.lid) {
      for (const [i, { encoded }] of flight.members.entries())
        if (done.results[i * 4] === 1)
          for (let j = 0; j < encoded.logs.length; j += 2)
            tail.apply(done.lid, this.#buffer.slice(encoded.logs[j] as number, encoded.logs[j + 1] as number));
    }
    if (done.sealed) tail.seal();
    if (done.merged) tail.merged();
  }

  /** Another process was faster: what was compared and numbered may be wrong, so all of it is done again. */
  #stale(flight: Flight): void {
    const { keys, foreign } = this.#parts;
    this.#waiting = [...flight.members.map((m) => m.pending), ...this.#waiting];
    this.#readAnew();
    keys.forget();
    foreign();
  }

  #failed(flight: Flight, error: Error): void {
    this.#broken = error;
    this.#rejectAll(
      flight.members.map((m) => m.pending),
      error,
    );
    this.#readAnew();
  }

  /** Numbers that were handed out for a group that was not written are not in the file. */
  #readAnew(): void {
    try {
      this.#parts.reader.dict.reload();
      this.#refresh();
    } catch (error) {
      // The next group fails by itself, or is found to be built on the wrong numbers and comes back.
      this.#broken = error as Error;
    }
  }

  #rejectAll(all: readonly Pending[], error: unknown): void {
    for (const pending of all) pending.reject(unavailable(error));
  }

  /** The writer is gone: nothing that was not answered may be taken for stored. */
  died(error: Error): void {
    const members = this.#flight?.members ?? [];
    this.#flight = undefined;
    this.#rejectAll([...members.map((m) => m.pending), ...this.#waiting.splice(0)], error);
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function refusalOf(code: number, index: number, version: number): Refusal {
  const kind = REFUSALS[code];
  if (kind === 'exists' || kind === 'version') return { kind, index, version };
  return { kind: kind ?? 'precondition', index };
}
