/** What a map has for a key, made and kept when it has nothing. */
interface Keeps<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}
export function memo<K, V extends NonNullable<unknown>>(map: Keeps<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
