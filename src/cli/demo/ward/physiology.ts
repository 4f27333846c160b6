/**
 * A simple body: what one organ does shows in the others. Activity drives breathing and heart, fever speeds both up, breathing
 * modulates the pulse, lack of oxygen is answered, and pressure follows the pulse and settles once the cuff is a habit.
 */
import { type Random, wanderer } from './random.ts';

export interface Constitution {
  /** °C above a healthy body at the start, and how fast it falls, °C an hour. */
  readonly fever: number;
  readonly feverFall: number;
  /** At rest and without fever, /min. */
  readonly restingPulse: number;
  readonly restingBreaths: number;
  /** % in air, at rest. */
  readonly saturation: number;
  /** Desaturation dips an hour, and how deep they are, %. */
  readonly dipsPerHour: number;
  readonly dipDepth: number;
  /** mmHg, at rest. */
  readonly meanPressure: number;
  readonly pulsePressure: number;
  /** mmHg that the first measurements add. */
  readonly whiteCoat: number;
}

export interface Vitals {
  /** °C */
  readonly temperature: number;
  /** /min */
  readonly pulse: number;
  readonly breaths: number;
  /** % */
  readonly saturation: number;
  readonly perfusion: number;
  /** mmHg */
  readonly systolic: number;
  readonly diastolic: number;
  readonly mean: number;
}

export interface Body {
  /** Lets time pass. */
  live(minutes: number): void;
  now(): Vitals;
}

const HEALTHY_TEMPERATURE = 36.5;
/** Core temperature is highest in the late afternoon and about a degree lower before dawn. */
const CIRCADIAN_AMPLITUDE = 0.4;
const CIRCADIAN_PEAK_HOUR = 17;
/** Pulse rises by about 8 to 10 beats a minute for each degree of fever (Liebermeister). */
const BEATS_PER_DEGREE = 9;
const WHITE_COAT_MINUTES = 25;

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** @param startHour of the day, 0 to 24 */
export function createBody(c: Constitution, random: Random, startHour: number): Body {
  let minutes = 0;
  let activity = 0.1;
  let fever = c.fever;
  let dip = 0;
  let breathPhase = random.next() * 2 * Math.PI;
  let pulse = c.restingPulse;
  const drift = wanderer(random, 0.08, 180);
  const breathing = wanderer(random, 1.1, 12);
  const tone = wanderer(random, 3.2, 30);
  const urge = wanderer(random, 0.28, 45);
  const skin = wanderer(random, 0.25, 20);
  let slow = { drift: 0, breathing: 0, tone: 0, skin: 0 };

  const temperature = (): number => {
    const hour = startHour + minutes / 60;
    const circadian = CIRCADIAN_AMPLITUDE * Math.cos(((hour - CIRCADIAN_PEAK_HOUR) / 24) * 2 * Math.PI);
    return HEALTHY_TEMPERATURE + circadian + fever + slow.drift + 0.25 * activity;
  };
  const lack = (): number => Math.max(0, 94 - (c.saturation - dip));
  const breaths = (): number =>
    clamp(c.restingBreaths + 7 * activity + 1.6 * fever + 0.6 * lack() + slow.breathing, 6, 45);

  return {
    live(step) {
      minutes += step;
      slow = { drift: drift(step), breathing: breathing(step), tone: tone(step), skin: skin(step) };
      // Rest for a while, move for a while: activity follows the urge with some delay.
      const wish = clamp(0.15 + urge(step), 0, 1);
      activity += (wish - activity) * (1 - Math.exp(-step / 8));
      fever = Math.max(0, fever - (c.feverFall * step) / 60);
      dip *= Math.exp(-step / 6);
      if (random.next() < 1 - Math.exp((-c.dipsPerHour * step) / 60)) dip += c.dipDepth * (0.5 + random.next());
      breathPhase += 2 * Math.PI * breaths() * step;
      const aim = c.restingPulse + 36 * activity + BEATS_PER_DEGREE * fever + 1.4 * lack();
      pulse += (aim - pulse) * (1 - Math.exp(-step / 4));
    },
    now() {
      // Respiratory sinus arrhythmia: faster while breathing in, less of it at a fast pulse.
      const arrhythmia = 3.2 * Math.sin(breathPhase) * clamp((110 - pulse) / 50, 0.1, 1);
      const beats = clamp(pulse + arrhythmia + 0.6 * random.normal(), 35, 190);
      const whiteCoat = c.whiteCoat * Math.exp(-minutes / WHITE_COAT_MINUTES);
      const mean = c.meanPressure + 0.28 * (beats - c.restingPulse) + slow.tone + 0.75 * whiteCoat;
      // A faster heart fills less between beats: the pulse pressure narrows, exertion and alarm widen it.
      const width = clamp(c.pulsePressure - 0.18 * (beats - c.restingPulse) + 14 * activity + 0.5 * whiteCoat, 22, 95);
      return {
        temperature: temperature(),
        pulse: beats,
        breaths: breaths(),
        // The sensor itself is good for about ±0.4 %, and never shows more than 100.
        saturation: clamp(c.saturation - dip - 0.8 * activity + 0.4 * random.normal(), 60, 100),
        perfusion: clamp(3.2 * Math.exp(slow.skin - 0.35 * fever), 0.1, 20),
        systolic: mean + (2 / 3) * width,
        diastolic: mean - width / 3,
        mean,
      };
    },
  };
}
