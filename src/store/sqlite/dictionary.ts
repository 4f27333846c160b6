/**
 * Small numbers for texts that come back again and again. The main thread hands numbers out and sends the new ones along with
 * the rows that use them; should another process have taken a number first, the writer refuses the whole group and it is built
 * anew (queue.ts). What a search touches for every class is kept in memory, the rest is a bounded cache over the table.
 */
import type { Connection } from './connection.ts';

export const TYPE = 1;
/** `Observation.device`. */
export const PARAM = 2;
/** classes.ts */
export const CLASS = 3;
/** skeletons.ts */
export const FORM = 4;
/** system, code and unit of a quantity, joined by U+001F. */
export const UNIT = 5;
/** `Patient/p1` or `/https://elsewhere.example/…`; not for ids that the server named (refs.ts). */
export const REF = 6;
/** Of a token. */
export const SYSTEM = 7;
const KINDS = 8;
/** Too many to hold all of them. */
const CACHED: ReadonlySet<number> = new Set([REF, SYSTEM]);
const CACHE_ENTRIES_MAX = 50_000;

export interface Definition {
  readonly kind: number;
  readonly id: number;
  readonly text: string;
}

export class Dictionary {
  readonly #db: Connection;
  readonly #ids: Map<string, number>[] = [];
  readonly #texts: Map<number, string>[] = [];
  readonly #next: number[] = [];
  /** Handed out, not yet known to be in the table. */
  #fresh: Definition[] = [];
  readonly #listeners: ((definition: Definition | undefined) => void)[] = [];
  /** Highest number read from the table. */
  readonly #read: number[] = [];

  constructor(db: Connection) {
    this.#db = db;
    for (let kind = 0; kind < KINDS; kind++) {
      this.#ids.push(new Map());
      this.#texts.push(new Map());
      this.#next.push(1);
      this.#read.push(0);
    }
    this.reload();
  }

  /** Forgets what is not in the table, and learns what another process added. Not while a group is with the writer. */
  reload(): void {
    this.#fresh = [];
    for (let kind = 1; kind < KINDS; kind++) {
      this.#ids[kind]?.clear();
      this.#texts[kind]?.clear();
      this.#next[kind] = 1;
      this.#read[kind] = 0;
    }
    this.refresh();
    for (const listener of this.#listeners) listener(undefined);
  }

  /** Learns what another process added; what was handed out here stays, until the writer refuses it. */
  refresh(): void {
    for (let kind = 1; kind < KINDS; kind++) {
      const last = this.#db.number(0, 'SELECT max(id) FROM dict WHERE kind = ?', kind);
      this.#next[kind] = Math.max(this.#next[kind] as number, last + 1);
      const read = this.#read[kind] as number;
      if (last <= read || CACHED.has(kind)) continue;
      this.#read[kind] = last;
      for (const row of this.#db.all('SELECT id, text FROM dict WHERE kind = ? AND id > ?', kind, read)) {
        const definition = { kind, id: row[0] as number, text: row[1] as string };
        if (this.#texts[kind]?.get(definition.id) === definition.text) continue;
        this.#remember(kind, definition.id, definition.text);
        for (const listener of this.#listeners) listener(definition);
      }
    }
  }

  /** Called with each new definition, and with undefined when everything was read anew. */
  onDefinition(listener: (definition: Definition | undefined) => void): void {
    this.#listeners.push(listener);
  }

  #remember(kind: number, id: number, text: string): void {
    const ids = this.#ids[kind] as Map<string, number>;
    if (CACHED.has(kind) && ids.size >= CACHE_ENTRIES_MAX) {
      ids.clear();
      this.#texts[kind]?.clear();
      for (const d of this.#fresh) if (d.kind === kind) this.#remember(kind, d.id, d.text);
    }
    ids.set(text, id);
    this.#texts[kind]?.set(id, text);
  }

  /** Undefined when nothing stored can hold it. */
  find(kind: number, text: string): number | undefined {
    const known = this.#ids[kind]?.get(text);
    if (known !== undefined || !CACHED.has(kind)) return known;
    const id = this.#db.get('SELECT id FROM dict WHERE kind = ? AND text = ?', kind, text)?.[0];
    if (typeof id !== 'number') return undefined;
    this.#remember(kind, id, text);
    return id;
  }

  /** A new one gets a number at once. */
  id(kind: number, text: string): number {
    const known = this.find(kind, text);
    if (known !== undefined) return known;
    const id = this.#next[kind] as number;
    this.#next[kind] = id + 1;
    const definition = { kind, id, text };
    this.#fresh.push(definition);
    this.#remember(kind, id, text);
    for (const listener of this.#listeners) listener(definition);
    return id;
  }

  /** @throws when the number was never given out: the file is damaged. */
  text(kind: number, id: number): string {
    const known = this.#texts[kind]?.get(id);
    if (known !== undefined) return known;
    const text = this.#db.get('SELECT text FROM dict WHERE kind = ? AND id = ?', kind, id)?.[0];
    if (typeof text !== 'string') throw new Error(`dictionary entry ${kind}/${id} is missing`);
    this.#remember(kind, id, text);
    return text;
  }

  /** All that is known of a kind that is held in memory. */
  all(kind: number): ReadonlyMap<string, number> {
    return this.#ids[kind] as Map<string, number>;
  }

  fresh(): readonly Definition[] {
    return this.#fresh;
  }

  /** The first `count` fresh ones are in the table now. */
  confirmed(count: number): void {
    this.#fresh = this.#fresh.slice(count);
  }
}
