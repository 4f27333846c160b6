/** Many rows with one statement: half of what an insert costs is beginning and ending the statement. */
import type { SQLInputValue } from 'node:sqlite';
import type { Connection } from './connection.ts';

const ROWS_PER_STATEMENT = 16;

export class Bulk {
  readonly #db: Connection;
  readonly #one: string;
  readonly #many: string;
  #values: SQLInputValue[] = [];
  readonly #columns: number;
  readonly #full: number;

  /** `into`: `INSERT INTO table`, all columns in order. */
  constructor(db: Connection, into: string, columns: number) {
    const row = `(${Array.from({ length: columns }, () => '?').join()})`;
    this.#db = db;
    this.#one = `${into} VALUES ${row}`;
    this.#many = `${into} VALUES ${Array.from({ length: ROWS_PER_STATEMENT }, () => row).join()}`;
    this.#full = columns * ROWS_PER_STATEMENT;
    this.#columns = columns;
  }

  add(...row: SQLInputValue[]): void {
    for (let i = 0; i < row.length; i++) this.#values.push(row[i] as SQLInputValue);
    this.#writeFull();
  }

  /** The row of numbers that begins at `at`. NaN is stored as NULL. */
  addNumbers(rows: Float64Array, at: number): void {
    for (let i = 0; i < this.#columns; i++) this.#values.push(rows[at + i] as number);
    this.#writeFull();
  }

  #writeFull(): void {
    if (this.#values.length < this.#full) return;
    this.#db.run(this.#many, ...this.#values);
    this.#values.length = 0;
  }

  /** Writes what has gathered. */
  flush(): void {
    for (let i = 0; i < this.#values.length; i += this.#columns)
      this.#db.run(this.#one, ...this.#values.slice(i, i + this.#columns));
    this.#values = [];
  }

  /** Its transaction is undone. */
  drop(): void {
    this.#values = [];
  }
}
