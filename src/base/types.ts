/** A value now, or a promise of it: the embedded store answers at once, MongoDB later. Callers always `await`. */
export type MaybePromise<T> = T | Promise<T>;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
