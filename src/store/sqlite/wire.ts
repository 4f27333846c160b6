/**
 * What goes between the main thread and the writer. A group of batches is one message: all numbers in one Float64Array, all
 * texts in one string, read in order. An object graph would cost more to clone than the insert itself, and thousands of small
 * strings cost more than one long one.
 */

/** Order of the numbers of a group; texts are taken in the same order where a dot says so.
 *
 * batch:          how many numbers and how many texts its parts take; how many preconditions, writes, docs, counters and
 *                 touches it has; then each of these
 *   precondition: PRE_VERSION, index, type, rid, version             · id
 *                 PRE_GUARD, index, stamp                            · name
 *   write:        flags, type, rid, cls, form, follows, method, old cls, old date (NaN: no class row before), new date, high,
 *                 pat, checksum, removed text rows, added text rows, log length, log…  · id? body? origin? key? note?
 *   text row:     table, param, system                               · first, second
 *   doc:          op, expires (NaN: never)                           · collection, key, body, tags, was
 *   counter:      amount                                             · name
 *   touch:                                                           · name
 */
export const PRE_VERSION = 0;
export const PRE_GUARD = 1;

/** The client named the resource: its id is in `client_id`. */
export const HAS_ID = 1;
export const HAS_BODY = 2;
export const HAS_ORIGIN = 4;
export const HAS_KEY = 8;
export const HAS_NOTE = 16;
/** The new version is in the indexes by class. */
export const IS_LIVE = 32;
/** The version before was. */
export const WAS_LIVE = 64;

export const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
export const DELETE = 3;
export const DOC_OPS = ['put', 'insert', 'replace', 'delete'] as const;

/** Between the tags of a document. */
export const TAG_SEPARATOR = '\x1f';

export const REFUSALS = ['exists', 'version', 'precondition', 'guard', 'doc-exists', 'doc-changed'] as const;
export type WireRefusal = (typeof REFUSALS)[number];

export type ToWriter =
  | {
      readonly kind: 'group';
      readonly id: number;
      /** lastUpdated, the change number that the main thread believes to be the newest, batches, definitions, then kind and id of each. */
      readonly head: Float64Array;
      /** Texts of the definitions. */
      readonly definitions: readonly string[];
      /** Of the batches. */
      readonly numbers: Float64Array;
      readonly texts: string;
      /** Of each text, in UTF-16 code units. */
      readonly lengths: Int32Array;
    }
  /** `rids` numbers for new resources, in a transaction of its own. */
  | { readonly kind: 'reserve'; readonly rids: number }
  /** Once a second: looks for writes of other processes, and purges expired documents. */
  | { readonly kind: 'tick'; readonly now: number }
  /** Tries to write, to know whether the disk is back. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'close' };

export interface GroupDone {
  readonly kind: 'done';
  readonly id: number;
  /** A batch each: 1, last seq, 0 | 0, number of the refusal, index, version. */
  readonly results: Float64Array;
  /** Newest change of the store. */
  readonly lastSeq: number;
  /** Of the log row with this group's index rows; 0 when there is none. */
  readonly lid: number;
  /** Everything up to `lid` is being merged from now on. */
  readonly sealed: boolean;
  /** What was sealed is in its tables. */
  readonly merged: boolean;
  /** Microseconds that COMMIT took. */
  readonly syncMicros: number;
}

export type FromWriter =
  | GroupDone
  /** Another process wrote resources since the group was built: nothing was done, build it again. */
  | { readonly kind: 'stale'; readonly id: number }
  /** Nothing of the group is stored. */
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'reserved'; readonly from: number; readonly rids: number }
  | { readonly kind: 'ticked'; readonly foreign: boolean }
  | { readonly kind: 'probed'; readonly message: string }
  | { readonly kind: 'closed' };

export interface WriterStart {
  readonly path: string;
  /** `indexRowsPerMergeMin` of the limits. */
  readonly rowsPerMerge: number;
}

/** Takes numbers and texts in the order in which they were put. */
export class Cursor {
  readonly #numbers: Float64Array;
  readonly #texts: string;
  readonly #lengths: Int32Array;
  #n: number;
  /** The next text: which one it is, and where it begins. */
  #t: number;
  #at: number;
  constructor(numbers: Float64Array, texts: string, lengths: Int32Array, n = 0, t = 0, at = 0) {
    this.#numbers = numbers;
    this.#texts = texts;
    this.#lengths = lengths;
    this.#n = n;
    this.#t = t;
    this.#at = at;
  }
  number(): number {
    return this.#numbers[this.#n++] as number;
  }
  text(): string {
    const from = this.#at;
    this.#at += this.#lengths[this.#t++] as number;
    return this.#texts.slice(from, this.#at);
  }
  slice(length: number): Float64Array {
    this.#n += length;
    return this.#numbers.subarray(this.#n - length, this.#n);
  }
  /** A cursor at the same place; this one skips what it is to read: a batch that is refused is not read to its end. */
  fork(numbers: number, texts: number): Cursor {
    const part = new Cursor(this.#numbers, this.#texts, this.#lengths, this.#n, this.#t, this.#at);
    this.#n += numbers;
    for (const end = this.#t + texts; this.#t < end; this.#t++) this.#at += this.#lengths[this.#t] as number;
    return part;
  }
}
