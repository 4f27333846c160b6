/** Who wore a device when: DeviceUseStatement as intervals [start, end) of time. CONTRACT §5 who wears a device, user slots. */
import { parseDateTime } from '../fhir/dates.ts';
import { parseReference } from '../fhir/references.ts';
import { TIME_OPEN } from '../fhir/terms.ts';

export const SLOT_EXTENSION = 'https://w3id.org/vitalwire/StructureDefinition/device-user-slot';

/** One statement that counts. */
export interface Use {
  /** Id of the DeviceUseStatement. */
  readonly id: string;
  /** Id of the Device. */
  readonly device: string;
  /** Id of the Patient. */
  readonly patient: string;
  /** Milliseconds since 1970; ∓TIME_OPEN when it has no such end. */
  readonly start: number;
  readonly end: number;
  /** For this user slot of the device alone. */
  readonly slot?: number;
}

const COUNTING = new Set(['active', 'completed', 'stopped']);
type Json = Readonly<Record<string, unknown>>;

function referenced(element: unknown, type: string, base: string): string | undefined {
  const text = (element as { reference?: unknown } | undefined)?.reference;
  if (typeof text !== 'string') return undefined;
  const reference = parseReference(text, base);
  if (reference.kind !== 'relative' && reference.kind !== 'own') return undefined;
  return reference.type === type ? reference.id : undefined;
}

/** An end given to the second is exclusive, so that it may equal the next start; one given to the day holds that whole day. */
function endOf(text: string): number | undefined {
  const parsed = parseDateTime(text);
  if (!parsed) return undefined;
  return parsed.precision === 'year' || parsed.precision === 'month' || parsed.precision === 'day'
    ? parsed.high
    : parsed.low;
}

function slotOf(resource: Json): number | undefined {
  const extensions = Array.isArray(resource['extension']) ? (resource['extension'] as Json[]) : [];
  const value = extensions.find((e) => e?.['url'] === SLOT_EXTENSION)?.['valueInteger'];
  return typeof value === 'number' ? value : undefined;
}

/** The Device that a statement is about, whatever else it says. */
export const deviceOf = (statement: Json, base: string): string | undefined =>
  referenced(statement['device'], 'Device', base);

/**
 * What a DeviceUseStatement says about who wears what; undefined when it assigns nobody: another status, no patient or device
 * of this server, or no timingPeriod (a use at an unknown time is no ground to file a reading on).
 * @param base `{BASE_URL}/fhir`.
 */
export function useOf(id: string, statement: Json, base: string): Use | undefined {
  if (!COUNTING.has(String(statement['status']))) return undefined;
  const device = deviceOf(statement, base);
  const patient = referenced(statement['subject'], 'Patient', base);
  const period = statement['timingPeriod'] as { start?: unknown; end?: unknown } | undefined;
  if (device === undefined || patient === undefined || period === undefined) return undefined;
  const start = typeof period.start === 'string' ? parseDateTime(period.start)?.low : -TIME_OPEN;
  const end = typeof period.end === 'string' ? endOf(period.end) : TIME_OPEN;
  if (start === undefined || end === undefined || start >= end) return undefined;
  const slot = slotOf(statement);
  return { id, device, patient, start, end, ...(slot === undefined ? {} : { slot }) };
}

export const overlaps = (a: Use, b: Use): boolean =>
  a.device === b.device && a.slot === b.slot && a.start < b.end && b.start < a.end;

/** `undefined`: nobody. `several`: statements that contradict each other, so that no one may be assumed. */
export type Wearer = { readonly patient: string } | 'several' | undefined;

/**
 * Who wore the device at a moment.
 * @param uses all statements of the device that count.
 * @param at milliseconds since 1970; fractions of a millisecond change no answer, since ends are whole milliseconds.
 * @param slot the user slot in the message, if it has one; 255 is "unknown user".
 */
export function wearer(uses: readonly Use[], at: number, slot?: number): Wearer {
  let patient: string | undefined;
  const bySlot = slot !== undefined && uses.some((u) => u.slot !== undefined);
  for (const use of uses) {
    if (use.start > at || at >= use.end || use.slot !== (bySlot ? slot : undefined)) continue;
    if (patient !== undefined && patient !== use.patient) return 'several';
    patient = use.patient;
  }
  return patient === undefined ? undefined : { patient };
}
