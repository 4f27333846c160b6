/** The change log, and the terms of what was written lately, so that matching subscriptions need not read and extract again. */
import type { Terms } from '../../fhir/terms.ts';
import type { Change } from '../store.ts';
import { TYPE } from './dictionary.ts';
import type { Reader } from './reader.ts';
import { METHODS } from './wire.ts';

export class Changes {
  readonly #reader: Reader;
  readonly #size: number;
  readonly #terms: (Terms | undefined)[];
  /** Change number of each place. */
  readonly #seqs: Float64Array;
  /** Of which types terms are kept: what nobody asks for soon would only become work for the collector. */
  wanted: (type: string) => boolean = () => false;

  constructor(reader: Reader, termsKeptMax: number) {
    this.#reader = reader;
    this.#size = termsKeptMax;
    this.#terms = new Array<Terms | undefined>(termsKeptMax);
    this.#seqs = new Float64Array(termsKeptMax);
  }

  remember(seq: number, type: string, terms: Terms): void {
    if (!this.wanted(type)) return;
    this.#terms[seq % this.#size] = terms;
    this.#seqs[seq % this.#size] = seq;
  }

  /** The terms go with the answer: they are asked for once, and what is kept longer costs the collector more than a look-up. */
  since(after: number, limit: number): Change[] {
    const rows = this.#reader.db.all(
      `SELECT c.seq, c.rid, c.type, c.version, c.method, c.at, r.id
       FROM change c JOIN resource r ON r.rid = c.rid WHERE c.seq > ? ORDER BY c.seq LIMIT 0 + ?`,
      after,
      limit,
    );
    return rows.map((row) => {
      const seq = row[0] as number;
      return {
        seq,
        type: this.#reader.dict.text(TYPE, row[2] as number),
        id: (row[6] as string | null) ?? this.#reader.ids.encode(row[1] as number),
        version: row[3] as number,
        method: METHODS[row[4] as number] ?? 'PUT',
        at: row[5] as number,
        terms: this.#take(seq),
      };
    });
  }

  #take(seq: number): Terms | undefined {
    const place = seq % this.#size;
    if (this.#seqs[place] !== seq) return undefined;
    const terms = this.#terms[place];
    this.#terms[place] = undefined;
    return terms;
  }

  last(): number {
    return this.#reader.lastSeq();
  }
}
