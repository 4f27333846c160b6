import type { Adapter } from '../adapter.ts';
import { readings } from './readings/decode.ts';

const ADAPTERS: ReadonlyMap<string, Adapter> = new Map([[readings.name, readings]]);

export const adapter = (name: string): Adapter | undefined => ADAPTERS.get(name);
