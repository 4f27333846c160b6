/**
 * Notification Bundles, made by concatenation: the text of a resource goes out as it was stored, so that 66.50 stays 66.50.
 * Subscriptions R5 Backport 1.1, backport-subscription-notification-r4 and backport-subscription-status-r4.
 */
import { instant } from '../base/clock.ts';
import type { Method } from '../store/store.ts';
import { type Content, ERROR_SYSTEM, NOTIFICATION_PROFILE, STATUS_PROFILE, type SubscriptionStatus } from './names.ts';
import type { DeliveryError } from './state.ts';

export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';

/** An event as it may be told to this receiver. */
export interface ToldEvent {
  readonly n: number;
  readonly at: number;
  /** Absent: the owner may not see the resource (any more); the number is told, so that no gap shows. */
  readonly focus?:
    | {
        readonly type: string;
        readonly id: string;
        readonly version: number;
        readonly method: Method;
        /** Text of the version; undefined for a delete. */
        readonly text?: string | undefined;
      }
    | undefined;
}

export interface StatusInput {
  /** `{BASE_URL}/fhir` */
  readonly base: string;
  readonly subscription: string;
  readonly topic: string;
  readonly content: Content;
  readonly status: SubscriptionStatus;
  readonly type: NotificationType;
  /** events-since-subscription-start. */
  readonly total: number;
  readonly events?: readonly ToldEvent[];
  readonly trigger?: { readonly system: string; readonly code: string } | undefined;
  readonly error?: DeliveryError | undefined;
}

const q = (text: string): string => JSON.stringify(text);

function eventPart(event: ToldEvent, input: StatusInput): string {
  let parts =
    `{"name":"event-number","valueString":"${event.n}"}` +
    `,{"name":"timestamp","valueInstant":"${instant(event.at)}"}`;
  // Backport IG, empty payload: number and time only.
  if (event.focus && input.content !== 'empty') {
    const reference = `${input.base}/${event.focus.type}/${event.focus.id}`;
    parts += `,{"name":"focus","valueReference":{"reference":${q(reference)}}}`;
    if (input.trigger)
      parts += `,{"name":"trigger","valueCoding":{"system":${q(input.trigger.system)},"code":${q(input.trigger.code)}}}`;
  }
  return `{"name":"notification-event","part":[${parts}]}`;
}

/** The Parameters that stand for an R5 SubscriptionStatus. */
export function statusParameters(id: string, input: StatusInput): string {
  const reference = `${input.base}/Subscription/${input.subscription}`;
  let parameters = `{"name":"subscription","valueReference":{"reference":${q(reference)}}}`;
  if (input.content !== 'empty') parameters += `,{"name":"topic","valueCanonical":${q(input.topic)}}`;
  parameters +=
    `,{"name":"status","valueCode":"${input.status}"},{"name":"type","valueCode":"${input.type}"}` +
    // R4 has no integer64, so numbers are strings.
    `,{"name":"events-since-subscription-start","valueString":"${input.total}"}`;
  for (const event of input.events ?? []) parameters += ',' + eventPart(event, input);
  if (input.error)
    parameters += `,{"name":"error","valueCodeableConcept":{"coding":[{"system":"${ERROR_SYSTEM}","code":"${input.error}"}]}}`;
  return (
    `{"resourceType":"Parameters","id":"${id}","meta":{"profile":["${STATUS_PROFILE}"]}` +
    `,"parameter":[${parameters}]}`
  );
}

/** FHIR R4 http.html: what the interaction answered when it happened. */
function responseStatus(method: Method, version: number): string {
  if (method === 'DELETE') return '204';
  return version === 1 ? '201' : '200';
}

function eventEntry(event: ToldEvent, base: string): string {
  const { focus } = event;
  if (!focus) return '';
  const { type, id, version, method, text } = focus;
  const url = method === 'POST' ? type : `${type}/${id}`;
  return (
    `,{"fullUrl":${q(`${base}/${type}/${id}`)}` +
    (text === undefined ? '' : `,"resource":${text}`) +
    `,"request":{"method":"${method}","url":${q(url)}}` +
    `,"response":{"status":"${responseStatus(method, version)}","etag":"W/\\"${version}\\""` +
    `,"lastModified":"${instant(event.at)}"}}`
  );
}

/** @param id Bundle.id, a UUID; also names the status entry, so that a repetition is the same to the byte. */
export function notificationBundle(id: string, atMs: number, input: StatusInput, links = ''): string {
  const own = `${input.base}/Subscription/${input.subscription}/$status`;
  let entries =
    `{"fullUrl":"urn:uuid:${id}","resource":${statusParameters(id, input)}` +
    `,"request":{"method":"GET","url":${q(own)}},"response":{"status":"200"}}`;
  // Backport IG: resources only with full-resource; id-only needs no further entries.
  if (input.content === 'full-resource')
    for (const event of input.events ?? []) entries += eventEntry(event, input.base);
  return (
    `{"resourceType":"Bundle","id":"${id}","meta":{"profile":["${NOTIFICATION_PROFILE}"]}` +
    `,"type":"history","timestamp":"${instant(atMs)}"${links},"entry":[${entries}]}`
  );
}
