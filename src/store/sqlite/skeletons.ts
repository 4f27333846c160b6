/**
 * Forms: what the texts of resources of one making have in common. A device-born resource is stored as the values that fill
 * the holes of its form; its text is put together again on read, byte for byte.
 */
import { instant } from '../../base/clock.ts';
import { joinResource } from '../../fhir/text.ts';
import type { Draft, Skeleton } from '../store.ts';
import { type Dictionary, FORM } from './dictionary.ts';
import { memo } from './memo.ts';

/** Between the values of a row. Valid JSON text never holds it. */
const SEPARATOR = '\x1f';
/** A skeleton that comes with ever new members of meta is stored as text instead. */
const METAS_PER_SKELETON_MAX = 64;

interface Form {
  readonly meta: string;
  readonly parts: readonly string[];
}

/** How a body is stored: with a form, or (form 0) as it is, with the rest of meta before it. */
export interface StoredBody {
  readonly form: number;
  readonly body: string;
}

function interleave(parts: readonly string[], values: readonly string[]): string {
  let text = parts[0] ?? '';
  for (let i = 0; i < values.length; i++) text += (values[i] as string) + (parts[i + 1] as string);
  return text;
}

export class Skeletons {
  readonly #dict: Dictionary;
  readonly #forms = new Map<number, Form>();
  #numbers = new WeakMap<Skeleton, Map<string, number>>();

  constructor(dict: Dictionary) {
    this.#dict = dict;
    dict.onDefinition((definition) => {
      // Numbers that were never written are given out again.
      if (definition !== undefined) return;
      this.#forms.clear();
      this.#numbers = new WeakMap();
    });
  }

  store(draft: Draft): StoredBody {
    const { body, meta } = draft;
    if (typeof body === 'string') return { form: 0, body: meta + '}' + body };
    const { skeleton, values } = body;
    if (skeleton.parts.length !== values.length + 1)
      throw new Error(`skeleton ${skeleton.key} has ${skeleton.parts.length - 1} holes, not ${values.length}`);
    const joined = values.join(SEPARATOR);
    if (values.length === 0 || values.some((v) => v.includes(SEPARATOR)))
      return { form: 0, body: meta + '}' + interleave(skeleton.parts, values) };
    const form = this.#number(skeleton, meta);
    return form === 0 ? { form, body: meta + '}' + interleave(skeleton.parts, values) } : { form, body: joined };
  }

  #number(skeleton: Skeleton, meta: string): number {
    const byMeta = memo(this.#numbers, skeleton, () => new Map<string, number>());
    let number = byMeta.get(meta);
    if (number === undefined) {
      if (byMeta.size >= METAS_PER_SKELETON_MAX) return 0;
      // The text is the identity, not the key: two skeletons of one key never share a row.
      number = this.#dict.id(FORM, JSON.stringify([meta, ...skeleton.parts]));
      byMeta.set(meta, number);
    }
    return number;
  }

  #form(number: number): Form {
    let form = this.#forms.get(number);
    if (!form) {
      const [meta = '', ...parts] = JSON.parse(this.#dict.text(FORM, number)) as string[];
      form = { meta, parts };
      this.#forms.set(number, form);
    }
    return form;
  }

  render(type: string, id: string, version: number, updated: number, stored: StoredBody): string {
    if (stored.form === 0) {
      const head = `{"resourceType":"${type}","id":"${id}","meta":{"versionId":"${version}","lastUpdated":"${instant(updated)}"`;
      return head + stored.body;
    }
    const { meta, parts } = this.#form(stored.form);
    return joinResource(type, id, version, instant(updated), meta, interleave(parts, stored.body.split(SEPARATOR)));
  }
}
