/** One SQLite connection with its prepared statements. Rows are arrays in the order of the columns. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

export type Value = null | number | string | Uint8Array;
export type Row = readonly Value[];

/** 4 kB pages measured best: the write-ahead log holds whole pages, and random index pages are most of it. */
const PAGE_BYTES = 4096;

export interface ConnectionOptions {
  readonly readOnly: boolean;
  readonly cacheKib: number;
}

export class Connection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string, options: ConnectionOptions) {
    this.#db = new DatabaseSync(path, { readOnly: options.readOnly, timeout: 10_000 });
    this.#db.exec(`PRAGMA cache_size = -${options.cacheKib}; PRAGMA temp_store = MEMORY;`);
    if (options.readOnly) return;
    // FULL: a commit is on the disk when it returns, also after a power cut. Checkpoints are the writer's own business.
    this.#db.exec(
      `PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;`,
    );
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /**
   * `LIMIT ?` is written `LIMIT 0 + ?` everywhere: SQLite looks at a bare parameter there when it plans, and plans anew each time
   * the value is bound, which costs three times as much as the query itself.
   */
  statement(sql: string): StatementSync {
    let found = this.#statements.get(sql);
    if (!found) {
      found = this.#db.prepare(sql);
      found.setReturnArrays(true);
      this.#statements.set(sql, found);
    }
    return found;
  }

  get(sql: string, ...args: SQLInputValue[]): Row | undefined {
    return this.statement(sql).get(...args) as unknown as Row | undefined;
  }

  all(sql: string, ...args: SQLInputValue[]): Row[] {
    return this.statement(sql).all(...args) as unknown as Row[];
  }

  /** Number of rows changed. */
  run(sql: string, ...args: SQLInputValue[]): number {
    return this.statement(sql).run(...args).changes as number;
  }

  /** The first column of the first row as a number; `otherwise` when there is no row or it is null. */
  number(otherwise: number, sql: string, ...args: SQLInputValue[]): number {
    const value = this.get(sql, ...args)?.[0];
    return typeof value === 'number' ? value : otherwise;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}
