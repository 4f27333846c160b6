/** The disk and SQLite alone: fdatasync of a small append, and rows appended 100 to a synced transaction. */
import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { percentile } from '../load.ts';

export interface DiskCeiling {
  readonly fdatasyncP50Ms: number;
  readonly fdatasyncP99Ms: number;
  readonly sqliteRowsPerSecond: number;
}

export function diskCeiling(dir: string, seconds: number): DiskCeiling {
  mkdirSync(dir, { recursive: true });
  const times: number[] = [];
  const file = openSync(join(dir, 'sync'), 'a');
  const block = Buffer.alloc(4096, 120);
  for (const end = performance.now() + seconds * 500; performance.now() < end; ) {
    const at = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push(performance.now() - at);
  }
  closeSync(file);
  const sorted = Float64Array.from(times).sort();
  const db = new DatabaseSync(join(dir, 'append.db'));
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT)');
  const insert = db.prepare('INSERT INTO t(body) VALUES (?)');
  const body = 'x'.repeat(1100);
  let rows = 0;
  const at = performance.now();
  for (const end = at + seconds * 500; performance.now() < end; rows += 100) {
    db.exec('BEGIN');
    for (let i = 0; i < 100; i++) insert.run(body);
    db.exec('COMMIT');
  }
  const sqliteRowsPerSecond = rows / ((performance.now() - at) / 1000);
  db.close();
  rmSync(dir, { recursive: true, force: true });
  return { fdatasyncP50Ms: percentile(sorted, 0.5), fdatasyncP99Ms: percentile(sorted, 0.99), sqliteRowsPerSecond };
}
