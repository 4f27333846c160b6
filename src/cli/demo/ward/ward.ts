/** Three patients, twelve devices: time passes quickly in the bodies, and each device measures in its own rhythm. */
import type { Clock } from '../../../base/clock.ts';
import { instant } from '../../../base/clock.ts';
import { DEVICES, type DeviceType, PATIENTS, type WardDevice, type WardPatient } from './patients.ts';
import { type Body, createBody } from './physiology.ts';
import { type Random, seededRandom } from './random.ts';
import { measure, type Reading } from './readings.ts';
import { blow } from './spirometry.ts';

export interface Message {
  readonly device: WardDevice;
  readonly readings: readonly Reading[];
}

export interface Ward {
  /** From now on devices measure. */
  start(): void;
  stop(): void;
}

/** Milliseconds between two measurements of a device; in the body ten minutes pass each second. */
const PERIOD_MS: Readonly<Record<DeviceType, number>> = {
  oximeter: 1_500,
  thermometer: 2_200,
  cuff: 4_100,
  spirometer: 6_300,
};
const BODY_MINUTES_PER_MS = 10 / 1000;
const TICK_MS = 50;
const START_HOUR = 13;

interface Bed {
  readonly patient: WardPatient;
  readonly body: Body;
  readonly random: Random;
}

export interface WardOptions {
  readonly clock: Clock;
  readonly seed: number;
  /** Begins the ids of readings: another run is other readings. */
  readonly run: string;
  measured(message: Message): void;
}

export function createWard({ clock, seed, run, measured }: WardOptions): Ward {
  const beds: Bed[] = PATIENTS.map((patient, i) => {
    const random = seededRandom(seed + 7919 * i);
    return { patient, random, body: createBody(patient.constitution, random, START_HOUR) };
  });
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  // Spread over the period, so that devices do not speak in chorus.
  const due = DEVICES.map((device, i) => ({ device, after: (PERIOD_MS[device.type] * ((i * 5) % 12)) / 12 }));

  function tick(): void {
    for (const { body } of beds) body.live(TICK_MS * BODY_MINUTES_PER_MS);
    for (const next of due) {
      next.after -= TICK_MS;
      if (next.after > 0) continue;
      next.after += PERIOD_MS[next.device.type];
      const bed = beds.find((b) => b.patient === next.device.patient) as Bed;
      const sources = { vitals: () => bed.body.now(), blow: () => blow(bed.patient.lungs, bed.random) };
      const record = `${run}-${++count}`;
      measured({ device: next.device, readings: measure(next.device, sources, record, instant(clock.now())) });
    }
  }
  return {
    start() {
      timer = setInterval(tick, TICK_MS);
    },
    stop: () => clearInterval(timer),
  };
}
