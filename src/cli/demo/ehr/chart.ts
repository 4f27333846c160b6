/** The latest of every measurement of one patient, as an EHR keeps it, and what it knows about the feed. */
import type { CodeableConcept, Observation } from 'fhir/r4';
import { type NotifiedEvent, numberText } from './notification.ts';

export interface Row {
  readonly key: string;
  readonly label: string;
  readonly value: string;
  readonly unit: string;
  /** When it was measured, ISO 8601; empty while there is none. */
  readonly at: string;
  /** Values of the last measurements, oldest first. */
  readonly trend: readonly number[];
}

export interface Feed {
  /** Status of the Subscription. */
  readonly status: string;
  readonly lastEvent: number;
  readonly repeated: number;
  readonly missing: readonly number[];
}

const LOINC = 'http://loinc.org';
const TREND_POINTS = 40;

/** LOINC code → what it is called at the bedside, in the order of the page. */
export const MEASUREMENTS: readonly { code: string; label: string }[] = [
  { code: '59408-5', label: 'Oxygen saturation' },
  { code: '8867-4', label: 'Pulse' },
  { code: '9279-1', label: 'Respiratory rate' },
  { code: '85354-9', label: 'Blood pressure' },
  { code: '8310-5', label: 'Temperature' },
  { code: '61006-3', label: 'Perfusion index' },
  { code: '19935-6', label: 'Peak flow' },
  { code: '20150-9', label: 'FEV1' },
  { code: '19870-5', label: 'FVC' },
  { code: '19926-5', label: 'FEV1/FVC' },
];
const UNITS: Readonly<Record<string, string>> = { Cel: '°C', 'mm[Hg]': 'mmHg', '/min': '/min' };

const has = (concept: CodeableConcept | undefined, code: string): boolean =>
  concept?.coding?.some((c) => c.system === LOINC && c.code === code) ?? false;

interface Shown {
  readonly value: string;
  readonly unit: string;
  readonly number: number;
}

function shown(o: Observation): Shown | undefined {
  const unitOf = (code: string | undefined, unit: string | undefined): string =>
    UNITS[code ?? ''] ?? unit ?? code ?? '';
  if (o.valueQuantity) {
    const value = numberText(o.valueQuantity.value);
    return { value, unit: unitOf(o.valueQuantity.code, o.valueQuantity.unit), number: Number(value) };
  }
  const part = (code: string) => o.component?.find((c) => has(c.code, code))?.valueQuantity;
  const [systolic, diastolic] = [part('8480-6'), part('8462-4')];
  if (!systolic || !diastolic) return undefined;
  const value = `${numberText(systolic.value)}/${numberText(diastolic.value)}`;
  return { value, unit: unitOf(systolic.code, systolic.unit), number: Number(numberText(systolic.value)) };
}

export class Chart {
  #rows = new Map<string, Row>(
    MEASUREMENTS.map(({ code, label }) => [code, { key: code, label, value: '', unit: '', at: '', trend: [] }]),
  );
  #status = 'requested';
  #last = 0;
  #repeated = 0;
  #missing = new Set<number>();

  /**
   * Takes an event in. Delivery is at least once: a repetition is told apart by its number, and so is a gap.
   * @returns false for an event that is already here
   */
  take(event: NotifiedEvent): boolean {
    const gapFilled = this.#missing.delete(event.number);
    if (!gapFilled && event.number <= this.#last) {
      this.#repeated++;
      return false;
    }
    this.expect(event.number - 1);
    this.#last = Math.max(this.#last, event.number);
    if (event.observation) this.#show(event.observation);
    return true;
  }

  /** The server says that there are this many events: what is not here is missing. */
  expect(total: number): void {
    for (let n = this.#last + 1; n <= total; n++) this.#missing.add(n);
    this.#last = Math.max(this.#last, total);
  }

  /** A repetition may come late, and a reading may be older than what is shown: the newest measurement stays. */
  #show(observation: Observation): void {
    const found = MEASUREMENTS.find(({ code }) => has(observation.code, code));
    const now = shown(observation);
    const at = observation.effectiveDateTime ?? '';
    const row = found && this.#rows.get(found.code);
    if (!row || !now || (row.at !== '' && Date.parse(at) < Date.parse(row.at))) return;
    this.#rows.set(row.key, {
      ...row,
      value: now.value,
      unit: now.unit,
      at,
      trend: [...row.trend, now.number].slice(-TREND_POINTS),
    });
  }

  set status(status: string) {
    this.#status = status;
  }

  get feed(): Feed {
    return { status: this.#status, lastEvent: this.#last, repeated: this.#repeated, missing: [...this.#missing] };
  }

  get rows(): readonly Row[] {
    return [...this.#rows.values()];
  }
}
