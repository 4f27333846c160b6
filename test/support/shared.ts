/** Real input that lies beside a checkout for those who have it. A test that needs an absent file skips and names it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../../shared/data');

/** Path of a file or folder of the shared data, or undefined when it is absent. */
export function sharedData(name: string): string | undefined {
  const path = join(folder, name);
  return existsSync(path) ? path : undefined;
}

/** The message of a skipped test. */
export const absent = (name: string): string => `shared data ${name} is absent`;
