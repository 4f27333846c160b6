import { storeContract } from '../../contract/store.ts';
import { openTemporary } from './support.ts';

storeContract('sqlite', () => openTemporary());
storeContract('sqlite, merging all the time', () => openTemporary({ indexRowsPerMergeMin: 5 }));
