/** The main thread's view of the file: one read-only connection, and what it needs to make sense of the rows. */

import { instant } from '../../base/clock.ts';
import { extract } from '../../fhir/extract.ts';
import type { Terms } from '../../fhir/terms.ts';
import type { Stored } from '../store.ts';
import type { Classes } from './classes.ts';
import type { Connection, Row } from './connection.ts';
import { type Dictionary, TYPE } from './dictionary.ts';
import type { Ids } from './ids.ts';
import { LOG_COLUMNS, recordsOf } from './log-blob.ts';
import type { Refs } from './refs.ts';
import type { Skeletons } from './skeletons.ts';
import type { Tail } from './tail.ts';
import { DELETE, METHODS } from './wire.ts';

export interface ResourceRow {
  readonly rid: number;
  readonly type: number;
  readonly cls: number;
  readonly form: number;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly updated: number;
  readonly seq: number;
  readonly method: number;
  readonly body: string | null;
  readonly origin: string | null;
  /** Null: the server named it. */
  readonly id: string | null;
  /** Of the index rows that it was stored with. */
  readonly checksum: number;
}

const COLUMNS = 'rid, type, cls, form, version, updated, seq, method, body, origin, id, checksum';

function toRow(row: Row): ResourceRow {
  return {
    rid: row[0] as number,
    type: row[1] as number,
    cls: row[2] as number,
    form: (row[3] as number | null) ?? 0,
    version: row[4] as number,
    updated: row[5] as number,
    seq: row[6] as number,
    method: row[7] as number,
    body: row[8] as string | null,
    origin: row[9] as string | null,
    id: row[10] as string | null,
    checksum: row[11] as number,
  };
}

export interface ReaderParts {
  readonly db: Connection;
  readonly dict: Dictionary;
  readonly classes: Classes;
  readonly refs: Refs;
  readonly ids: Ids;
  readonly skeletons: Skeletons;
  readonly tail: Tail;
  /** FHIR base URL of this server. */
  readonly base: string;
  /** Whether a number was given to some process. */
  handedOut(rid: number): boolean;
}

export class Reader {
  readonly db: Connection;
  readonly dict: Dictionary;
  readonly classes: Classes;
  readonly refs: Refs;
  readonly ids: Ids;
  readonly tail: Tail;
  readonly base: string;
  readonly isHandedOut: (rid: number) => boolean;
  readonly #skeletons: Skeletons;
  #depth = 0;

  constructor(parts: ReaderParts) {
    this.db = parts.db;
    this.dict = parts.dict;
    this.classes = parts.classes;
    this.refs = parts.refs;
    this.ids = parts.ids;
    this.tail = parts.tail;
    this.base = parts.base;
    this.#skeletons = parts.skeletons;
    this.isHandedOut = parts.handedOut;
  }

  /** All that `work` reads is of one moment, the rows that are not merged yet included. */
  snapshot<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.db.run('BEGIN');
    this.#depth++;
    try {
      this.#catchUp();
      return work();
    } finally {
      this.#depth--;
      this.db.run('COMMIT');
    }
  }

  /** After a start: what waits in the log of the file. */
  loadTail(): void {
    if (this.tail.lid === 0) this.snapshot(() => {});
  }

  /** The file may be ahead of what the writer has reported, or another process may have written. */
  #catchUp(): void {
    const { tail, db } = this;
    const last = db.number(0, 'SELECT max(lid) FROM log');
    if (last === tail.lid) return;
    const columns = LOG_COLUMNS.join();
    let rows = db.all(`SELECT ${columns}, lid FROM log WHERE lid > ? ORDER BY lid`, tail.lid);
    if (rows.length !== last - tail.lid || last < tail.lid) {
      // Another process merged rows that were never seen here.
      tail.reset();
      rows = db.all(`SELECT ${columns}, lid FROM log ORDER BY lid`);
    }
    this.dict.refresh();
    for (const row of rows) tail.apply(row.at(-1) as number, recordsOf(row.slice(0, -1)));
  }

  row(rid: number): ResourceRow | undefined {
    const row = this.db.get(`SELECT ${COLUMNS} FROM resource WHERE rid = ?`, rid);
    return row && toRow(row);
  }

  rows(rids: readonly number[]): ResourceRow[] {
    const found: ResourceRow[] = [];
    for (const rid of rids) {
      const row = this.row(rid);
      if (row) found.push(row);
    }
    return found;
  }

  /** A former version, in the shape of a current one. */
  formerRow(rid: number, version: number, id: string | null): ResourceRow | undefined {
    const row = this.db.get(
      `SELECT rid, type, 0, form, version, updated, seq, method, body, origin, ?, 0
       FROM history WHERE rid = ? AND version = ?`,
      id,
      rid,
      version,
    );
    return row && toRow(row);
  }

  /** The newest row of a resource; what is found is of that type and has that id. */
  resolve(type: string, id: string): ResourceRow | undefined {
    const typeId = this.dict.find(TYPE, type);
    if (typeId === undefined) return undefined;
    const own = this.ids.decode(id);
    if (own !== undefined) {
      const row = this.row(own);
      if (row && row.type === typeId && row.id === null) return row;
    }
    const rid = this.db.number(0, 'SELECT rid FROM client_id WHERE type = ? AND id = ?', typeId, id);
    const row = rid > 0 ? this.row(rid) : undefined;
    return row && row.type === typeId && row.id === id ? row : undefined;
  }

  idOf(row: ResourceRow): string {
    return row.id ?? this.ids.encode(row.rid);
  }

  typeOf(row: ResourceRow): string {
    return this.dict.text(TYPE, row.type);
  }

  /** Empty when deleted. */
  textOf(row: ResourceRow, type = this.typeOf(row), id = this.idOf(row)): string {
    if (row.body === null) return '';
    const { form, body, version, updated } = row;
    return this.#skeletons.render(type, id, version, updated, { form, body });
  }

  termsOf(row: ResourceRow): Terms {
    return extract(JSON.parse(this.textOf(row)) as Record<string, unknown>, this.base);
  }

  stored(row: ResourceRow): Stored {
    const type = this.typeOf(row);
    const id = this.idOf(row);
    return {
      type,
      id,
      version: row.version,
      lastUpdated: instant(row.updated),
      method: METHODS[row.method] ?? 'PUT',
      deleted: row.method === DELETE,
      text: this.textOf(row, type, id),
      origin: row.origin ?? undefined,
    };
  }

  lastSeq(): number {
    return this.db.number(0, 'SELECT max(seq) FROM change');
  }
}
