/** The request as it came, kept once for all its messages; an Observation's origin is `raw/<key>#<index>`. */
import type { DocWrite, Store } from '../store/store.ts';

const RAW = 'raw';

export interface RawHead {
  readonly adapter: string;
  readonly version: string;
  /** Client that sent it. */
  readonly gateway: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly media: string;
}

/** One line of JSON, then the body byte for byte: nothing is escaped, so it costs nothing. */
export const rawDoc = (key: string, head: RawHead, text: string): DocWrite => ({
  op: 'put',
  doc: { collection: RAW, key, body: `${JSON.stringify(head)}\n${text}` },
});

export const originOf = (key: string, index: number): string => `${RAW}/${key}#${index}`;

export interface Raw {
  readonly key: string;
  readonly index: number;
  readonly head: RawHead;
  readonly text: string;
}

export async function readRaw(store: Store, origin: string): Promise<Raw | undefined> {
  const [, key, index] = /^raw\/([^#]+)#(\d+)$/.exec(origin) ?? [];
  if (key === undefined) return undefined;
  const doc = await store.doc(RAW, key);
  if (!doc) return undefined;
  const end = doc.body.indexOf('\n');
  return {
    key,
    index: Number(index),
    head: JSON.parse(doc.body.slice(0, end)) as RawHead,
    text: doc.body.slice(end + 1),
  };
}
