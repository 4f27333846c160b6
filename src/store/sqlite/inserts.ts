/** New rows that are appended, or nearly so, gathered over the batches of a group. */
import { Bulk } from './bulk.ts';
import type { Connection } from './connection.ts';

export class Inserts {
  readonly resource: Bulk;
  readonly change: Bulk;
  readonly byClass: Bulk;

  constructor(db: Connection) {
    this.resource = new Bulk(db, 'INSERT INTO resource', 14);
    this.change = new Bulk(db, 'INSERT INTO change', 6);
    this.byClass = new Bulk(db, 'INSERT INTO by_class', 5);
  }

  /** Before any of these tables is read or changed in another way, and at the end. */
  flush(): void {
    this.resource.flush();
    this.change.flush();
    this.byClass.flush();
  }

  drop(): void {
    this.resource.drop();
    this.change.drop();
    this.byClass.drop();
  }
}
