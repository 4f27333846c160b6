/** SQL = memory. The bounds are low in turn, so that few resources take the ways that many would take. */
import { searchContract } from '../../contract/search.ts';
import { openTemporary } from './support.ts';

searchContract('sqlite', () => openTemporary());
searchContract('sqlite, merging all the time', () => openTemporary({ indexRowsPerMergeMin: 7 }));
searchContract('sqlite, along the indexes', () => openTemporary({ listedEntriesMax: 0, indexRowsPerMergeMin: 25 }));
searchContract('sqlite, sets instead of texts', () => openTemporary({ listedEntriesMax: 0, textsPerSearchMax: 0 }));
searchContract('sqlite, too many classes', () => openTemporary({ classesPerTypeMax: 2 }));
