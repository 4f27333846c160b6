/** Writes what lanes remember, many in one commit, a little later: losing it costs a repetition at most. */
import type { Store } from '../store/store.ts';
import type { Lane } from './lane.ts';
import { laneDoc } from './state.ts';

const FLUSH_MS = 100;

export class LaneWriter {
  readonly #store: Store;
  readonly #dirty = new Set<Lane>();
  readonly #writing = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  touch(lane: Lane): void {
    if (!lane.dirty) return;
    this.#dirty.add(lane);
    this.#timer ??= setTimeout(() => void this.#write(), FLUSH_MS);
  }

  /** Resolves when everything touched so far is stored, or could not be. */
  async flush(): Promise<void> {
    await this.#write();
    await Promise.all(this.#writing);
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // What a status is just written for is stored with it.
    const lanes = [...this.#dirty].filter((lane) => lane.dirty && !lane.gone && !lane.writing);
    this.#dirty.clear();
    if (lanes.length === 0) return;
    for (const lane of lanes) lane.dirty = false;
    const write = this.#store.commit({ docs: lanes.map((lane) => laneDoc(lane.id, lane.record)) }).then(
      () => undefined,
      () => {
        for (const lane of lanes) {
          lane.dirty = true;
          this.touch(lane);
        }
      },
    );
    this.#writing.add(write);
    await write;
    this.#writing.delete(write);
  }
}
