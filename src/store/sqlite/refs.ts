/**
 * References as numbers. A resource that this server named needs no dictionary: the number holds its rid and type, negative.
 * Anything else (ids of clients, other servers) has an entry. Both ways are pure functions of (type, id), so a reference
 * written before its target exists has the number that a later search computes.
 */
import type { ReferenceFilter } from '../../search/plan.ts';
import { type Dictionary, REF, TYPE } from './dictionary.ts';
import type { Ids } from './ids.ts';

const TYPES_MAX = 1024;

export class Refs {
  readonly #dict: Dictionary;
  readonly #ids: Ids;

  constructor(dict: Dictionary, ids: Ids) {
    this.#dict = dict;
    this.#ids = ids;
  }

  /** Makes an entry when there is none. */
  code(type: string, id: string): number {
    if (type === '') return this.#dict.id(REF, `/${id}`);
    // Every type that a reference names is in the dictionary: `codes` goes through them.
    const typeId = this.#dict.id(TYPE, type);
    const rid = typeId < TYPES_MAX ? this.#ids.decode(id) : undefined;
    return rid === undefined ? this.#dict.id(REF, `${type}/${id}`) : -(rid * TYPES_MAX + typeId);
  }

  /** Undefined when no stored reference can lead there. */
  find(type: string, id: string): number | undefined {
    if (type === '') return this.#dict.find(REF, `/${id}`);
    const typeId = this.#dict.find(TYPE, type);
    if (typeId === undefined) return undefined;
    const rid = typeId < TYPES_MAX ? this.#ids.decode(id) : undefined;
    return rid === undefined ? this.#dict.find(REF, `${type}/${id}`) : -(rid * TYPES_MAX + typeId);
  }

  /** The numbers of all targets that the filter means. */
  codes(filter: ReferenceFilter): number[] {
    const types = filter.type === undefined ? ['', ...this.#dict.all(TYPE).keys()] : [filter.type];
    return types.map((type) => this.find(type, filter.id)).filter((code) => code !== undefined);
  }

  target(code: number): { type: string; id: string } {
    if (code < 0) {
      const typeId = -code % TYPES_MAX;
      return { type: this.#dict.text(TYPE, typeId), id: this.#ids.encode((-code - typeId) / TYPES_MAX) };
    }
    const text = this.#dict.text(REF, code);
    const slash = text.indexOf('/');
    return { type: text.slice(0, slash), id: text.slice(slash + 1) };
  }
}
