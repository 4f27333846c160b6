/** One ICU monitor as readings: the real file when it is there, else a generated one of the same shape. 0 and empty are no signal. */
import { readFileSync } from 'node:fs';

export const SERIAL = 'urn:example:monitor:serial';
const START = Date.parse('2026-11-20T00:00:00Z');

export interface Reading {
  readonly id: string;
  readonly device: { readonly identifier: readonly { readonly system: string; readonly value: string }[] };
  readonly kind: string;
  readonly time: string;
  readonly value?: string;
  readonly unit?: string;
  readonly components?: readonly { readonly kind: string; readonly value: string; readonly unit: string }[];
}

/** The modules of the monitor, each a device of its own. */
export const MODULES = ['ecg', 'art', 'spo2', 'nibp'] as const;

interface Row {
  readonly [column: string]: string;
}

export function parseCsv(text: string): Row[] {
  const [head, ...lines] = text.trim().split(/\r?\n/);
  const names = head?.split(',') ?? [];
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i] as string, cell])));
}

/** Minutes of a plausible patient, with gaps of no signal, in the columns and decimals of the real file. Same seed, same rows. */
export function generatedRows(minutes: number): Row[] {
  let state = 20_260_101;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  let heart = 74;
  let saturation = 96.5;
  return Array.from({ length: minutes }, (_, minute) => {
    heart = Math.min(120, Math.max(50, heart + (random() - 0.5) * 3));
    saturation = Math.min(100, Math.max(88, saturation + (random() - 0.5)));
    const off = minute % 40 > 36;
    const cuff = minute % 15 === 0;
    const systolic = 118 + Math.round(random() * 20);
    return {
      minute: String(minute),
      HR: off ? '0' : heart.toFixed(1),
      ABPSys: '0',
      ABPDias: '0',
      ABPMean: '0',
      PULSE: off ? '0' : (heart + 0.4).toFixed(1),
      RESP: (14 + random() * 6).toFixed(1),
      SpO2: off ? '' : saturation.toFixed(1),
      NBPSys: cuff ? String(systolic) : '',
      NBPDias: cuff ? String(systolic - 45) : '',
      NBPMean: cuff ? String(systolic - 30) : '',
    };
  });
}

const signal = (cell: string | undefined): cell is string => cell !== undefined && cell !== '' && Number(cell) !== 0;

/** What the monitor says in one row. A pressure with one part alive is one reading, its dead parts sent as the 0 they show. */
export function readingsOf(row: Row): Reading[] {
  const minute = Number(row['minute']);
  const time = new Date(START + minute * 60_000).toISOString();
  const found: Reading[] = [];
  const add = (module: string, kind: string, more: Partial<Reading>): void => {
    found.push({
      id: `${minute}-${kind}`,
      device: { identifier: [{ system: SERIAL, value: module }] },
      kind,
      time,
      ...more,
    });
  };
  const single = (module: string, kind: string, cell: string | undefined, unit: string): void => {
    if (signal(cell)) add(module, kind, { value: cell, unit });
  };
  const pressure = (module: string, kind: string, prefix: string): void => {
    const cells = ['Sys', 'Dias', 'Mean'].map((part) => row[prefix + part] ?? '');
    if (!cells.some(signal)) return;
    const components = ['systolic', 'diastolic', 'mean'].map((part, i) => ({
      kind: part,
      value: cells[i] || '0',
      unit: 'mm[Hg]',
    }));
    add(module, kind, { components });
  };
  single('ecg', 'heart-rate', row['HR'], '/min');
  single('ecg', 'respiratory-rate', row['RESP'], '/min');
  pressure('art', 'arterial-pressure', 'ABP');
  single('spo2', 'pulse-rate', row['PULSE'], '/min');
  single('spo2', 'oxygen-saturation', row['SpO2'], '%');
  pressure('nibp', 'blood-pressure', 'NBP');
  return found;
}

export function monitorRows(path: string | undefined, minutesWithout: number): Row[] {
  return path === undefined ? generatedRows(minutesWithout) : parseCsv(readFileSync(path, 'utf8'));
}
