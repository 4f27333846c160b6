/** Reads a notification Bundle as a hospital system would. Subscriptions R5 Backport IG 1.1, R4 notification. */
import type { Observation, Parameters, ParametersParameter } from 'fhir/r4';
import { parseKeepingNumbers } from '../../../base/json.ts';

export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-event' | 'query-status';

export interface NotifiedEvent {
  readonly number: number;
  /** Absolute reference, when the payload has one. */
  readonly focus: string | undefined;
  /** Of a full-resource payload. Numbers are as sent: see `numberText`. */
  readonly observation: Observation | undefined;
}

export interface Notification {
  readonly type: NotificationType;
  /** Of the Subscription, as the server says it. */
  readonly status: string;
  /** Number of the newest event that this notification knows of. */
  readonly total: number;
  readonly events: readonly NotifiedEvent[];
}

interface Entry {
  readonly fullUrl?: string;
  readonly resource?: unknown;
}

/** Digits as sent: 37.0 stays 37.0. */
export function numberText(value: unknown): string {
  const raw = (value as { rawJSON?: string } | undefined)?.rawJSON;
  return raw ?? (typeof value === 'number' ? String(value) : '');
}

/** @throws Error when the text is no notification Bundle */
export function parseNotification(text: string): Notification {
  const bundle = parseKeepingNumbers(text) as { entry?: Entry[] };
  const [first, ...rest] = bundle.entry ?? [];
  const status = first?.resource as Parameters | undefined;
  if (status?.resourceType !== 'Parameters' || !status.parameter)
    throw new Error('the first entry is no subscription status');
  const named = (name: string): ParametersParameter | undefined => status.parameter?.find((p) => p.name === name);
  const resources = new Map(rest.map((entry) => [entry.fullUrl, entry.resource as Observation | undefined]));
  const events = status.parameter
    .filter((p) => p.name === 'notification-event')
    .map((event) => {
      const part = (name: string): ParametersParameter | undefined => event.part?.find((p) => p.name === name);
      const focus = part('focus')?.valueReference?.reference;
      // R4 has no integer64: event numbers are strings.
      return { number: Number(part('event-number')?.valueString), focus, observation: resources.get(focus) };
    });
  const type = named('type')?.valueCode;
  if (type === undefined || events.some((e) => !Number.isSafeInteger(e.number)))
    throw new Error('the subscription status is incomplete');
  return {
    type: type as NotificationType,
    status: named('status')?.valueCode ?? '',
    total: Number(named('events-since-subscription-start')?.valueString ?? 0),
    events,
  };
}
