/**
 * One after the other for writers of the same resource in this process: a plain update without If-Match wins over the one
 * before it instead of failing because both were decided on the same version. Between processes the store's version check holds.
 */
const tails = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
 * Runs the work when all that was begun before it in any of these lanes is done. All lanes are entered at once, so no two
 * works can wait for each other.
 * @param owner what the lanes belong to (a context).
 * @param keys names of resources, or conditions that find them.
 */
export async function inLanes<T>(owner: object, keys: readonly string[], work: () => Promise<T>): Promise<T> {
  let lanes = tails.get(owner);
  if (!lanes) {
    lanes = new Map();
    tails.set(owner, lanes);
  }
  const before = new Set(keys.flatMap((key) => lanes.get(key) ?? []));
  const mine = before.size === 0 ? work() : Promise.allSettled(before).then(work);
  for (const key of keys) lanes.set(key, mine);
  try {
    return await mine;
  } finally {
    for (const key of keys) if (lanes.get(key) === mine) lanes.delete(key);
  }
}
