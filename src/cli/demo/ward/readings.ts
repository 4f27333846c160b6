/** What a device says when it measures: canonical readings with the decimals that such a device has. CONTRACT §5. */
import type { DeviceType, WardDevice } from './patients.ts';
import type { Vitals } from './physiology.ts';
import type { Blow } from './spirometry.ts';

export interface Reading {
  readonly id: string;
  readonly device: { readonly identifier: readonly { readonly system: string; readonly value: string }[] };
  readonly kind: string;
  readonly time: string;
  readonly value?: string;
  readonly unit?: string;
  readonly components?: readonly { readonly kind: string; readonly value: string; readonly unit: string }[];
  /** `demo` becomes `meta.security` HTEST. */
  readonly status: readonly ['demo'];
}

type Measured = Pick<Reading, 'kind' | 'value' | 'unit' | 'components'>;

const quantity = (kind: string, value: number, decimals: number, unit: string): Measured => ({
  kind,
  value: value.toFixed(decimals),
  unit,
});

function pressure({ systolic, diastolic, mean }: Vitals): Measured {
  const part = (kind: string, value: number) => ({ kind, value: value.toFixed(0), unit: 'mm[Hg]' });
  return {
    kind: 'blood-pressure',
    components: [part('systolic', systolic), part('diastolic', diastolic), part('mean', mean)],
  };
}

function spirogram({ fev1, fvc, peakFlow }: Blow): Measured[] {
  // The ratio is that of the two numbers that are shown.
  const shown = { fev1: Number(fev1.toFixed(2)), fvc: Number(fvc.toFixed(2)) };
  return [
    quantity('fev1', fev1, 2, 'L'),
    quantity('fvc', fvc, 2, 'L'),
    quantity('fev1-fvc', (100 * shown.fev1) / shown.fvc, 1, '%'),
    quantity('peak-flow', peakFlow, 0, 'L/min'),
  ];
}

export interface Sources {
  vitals(): Vitals;
  blow(): Blow;
}

const MEASURE: Readonly<Record<DeviceType, (from: Sources) => Measured[]>> = {
  thermometer: (from) => [quantity('body-temperature', from.vitals().temperature, 1, 'Cel')],
  oximeter(from) {
    const { saturation, pulse, breaths, perfusion } = from.vitals();
    return [
      quantity('oxygen-saturation', saturation, 0, '%'),
      quantity('pulse-rate', pulse, 0, '/min'),
      quantity('respiratory-rate', breaths, 0, '/min'),
      quantity('perfusion-index', perfusion, 2, '%'),
    ];
  },
  spirometer: (from) => spirogram(from.blow()),
  cuff(from) {
    const vitals = from.vitals();
    return [pressure(vitals), quantity('cuff-pulse-rate', vitals.pulse, 0, '/min')];
  },
};

/** @param record names this measurement among all of its device */
export function measure(device: WardDevice, from: Sources, record: string, time: string): Reading[] {
  return MEASURE[device.type](from).map((measured) => ({
    id: `${record}-${measured.kind}`,
    device: { identifier: [device.identifier] },
    time,
    ...measured,
    status: ['demo'],
  }));
}

const NAMES: Readonly<Record<string, string>> = {
  'body-temperature': 'temp',
  'oxygen-saturation': 'SpO2',
  'pulse-rate': 'pulse',
  'cuff-pulse-rate': 'pulse',
  'respiratory-rate': 'resp',
  'perfusion-index': 'PI',
  'blood-pressure': 'BP',
  fev1: 'FEV1',
  fvc: 'FVC',
  'fev1-fvc': 'FEV1/FVC',
  'peak-flow': 'PEF',
};
const UNITS: Readonly<Record<string, string>> = { Cel: '°C', 'mm[Hg]': 'mmHg' };

/** For the terminal: `SpO2 94 %, pulse 78 /min`. */
export function inWords(readings: readonly Reading[]): string {
  return readings
    .map(({ kind, value, unit, components }) => {
      const [systolic, diastolic] = components ?? [];
      const shown = systolic && diastolic ? `${systolic.value}/${diastolic.value}` : value;
      const of = unit ?? systolic?.unit ?? '';
      return `${NAMES[kind] ?? kind} ${shown} ${UNITS[of] ?? of}`;
    })
    .join(', ');
}
