/** Addresses of the Subscriptions R5 Backport IG and the collections that this room keeps. */

const IG = 'http://hl7.org/fhir/uv/subscriptions-backport';
const structure = (name: string): string => `${IG}/StructureDefinition/${name}`;

export const IG_STRUCTURES = structure('');
export const NOTIFICATION_PROFILE = structure('backport-subscription-notification-r4');
export const STATUS_PROFILE = structure('backport-subscription-status-r4');
export const FILTER_CRITERIA = structure('backport-filter-criteria');
export const PAYLOAD_CONTENT = structure('backport-payload-content');
export const CHANNEL_TYPE = structure('backport-channel-type');
export const HEARTBEAT_PERIOD = structure('backport-heartbeat-period');
export const TIMEOUT = structure('backport-timeout');
export const MAX_COUNT = structure('backport-max-count');
export const STATUS_OPERATION = `${IG}/OperationDefinition/backport-subscription-status`;
export const EVENTS_OPERATION = `${IG}/OperationDefinition/backport-subscription-events`;
export const ERROR_SYSTEM = 'http://terminology.hl7.org/CodeSystem/subscription-error';

/** Tag in the stored text that says whose Subscription it is; nobody is shown it. */
export const OWNER_SYSTEM = 'https://w3id.org/vitalwire/owner';
/** How a topic of ours names a trigger that only code can decide. */
export const TOPIC_PREDICATE = 'https://w3id.org/vitalwire/StructureDefinition/topic-predicate';
/** What a topic does with a filter it cannot evaluate: `refuse` (default) or `adjust`. */
export const TOPIC_POLICY = 'https://w3id.org/vitalwire/StructureDefinition/topic-filter-policy';
/** Coding that is sent as `trigger` of each event of a topic. */
export const TOPIC_TRIGGER = 'https://w3id.org/vitalwire/StructureDefinition/topic-trigger';

export const COLLECTIONS = {
  /** One document: how far the matcher has read. */
  checkpoint: 'sub-checkpoint',
  /** Per subscription, written by the matcher: how many events there were, of which change the last. */
  count: 'sub-count',
  /** Per subscription, written by its lane: what was acknowledged, the frozen batch. */
  lane: 'sub-lane',
  /** `<subscription>/<number>`: one event. */
  event: 'sub-event',
  /** Per subscription, written with it: who owns it and by which right. */
  owner: 'sub-owner',
  /** Per subscription, written with it: values of channel.header, sealed. */
  secret: 'sub-secret',
  /** Signing keys of webhooks, sealed. */
  key: 'sub-key',
} as const;

export type SubscriptionStatus = 'requested' | 'active' | 'error' | 'off';
export type Content = 'empty' | 'id-only' | 'full-resource';
export const CONTENTS: readonly Content[] = ['empty', 'id-only', 'full-resource'];

/** FHIR instant or any RFC 3339 time to ms since 1970; undefined when it is none. */
export function timeOf(text: unknown): number | undefined {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Objects and arrays of a parsed resource, without trusting its form. */
export type Obj = Readonly<Record<string, unknown>>;
export const obj = (value: unknown): Obj =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Obj) : {};
export const list = (value: unknown): readonly Obj[] => (Array.isArray(value) ? value.map(obj) : []);
export const str = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
