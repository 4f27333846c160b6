/** What a device says about a measurement → FHIR. IEEE 11073-10206 and GATT status, as the PHD guide 2.0 maps them. */
export interface StatusEffect {
  readonly absent?: 'error' | 'not-performed' | 'temp-unknown';
  readonly observationStatus?: 'preliminary' | 'entered-in-error';
  /** A code of measurement-status. */
  readonly interpretation?: string;
  /** `meta.security` HTEST. */
  readonly test?: true;
  readonly note?: string;
  readonly aboutDevice?: true;
}

const INVALID: StatusEffect = { absent: 'error', observationStatus: 'entered-in-error' };
const UNAVAILABLE: StatusEffect = { absent: 'not-performed' };
const ONGOING: StatusEffect = { absent: 'temp-unknown' };
const CALIBRATING: StatusEffect = { interpretation: 'calibration-ongoing' };
const EARLY: StatusEffect = { interpretation: 'early-indication', observationStatus: 'preliminary' };
const VALIDATED: StatusEffect = { interpretation: 'validated-data' };
const TEST: StatusEffect = { test: true };
const ALARM: StatusEffect = { interpretation: 'in-alarm' };
const MANUAL: StatusEffect = { note: 'Entered by hand.' };

const EFFECTS: ReadonlyMap<string, StatusEffect> = new Map([
  ['invalid', INVALID],
  ['not-available', UNAVAILABLE],
  ['unavailable', UNAVAILABLE],
  ['ongoing', ONGOING],
  ['measurement-ongoing', ONGOING],
  ['msmt-ongoing', ONGOING],
  ['questionable', { interpretation: 'questionable' }],
  ['calibrating', CALIBRATING],
  ['calibration-ongoing', CALIBRATING],
  ['early', EARLY],
  ['early-estimate', EARLY],
  ['early-indication', EARLY],
  ['validated', VALIDATED],
  ['validated-data', VALIDATED],
  ['fully-qualified', VALIDATED],
  ['demo', TEST],
  ['test', TEST],
  ['test-data', TEST],
  ['threshold-error', ALARM],
  ['in-alarm', ALARM],
  ['alarm-inhibited', { interpretation: 'alarm-inhibited' }],
  ['manual', MANUAL],
  ['manually-entered', MANUAL],
  ['device-setting', { aboutDevice: true }],
]);

/** Not a word about the measurement but about its record. */
export const RETRACTED = 'entered-in-error';

/** `not available` and `not-available` are the same word. */
export const statusEffect = (word: string): StatusEffect | undefined => EFFECTS.get(word.replaceAll(' ', '-'));
export const STATUS_WORDS: readonly string[] = [...EFFECTS.keys(), RETRACTED];
