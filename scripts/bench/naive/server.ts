/**
 * The common design, kept honest and small: express.json, one generic attribute table with a row a term, a parse and a stringify
 * on every read, one transaction a request, a linear scan of all subscriptions. It takes the terms from our own extractor, which
 * is faster than the FHIRPath engine that such servers use. No login, no validation, no duplicate check, no change log.
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import express from 'express';
import { extract } from '../../../src/fhir/extract.ts';

const BASE = 'http://localhost/fhir';

type Resource = Record<string, unknown> & { resourceType: string; id: string };

const db = new DatabaseSync(process.argv[2] as string);
db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;
  CREATE TABLE IF NOT EXISTS resource(id TEXT PRIMARY KEY, type TEXT NOT NULL, body TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS attribute(resource TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS attribute_value ON attribute(name, value);
  CREATE INDEX IF NOT EXISTS attribute_resource ON attribute(resource, name, value);`);
const insertResource = db.prepare('INSERT OR REPLACE INTO resource VALUES (?, ?, ?)');
const insertAttribute = db.prepare('INSERT INTO attribute VALUES (?, ?, ?)');
const readResource = db.prepare('SELECT body FROM resource WHERE id = ?');
const subscriptions: { patient: string; endpoint: string }[] = [];

const reference = (value: unknown): string => (value as { reference?: string } | undefined)?.reference ?? '';

/** One row for each search parameter that has a value, but composites: the same searches are possible as on any FHIR server. */
function attributesOf(r: Resource): [string, string][] {
  const terms = extract(r, BASE);
  const list: [string, string][] = [['type', r.resourceType]];
  for (const t of terms.token) list.push([t.param, `${t.system}|${t.code}`]);
  for (const t of terms.reference) list.push([t.param, `${t.type}/${t.id}`]);
  for (const t of terms.date) list.push([t.param, new Date(t.low).toISOString()]);
  for (const t of terms.quantity) list.push([t.param, `${t.value}|${t.system}|${t.code}`]);
  for (const t of terms.string) list.push([t.param, t.folded]);
  return list;
}

function store(r: Resource): Resource {
  insertResource.run(`${r.resourceType}/${r.id}`, r.resourceType, JSON.stringify(r));
  for (const [name, value] of attributesOf(r)) insertAttribute.run(`${r.resourceType}/${r.id}`, name, value);
  return r;
}

let writes = 0;
function transaction<T>(work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  const result = work();
  db.exec('COMMIT');
  // The planner needs statistics, as an autovacuum would keep them.
  if (++writes % 50 === 0 && writes <= 500) db.exec('ANALYZE');
  return result;
}

function stamped(body: Record<string, unknown>): Resource {
  const meta = { ...(body['meta'] as object | undefined), versionId: '1', lastUpdated: new Date().toISOString() };
  return { ...body, id: randomUUID(), meta } as unknown as Resource;
}

function notify(resources: readonly Resource[]): void {
  for (const r of resources)
    for (const s of subscriptions)
      if (s.patient === reference(r['subject']))
        void fetch(s.endpoint, {
          method: 'POST',
          headers: { 'content-type': 'application/fhir+json' },
          body: JSON.stringify({ resourceType: 'Bundle', type: 'history', entry: [{ resource: r }] }),
        }).catch(() => {});
}

/** CROSS JOIN keeps the order, most selective first: left alone, the planner walks all dates for some statistics. */
function search(query: Record<string, string | string[] | undefined>): Resource[] {
  const conditions: string[] = [];
  const values: string[] = [];
  const where = (name: string, comparison: string, value: string): void => {
    const alias = `a${values.length}`;
    if (values.length > 0) conditions.push(`${alias}.resource = a0.resource`);
    conditions.push(`${alias}.name = '${name}' AND ${alias}.value ${comparison} ?`);
    values.push(value);
  };
  for (const name of ['patient', 'code', 'category', 'device', 'status']) {
    const value = query[name];
    if (typeof value === 'string') where(name, '=', value);
  }
  for (const date of [query['date'] ?? []].flat())
    where('date', date.startsWith('ge') ? '>=' : '<', new Date(date.slice(2)).toISOString());
  if (values.length === 0) where('type', '=', 'Observation');
  const tables = values.map((_, i) => `attribute a${i}`).join(' CROSS JOIN ');
  const sql = `SELECT d.resource AS id FROM ${tables} CROSS JOIN attribute d
    WHERE ${conditions.join(' AND ')} AND d.resource = a0.resource AND d.name = 'date'
    ORDER BY d.value DESC LIMIT ${Number(query['_count'] ?? 50)}`;
  return db
    .prepare(sql)
    .all(...values)
    .map((row) => JSON.parse((readResource.get((row as { id: string }).id) as { body: string }).body) as Resource);
}

const app = express();
app.use(express.json({ limit: '32mb', type: ['application/json', 'application/fhir+json'] }));

app.post('/fhir/Observation', (req, res) => {
  const resource = stamped(req.body as Record<string, unknown>);
  transaction(() => store(resource));
  notify([resource]);
  res.status(201).location(`/fhir/Observation/${resource.id}/_history/1`).json(resource);
});
app.post('/fhir', (req, res) => {
  const entries = (req.body as { entry: { resource: Record<string, unknown> }[] }).entry;
  const stored = transaction(() =>
    entries.map((e) => store(e.resource['id'] ? ({ ...e.resource } as unknown as Resource) : stamped(e.resource))),
  );
  notify(stored);
  res.json({
    resourceType: 'Bundle',
    type: 'transaction-response',
    entry: stored.map((r) => ({ response: { status: '201', location: `${r.resourceType}/${r.id}/_history/1` } })),
  });
});
app.post('/ingest/readings', (req, res) => {
  const { readings } = req.body as {
    readings: {
      device: { identifier: { value: string }[] };
      kind: string;
      time: string;
      value: string;
      unit: string;
    }[];
  };
  const stored = transaction(() =>
    readings.map((r) =>
      store(
        stamped({
          resourceType: 'Observation',
          status: 'final',
          category: [
            { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
          ],
          code: { coding: [{ system: 'urn:example:kind', code: r.kind }] },
          subject: { reference: `Patient/bench-p${r.device.identifier[0]?.value.slice(6)}` },
          device: { reference: `Device/bench-d${r.device.identifier[0]?.value.slice(6)}` },
          effectiveDateTime: r.time,
          valueQuantity: { value: Number(r.value), unit: r.unit, system: 'http://unitsofmeasure.org', code: r.unit },
        }),
      ),
    ),
  );
  notify(stored);
  res.json({ results: stored.map((r, index) => ({ index, status: 'stored', observation: [`Observation/${r.id}`] })) });
});
app.post('/subscribe', (req, res) => {
  subscriptions.push(req.body as { patient: string; endpoint: string });
  res.status(201).json({});
});
app.get('/fhir/Observation', (req, res) => {
  const found = search(req.query as Record<string, string | string[] | undefined>);
  res.json({
    resourceType: 'Bundle',
    type: 'searchset',
    entry: found.map((resource) => ({
      fullUrl: `/fhir/Observation/${resource.id}`,
      resource,
      search: { mode: 'match' },
    })),
  });
});
app.get('/fhir/:type/:id', (req, res) => {
  const row = readResource.get(`${req.params.type}/${req.params.id}`) as { body: string } | undefined;
  if (!row) return void res.status(404).json({});
  res.json(JSON.parse(row.body));
});
const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
process.on('SIGTERM', () => process.exit(0));
