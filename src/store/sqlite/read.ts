/** Reads by id: no index is needed for ids of the server, one look-up for those of clients. */
import type { Stored } from '../store.ts';
import type { Reader } from './reader.ts';
import { DELETE } from './wire.ts';

export function readNewest(reader: Reader, type: string, id: string): Stored | undefined {
  const row = reader.resolve(type, id);
  return row && reader.stored(row);
}

export function readVersion(reader: Reader, type: string, id: string, version: number): Stored | undefined {
  return reader.snapshot(() => {
    const row = reader.resolve(type, id);
    if (!row) return undefined;
    const wanted = row.version === version ? row : reader.formerRow(row.rid, version, row.id);
    return wanted && reader.stored(wanted);
  });
}

export function readMany(reader: Reader, refs: readonly { readonly type: string; readonly id: string }[]): Stored[] {
  return reader.snapshot(() => {
    const found: Stored[] = [];
    for (const { type, id } of refs) {
      const row = reader.resolve(type, id);
      if (row && row.method !== DELETE) found.push(reader.stored(row));
    }
    return found;
  });
}
