/**
 * The kind registry: what can be measured, as data in `profiles/kinds/*.json`, read and checked at first use. A device says a
 * kind; the registry owns codes, units, ranges and shape, so that nobody types a LOINC code for a standard measurement.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}

/** Closed on both ends unless `lowExclusive`, in the unit that it belongs to. */
export interface Range {
  readonly low: number;
  readonly high: number;
  readonly lowExclusive?: boolean;
}

export interface KindUnit {
  /** UCUM. */
  readonly code: string;
  /** As printed, `Quantity.unit`. */
  readonly unit: string;
  /** Beyond it a reading is published as questionable. */
  readonly soft?: Range;
  /** Beyond it a reading is held. */
  readonly hard?: Range;
  /** Further spellings of this unit for this kind only. */
  readonly aliases?: readonly string[];
  /** Codings that fit this unit alone, before those of the kind: glucose has other LOINC codes in mg/dL than in mmol/L. */
  readonly codings?: readonly Coding[];
}

export type ValueShape = 'quantity' | 'sampled' | 'coded' | 'boolean';
export type Shape = ValueShape | 'components';

/** One thing measured: a whole kind, or a component of one. */
export interface Measured {
  readonly name: string;
  readonly title: string;
  readonly codings: readonly Coding[];
  /** The first is what a reading without unit is in, and what others are converted to. */
  readonly units: readonly KindUnit[];
  readonly unitRequired: boolean;
  readonly zeroIsNoSignal: boolean;
  readonly integer: boolean;
  /** For `coded`: decimal text → coding. */
  readonly values: Readonly<Record<string, Coding>>;
}

export interface Component extends Measured {
  readonly shape: ValueShape;
  /** A reading without it gets a component with a dataAbsentReason. */
  readonly required: boolean;
}

export interface Kind extends Measured {
  /** A code of observation-category. */
  readonly category?: string;
  readonly shapes: readonly Shape[];
  /** `device`: says something about the device, never about who wears it. */
  readonly subject: 'patient' | 'device';
  readonly components: readonly Component[];
  /** Names of components whose values must not decrease in this order. */
  readonly ordered: readonly string[];
}

const FOLDER = join(import.meta.dirname, '../../profiles/kinds');
const SHAPES = new Set<string>(['quantity', 'components', 'sampled', 'coded', 'boolean']);

type Raw = Readonly<Record<string, unknown>>;
const list = <T>(value: unknown): readonly T[] => (value ?? []) as readonly T[];

function measured(raw: Raw, at: string): Measured {
  const name = raw['name'];
  const codings = list<Coding>(raw['codings']);
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(name))
    throw new Error(`${at}: "name" must be lower-case words`);
  if (codings.length === 0 || codings.some((c) => !c.system || !c.code))
    throw new Error(`${at}: "codings" needs at least one system and code`);
  const units = list<KindUnit>(raw['units']);
  for (const u of units) {
    if (!u.code || !u.unit) throw new Error(`${at}: a unit needs "code" and "unit"`);
    for (const range of [u.soft, u.hard])
      if (range && !(range.low < range.high)) throw new Error(`${at}: a range of ${u.code} has low >= high`);
  }
  return {
    name,
    title: String(raw['title'] ?? name),
    codings,
    units,
    unitRequired: raw['unitRequired'] === true,
    zeroIsNoSignal: raw['zeroIsNoSignal'] === true,
    integer: raw['integer'] === true,
    values: (raw['values'] ?? {}) as Readonly<Record<string, Coding>>,
  };
}

function component(raw: Raw, at: string): Component {
  const shape = raw['shape'];
  if (shape !== 'quantity' && shape !== 'sampled' && shape !== 'boolean')
    throw new Error(`${at}: a component is a quantity, sampled or boolean`);
  const m = measured(raw, at);
  if (shape !== 'boolean' && m.units.length === 0) throw new Error(`${at}: ${m.name} has no unit`);
  return { ...m, shape, required: raw['required'] === true };
}

/** @throws Error naming the file and what is wrong with it: a mistake of who ships the profiles, never of a device. */
export function parseKind(raw: Raw, at: string): Kind {
  const m = measured(raw, at);
  const shapes = list<Shape>(raw['shapes']);
  if (shapes.length === 0 || shapes.some((s) => !SHAPES.has(s))) throw new Error(`${at}: "shapes" is empty or unknown`);
  const components = list<Raw>(raw['components']).map((c) => component(c, at));
  const names = new Set(components.map((c) => c.name));
  if (names.size !== components.length) throw new Error(`${at}: a component is there twice`);
  if (shapes.includes('components') !== components.length > 0) throw new Error(`${at}: components and shapes disagree`);
  if ((shapes.includes('quantity') || shapes.includes('sampled')) && m.units.length === 0)
    throw new Error(`${at}: "units" is empty`);
  const ordered = list<string>(raw['ordered']);
  if (ordered.some((n) => !names.has(n))) throw new Error(`${at}: "ordered" names an unknown component`);
  const category = raw['category'];
  return {
    ...m,
    ...(typeof category === 'string' ? { category } : {}),
    shapes,
    subject: raw['subject'] === 'device' ? 'device' : 'patient',
    components,
    ordered,
  };
}

let registry: ReadonlyMap<string, Kind> | undefined;

function load(): ReadonlyMap<string, Kind> {
  const found = new Map<string, Kind>();
  for (const file of readdirSync(FOLDER).sort()) {
    if (!file.endsWith('.json')) continue;
    const at = `profiles/kinds/${file}`;
    const kind = parseKind(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Raw, at);
    if (`${kind.name}.json` !== file) throw new Error(`${at}: the name inside is ${kind.name}`);
    found.set(kind.name, kind);
  }
  if (found.size === 0) throw new Error(`profiles/kinds: no kind is there`);
  return found;
}

const all = (): ReadonlyMap<string, Kind> => {
  registry ??= load();
  return registry;
};

export const kind = (name: string): Kind | undefined => all().get(name);
export const kinds = (): readonly Kind[] => [...all().values()];

const listed = (m: Measured): Raw => ({
  name: m.name,
  title: m.title,
  codings: m.codings,
  ...(m.units.length > 0 ? { units: m.units } : {}),
  ...(m.unitRequired ? { unitRequired: true } : {}),
  ...(m.zeroIsNoSignal ? { zeroIsNoSignal: true } : {}),
  ...(m.integer ? { integer: true } : {}),
  ...(Object.keys(m.values).length > 0 ? { values: m.values } : {}),
});

/** The registry for `GET /ingest/kinds`: names, codes, units, ranges. */
export function kindsListing(): Raw[] {
  return kinds().map((k) => ({
    ...listed(k),
    ...(k.category === undefined ? {} : { category: k.category }),
    shapes: k.shapes,
    ...(k.subject === 'device' ? { subject: 'device' } : {}),
    ...(k.components.length > 0
      ? { components: k.components.map((c) => ({ ...listed(c), shape: c.shape, required: c.required })) }
      : {}),
  }));
}
