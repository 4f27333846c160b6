/** A resource that may be found, with what is known of it so far; the rest is read when it is asked for. */
import type { Terms } from '../../fhir/terms.ts';
import type { ClassRecord } from './classes.ts';
import type { Reader, ResourceRow } from './reader.ts';
import { DELETE } from './wire.ts';

export class Candidate {
  readonly rid: number;
  readonly cls: ClassRecord;
  /** Primary date as indexed; NaN when it is not known. */
  readonly date: number;
  /** Its end, when the class does not say; NaN otherwise. */
  readonly high: number;
  /** The owner; NaN when it is not known. Of a resource with several owners, one of them. */
  readonly pat: number;
  readonly #reader: Reader;
  #row: ResourceRow | undefined;
  #terms: Terms | undefined;
  /** Times the text was parsed: what a search must not do too often. */
  static parsed = 0;

  constructor(reader: Reader, rid: number, cls: ClassRecord, date: number, high: number, pat: number) {
    this.#reader = reader;
    this.rid = rid;
    this.cls = cls;
    this.date = date;
    this.high = high;
    this.pat = pat;
  }

  /** Of a row that is at hand; a former version has no class. */
  static of(reader: Reader, row: ResourceRow, cls: ClassRecord, date = Number.NaN): Candidate {
    const made = new Candidate(reader, row.rid, cls, date, Number.NaN, Number.NaN);
    made.#row = row;
    return made;
  }

  /** @throws when the index leads to nothing: the file is damaged. */
  get row(): ResourceRow {
    this.#row ??= this.#reader.row(this.rid);
    if (this.#row === undefined) throw new Error(`resource ${this.rid} is in an index, but not in its table`);
    return this.#row;
  }

  get deleted(): boolean {
    return this.row.method === DELETE;
  }

  get id(): string {
    return this.#row ? this.#reader.idOf(this.#row) : this.#reader.idOf(this.row);
  }

  get terms(): Terms {
    if (this.#terms === undefined) {
      Candidate.parsed++;
      this.#terms = this.#reader.termsOf(this.row);
    }
    return this.#terms;
  }

  /** End of the primary date; NaN when it is not known. */
  get end(): number {
    return typeof this.cls.span === 'number' ? this.date + this.cls.span : this.high;
  }
}
