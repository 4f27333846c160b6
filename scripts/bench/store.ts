/**
 * What the embedded store costs by itself: `node scripts/bench/store.ts [observations] [folder]`.
 * Device-born Observations of 10,000 patients in shuffled order, batches of 100, four batches in flight; then single commits,
 * 64 in flight; then the questions an EHR asks. Prints one JSON line a step; a million take some 30 s.
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import { silentLogger } from '../../src/base/log.ts';
import type { Terms, TokenTerm } from '../../src/fhir/terms.ts';
import { type AccessFilter, ALL, and, type Filter, type Plan } from '../../src/search/plan.ts';
import { openSqliteStore } from '../../src/store/sqlite/index.ts';
import type { Skeleton, Store, Write } from '../../src/store/store.ts';

const TOTAL = Number(process.argv[2] ?? 1_000_000);
const PATIENTS = 10_000;
const BATCH = 100;
const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';
const KINDS = [
  ['8867-4', '/min', 60, 100, 0],
  ['59408-5', '%', 88, 100, 0],
  ['9279-1', '/min', 10, 25, 0],
  ['8310-5', 'Cel', 35, 40, 2],
  ['8480-6', 'mm[Hg]', 95, 180, 0],
  ['8462-4', 'mm[Hg]', 55, 110, 0],
] as const;

const dir = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'vitalwire-bench-'));
const store = await openSqliteStore({ dir, clock: systemClock, limits, log: silentLogger, base: 'http://bench/fhir' });
const patients = Array.from({ length: PATIENTS }, () => store.newId());
const devices = Array.from({ length: PATIENTS }, () => store.newId());

const kinds = KINDS.map(([code, unit, low, high, digits]) => {
  const coding = `[{"system":"${LOINC}","code":"${code}"}]`;
  const skeleton: Skeleton = {
    key: code,
    parts: [
      `,"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],"code":{"coding":${coding}},"subject":{"reference":"Patient/`,
      '"},"effectiveDateTime":"',
      '","device":{"reference":"Device/',
      `"},"valueQuantity":{"value":`,
      `,"unit":"${unit}","system":"${UCUM}","code":"${unit}"}}`,
    ],
  };
  const token: TokenTerm[] = [
    { param: 'status', system: '', code: 'final' },
    { param: 'category', system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' },
    { param: 'code', system: LOINC, code },
    { param: 'combo-code', system: LOINC, code },
  ];
  return { code, unit, low, high, digits, skeleton, token: Object.freeze(token) };
});

let made = 0;
let clockMs = Date.UTC(2026, 0, 1);
const NONE = { string: [], number: [], uri: [], composite: [] };

function write(rawKey: string, index: number): Write {
  const kind = kinds[made % kinds.length] as (typeof kinds)[number];
  const nth = randomInt(PATIENTS);
  const [patient, device] = [patients[nth] as string, devices[nth] as string];
  clockMs += 100;
  const at = clockMs - randomInt(60_000);
  const date = Math.floor(at / 1000) * 1000;
  const number = kind.low + Math.random() * (kind.high - kind.low);
  const value = number.toFixed(kind.digits);
  const quantity = { value: Number(value), system: UCUM, code: kind.unit, unit: kind.unit };
  const terms: Terms = {
    ...NONE,
    token: kind.token,
    date: [{ param: 'date', low: date, high: date + 1000 }],
    quantity: [
      { param: 'value-quantity', ...quantity },
      { param: 'combo-value-quantity', ...quantity },
    ],
    reference: [
      { param: 'subject', type: 'Patient', id: patient },
      { param: 'patient', type: 'Patient', id: patient },
      { param: 'device', type: 'Device', id: device },
    ],
  };
  const values = [patient, new Date(date).toISOString().replace('.000', ''), device, value];
  const id = store.newId();
  const meta = ',"profile":["http://hl7.org/fhir/StructureDefinition/vitalsigns"]';
  return {
    method: 'POST',
    draft: { type: 'Observation', id, meta, body: { skeleton: kind.skeleton, values } },
    terms,
    follows: 0,
    key: `${device}|${made++}`,
    keyNote: 'k7f3a9c2',
    origin: `raw/${rawKey}#${index}`,
  };
}

const written = (): number => Number(/wchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
const bytes = (): number => statSync(join(dir, 'vitalwire.db')).size;
const say = (step: string, numbers: Record<string, number>): void =>
  console.log(
    JSON.stringify({
      step,
      ...Object.fromEntries(Object.entries(numbers).map(([k, v]) => [k, Math.round(v * 100) / 100])),
    }),
  );

async function load(step: string, count: number, size: number, inFlight: number): Promise<void> {
  const start = { ms: Date.now(), cpu: process.cpuUsage(), thread: process.threadCpuUsage(), written: written() };
  let left = count / size;
  let making = 0;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const before = process.threadCpuUsage();
      const writes = Array.from({ length: size }, (_, i) => write('0mkd83jd8s0000abcdef12', i));
      const after = process.threadCpuUsage(before);
      making += after.user + after.system;
      const done = await store.commit({ writes });
      if (!done.ok) throw new Error(JSON.stringify(done.refusal));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const cpu = process.cpuUsage(start.cpu);
  const thread = process.threadCpuUsage(start.thread);
  const main = thread.user + thread.system - making;
  const ms = Date.now() - start.ms;
  say(step, {
    observations: made,
    perSecond: (count / ms) * 1000,
    mainMicros: main / count,
    writerMicros: (cpu.user + cpu.system - (thread.user + thread.system)) / count,
    bytesWritten: (written() - start.written) / count,
    bytesStored: bytes() / made,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
  });
}

const access = (type: string): AccessFilter => ({ type, filter: ALL }) as unknown as AccessFilter;
const plan = (filter: Filter, more: Partial<Plan>): Plan => ({
  type: 'Observation',
  filter,
  sort: [],
  count: 50,
  total: false,
  ...more,
});
const ofPatient = (id: string): Filter => ({ op: 'reference', param: 'patient', type: 'Patient', id });
const ofCode = (code: string): Filter => ({ op: 'token', param: 'code', system: LOINC, code });
const since = (low: number): Filter => ({ op: 'date', param: 'date', comparator: 'ge', low, high: low + 1000 });

const questions: Record<string, (patient: string) => ReturnType<Store['search']>> = {
  'latest of one code': (p) =>
    store.search(plan(and(ofPatient(p), ofCode('8867-4')), { count: 1 }), access('Observation')),
  '50 of the last 24 h': (p) =>
    store.search(
      plan(and(ofPatient(p), { op: 'token', param: 'category', code: 'vital-signs' }, since(clockMs - 86_400_000)), {}),
      access('Observation'),
    ),
  '50 newest of a patient': (p) => store.search(plan(ofPatient(p), {}), access('Observation')),
  '50 newest of all': () => store.search(plan(ALL, {}), access('Observation')),
  '50 newest of a device': () => {
    const id = devices[randomInt(PATIENTS)] as string;
    return store.search(plan({ op: 'reference', param: 'device', type: 'Device', id }, {}), access('Observation'));
  },
};

async function ask(): Promise<void> {
  for (const [name, question] of Object.entries(questions)) {
    const micros: number[] = [];
    let entries = 0;
    for (let i = 0; i < 1_500; i++) {
      const p = patients[randomInt(PATIENTS)] as string;
      const start = process.hrtime.bigint();
      const page = await question(p);
      if (i >= 500) micros.push(Number(process.hrtime.bigint() - start) / 1000);
      entries += page.entries.length;
      if (i % 100 === 0) await turn();
    }
    micros.sort((a, b) => a - b);
    say(name, { observations: made, p50: micros[500] as number, p99: micros[990] as number, entries: entries / 1_500 });
  }
}

const first = Math.min(100_000, TOTAL);
await load('batches of 100', first, BATCH, 4);
await ask();
for (let to = first; to < TOTAL; to += 300_000) await load('batches of 100', Math.min(300_000, TOTAL - to), BATCH, 4);
if (TOTAL > first) await ask();
await load('single, 64 in flight', 20_000, 1, 64);
await load('single, 1 in flight', 500, 1, 1);
await store.close();
const start = Date.now();
const again = await openSqliteStore({ dir, clock: systemClock, limits, log: silentLogger, base: 'http://bench/fhir' });
await again.search(plan(ALL, { count: 1 }), access('Observation'));
say('open again', { ms: Date.now() - start, bytesStored: bytes() / made });
await again.close();
rmSync(dir, { recursive: true, force: true });
