/**
 * What every store engine must do, whatever it is made of: `storeContract(name, open)` in a test file of each engine. A case that
 * an engine cannot meet is left out by name in its own file, with the reason printed.
 */
import { changesContract } from './changes.ts';
import { conditionsContract } from './conditions.ts';
import { documentsContract } from './documents.ts';
import { historyContract } from './history.ts';
import type { OpenStore } from './support.ts';
import { textsContract } from './texts.ts';
import { walksContract } from './walks.ts';
import { writesContract } from './writes.ts';

export type { OpenStore } from './support.ts';

export function storeContract(name: string, open: OpenStore): void {
  writesContract(name, open);
  conditionsContract(name, open);
  textsContract(name, open);
  historyContract(name, open);
  walksContract(name, open);
  changesContract(name, open);
  documentsContract(name, open);
}
