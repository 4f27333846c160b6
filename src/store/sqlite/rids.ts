/** Numbers for new resources, taken from the file in blocks, so that two processes never give out the same one. */
import { Connection } from './connection.ts';

const RIDS_PER_BLOCK = 10_000;
const CACHE_KIB = 256;

interface Block {
  next: number;
  readonly end: number;
}

export class Rids {
  readonly #path: string;
  readonly #ask: (rids: number) => void;
  #block: Block;
  #spare: Block | undefined;
  #asked = false;
  /** Every number below it was given to some process. */
  #handedOutBelow: number;

  /** `ask` lets the writer reserve a block, which comes back by `add`. */
  constructor(path: string, ask: (rids: number) => void) {
    this.#path = path;
    this.#ask = ask;
    this.#block = this.#reserve();
    this.#handedOutBelow = this.#block.end;
  }

  /** At once, on a connection of its own: at start, and when the writer is too slow to bring the next block. */
  #reserve(): Block {
    const db = new Connection(this.#path, { readOnly: false, cacheKib: CACHE_KIB });
    try {
      db.exec('BEGIN IMMEDIATE');
      const next = db.number(1, "SELECT value FROM meta WHERE name = 'rid-next'");
      db.run("UPDATE meta SET value = ? WHERE name = 'rid-next'", next + RIDS_PER_BLOCK);
      db.exec('COMMIT');
      return { next, end: next + RIDS_PER_BLOCK };
    } finally {
      db.close();
    }
  }

  add(from: number, rids: number): void {
    this.#asked = false;
    this.#spare = { next: from, end: from + rids };
    this.#handedOutBelow = Math.max(this.#handedOutBelow, from + rids);
  }

  next(): number {
    if (this.#block.next >= this.#block.end) {
      this.#block = this.#spare ?? this.#reserve();
      this.#spare = undefined;
      this.#handedOutBelow = Math.max(this.#handedOutBelow, this.#block.end);
    }
    const rid = this.#block.next++;
    if (!this.#spare && !this.#asked && this.#block.end - this.#block.next < RIDS_PER_BLOCK / 2) {
      this.#asked = true;
      this.#ask(RIDS_PER_BLOCK);
    }
    return rid;
  }

  /** Whether an id that decodes to this number can be one that was given out. */
  isHandedOut(rid: number): boolean {
    return rid < this.#handedOutBelow;
  }
}
