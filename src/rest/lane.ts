/**
 * One after the other for writers of the same resource in this process: a plain update without If-Match wins over the one
 * before it instead of failing because both were decided on the same version. Between processes the store's version check holds.
 */
const tails = new WeakMap<object, Map<string, Promise<unknown>>>();

/** `owner` is what the lanes belong to (a context); `key` names the resource. */
export async function inLane<T>(owner: object, key: string, work: () => Promise<T>): Promise<T> {
  let lanes = tails.get(owner);
  if (!lanes) {
    lanes = new Map();
    tails.set(owner, lanes);
  }
  const before = lanes.get(key);
  const mine = before ? before.then(work, work) : work();
  lanes.set(key, mine);
  try {
    return await mine;
  } finally {
    if (lanes.get(key) === mine) lanes.delete(key);
  }
}
