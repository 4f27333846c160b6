/**
 * No query of an EHR examines more than three times the documents that it returns. What the engine sends is recorded and
 * explained. The planner is that of the database under test: elsewhere than on MongoDB it says that there is an index for it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { AggregateOptions, Collection, Document, FindOptions } from 'mongodb';
import { limits } from '../../../src/base/limits.ts';
import { ALL, type Filter } from '../../../src/search/plan.ts';
import { parseQuery } from '../../../src/search/query.ts';
import { type Connection, connect } from '../../../src/store/mongo/connection.ts';
import { Finder } from '../../../src/store/mongo/search.ts';
import { accessTo, BASE, committed, writeOf } from '../../contract/support.ts';
import { newDatabase, noMongo } from '../../support/mongo.ts';
import { openAt } from './support.ts';

const PATIENTS = 20;
const CODES = ['8867-4', '59408-5', '9279-1', '8310-5', '85354-9'];
const READINGS = 20;
const EXAMINED_PER_RETURNED_MAX = 3;
const START = Date.UTC(2026, 0, 1);

/** Readings of all patients and codes, in no order of time. */
function readings(): string[] {
  const all: string[] = [];
  for (let n = 0; n < PATIENTS * CODES.length * READINGS; n++) {
    const mixed = (n * 7919) % (PATIENTS * CODES.length * READINGS);
    const [patient, code, i] = [
      mixed % PATIENTS,
      Math.floor(mixed / PATIENTS) % CODES.length,
      Math.floor(mixed / (PATIENTS * CODES.length)),
    ];
    all.push(
      JSON.stringify({
        resourceType: 'Observation',
        status: 'final',
        category: [
          { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
        ],
        code: { coding: [{ system: 'http://loinc.org', code: CODES[code] }] },
        subject: { reference: `Patient/p${patient}` },
        device: { reference: `Device/d${patient}` },
        effectiveDateTime: new Date(START + ((i * 37) % READINGS) * 3_600_000 + n).toISOString(),
        valueQuantity: { value: 60 + (n % 40), unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
      }),
    );
  }
  return all;
}

const patients = (): string[] =>
  Array.from({ length: PATIENTS }, (_, i) =>
    JSON.stringify({
      resourceType: 'Patient',
      identifier: [{ system: 'urn:mrn', value: `mrn-${i}` }],
      name: [{ family: `Family${String.fromCharCode(65 + i)}`, given: ['Ann'] }],
    }),
  );

interface Sent {
  readonly explain: () => Promise<Document>;
}

/** Passes on what is asked of a collection, and keeps it. */
function recorded(of: Collection<never>, sent: Sent[]): Collection<never> {
  return new Proxy(of, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name === 'find')
        return (filter: Document, options: FindOptions) => {
          sent.push({ explain: () => target.find(filter as never, options).explain('executionStats') });
          return target.find(filter as never, options);
        };
      if (name === 'aggregate')
        return (stages: Document[], options: AggregateOptions) => {
          sent.push({ explain: () => target.aggregate(stages, options).explain('executionStats') });
          return target.aggregate(stages, options);
        };
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The connection, with the collections that are searched recorded. */
function listenedTo(db: Connection, sent: Sent[]): Connection {
  return new Proxy(db, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name === 'resources' || name === 'changes') return recorded(value as never, sent);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Of the whole answer, wherever the server puts it. */
function statistics(explained: Document): { examined: number; returned: number } {
  const found = explained['executionStats'] ?? explained['stages']?.[0]?.['$cursor']?.['executionStats'];
  assert.ok(found, `no executionStats in ${JSON.stringify(explained).slice(0, 300)}`);
  return { examined: found['totalDocsExamined'], returned: found['nReturned'] };
}

const OWN: Filter = { op: 'reference', param: 'patient', type: 'Patient', id: 'p3' };
/** Type, query, access. The first four are the bench's (W5, W6, W7). */
const ASKED: readonly (readonly [string, string, Filter?])[] = [
  ['Observation', 'patient=Patient/p3&code=http://loinc.org|8867-4&_sort=-date&_count=1'],
  ['Observation', 'patient=Patient/p3&date=ge2026-01-01T04:00:00Z&date=lt2026-01-01T09:00:00Z&_count=50'],
  ['Patient', '_id=p3&_count=1'],
  ['Observation', 'patient=Patient/p3&_sort=-date&_count=10'],
  ['Observation', 'patient=Patient/p3&code=http://loinc.org|8867-4,http://loinc.org|8310-5&_count=20'],
  ['Observation', 'patient=Patient/p3&code=8867-4&date=ge2026-01-01T10:00:00Z&_count=20'],
  ['Observation', 'subject=Patient/p3&code=8867-4&_count=5'],
  ['Observation', 'patient=p3&category=vital-signs&_count=20'],
  ['Observation', 'code=http://loinc.org|8867-4&_count=5'],
  ['Observation', 'device=Device/d3&_sort=-date&_count=5'],
  ['Observation', '_sort=-_lastUpdated&_count=5'],
  ['Observation', '_count=5'],
  ['Observation', 'code=http://loinc.org|8867-4&_sort=-date&_count=1', OWN],
  ['Observation', '_sort=-date&_count=10', OWN],
  ['Patient', 'identifier=urn:mrn|mrn-7'],
  ['Patient', 'family=FamilyC'],
];

describe('MongoDB: documents examined', { skip: noMongo }, () => {
  let db: Connection;
  let finder: Finder;
  const sent: Sent[] = [];
  before(async () => {
    const uri = await newDatabase();
    const store = await openAt(uri);
    const writes = [
      ...patients().map((text, i) => writeOf(text, `p${i}`, 0)),
      ...readings().map((text) => writeOf(text, store.newId(), 0)),
    ];
    for (let i = 0; i < writes.length; i += 500) await committed(store, { writes: writes.slice(i, i + 500) });
    await store.close();
    db = await connect(uri);
    finder = new Finder(listenedTo(db, sent), limits, BASE);
    await finder.loadSpans();
  });
  after(() => db?.close());

  async function ask(type: string, query: string, own: Filter = ALL): Promise<number> {
    const access = accessTo(type, own);
    const options = { base: BASE, limits, strict: true, secret: new Uint8Array(32), binding: '', accessFor: accessTo };
    const { plan } = parseQuery(type, query, options);
    sent.length = 0;
    let page = await finder.search(plan, access);
    const found = page.entries.length;
    // A second page is asked for in another way.
    if (page.next) page = await finder.search({ ...plan, cursor: page.next }, access);
    for (const { explain } of sent) {
      const { examined, returned } = statistics(await explain());
      assert.ok(
        examined <= EXAMINED_PER_RETURNED_MAX * Math.max(1, returned),
        `${type}?${query}: ${examined} examined for ${returned} returned`,
      );
    }
    return found;
  }

  for (const [type, query, own] of ASKED)
    test(`${type}?${query}${own ? ' of one patient only' : ''}`, async () => {
      assert.ok((await ask(type, query, own)) > 0, 'something is found');
      assert.ok(sent.length > 0);
    });
});
