/** Canonical readings: the message is the measurement. */
import type { Adapter } from '../../adapter.ts';
import { checkReading, isIssue } from '../../wire.ts';

export const readings: Adapter = {
  name: 'readings',
  version: '1',
  list: 'readings',
  decode(message, source) {
    const found = checkReading(message, source);
    return isIssue(found) ? found : [found];
  },
};
