/** `Subscription.channel`: read, checked and adjusted. Subscriptions R5 Backport, backport-subscription. */
import type { Limits } from '../base/limits.ts';
import { type EndpointPolicy, endpointMistake } from './endpoint.ts';
import { parseHeader } from './headers.ts';
import {
  CHANNEL_TYPE,
  CONTENTS,
  type Content,
  HEARTBEAT_PERIOD,
  IG_STRUCTURES,
  list,
  MAX_COUNT,
  type Obj,
  obj,
  PAYLOAD_CONTENT,
  str,
  TIMEOUT,
} from './names.ts';
import type { Problems } from './problems.ts';

export interface Channel {
  readonly endpoint: string;
  /** Sent as Content-Type. */
  readonly payload: string;
  readonly content: Content;
  /** `Name: value`, values sealed once stored. */
  readonly headers: readonly string[];
  readonly timeoutMs: number;
  /** Most events in one notification. */
  readonly maxCount: number;
  /** Undefined: none were asked for, so none are sent. */
  readonly heartbeatMs?: number | undefined;
}

const KNOWN = new Set([CHANNEL_TYPE, HEARTBEAT_PERIOD, MAX_COUNT, PAYLOAD_CONTENT, TIMEOUT]);
/** Cross-version extensions stand for elements of another FHIR version; unknown ones would be accepted and not obeyed. */
export const FOREIGN = /^http:\/\/hl7\.org\/fhir\/\d+\.\d+\//;
const ELEMENTS = ['', '_type', '_endpoint', '_payload'] as const;

const extensionsOf = (element: unknown): readonly Obj[] => list(obj(element)['extension']);
const numberOf = (channel: Obj, url: string): number | undefined => {
  const found = extensionsOf(channel).find((e) => e['url'] === url);
  const value = found?.['valueUnsignedInt'] ?? found?.['valuePositiveInt'];
  return typeof value === 'number' ? value : undefined;
};

/** Of a Subscription that was accepted. */
export function readChannel(subscription: Obj, limits: Limits): Channel {
  const channel = obj(subscription['channel']);
  const content = extensionsOf(channel['_payload']).find((e) => e['url'] === PAYLOAD_CONTENT)?.['valueCode'];
  const heartbeat = numberOf(channel, HEARTBEAT_PERIOD);
  return {
    endpoint: str(channel['endpoint']) ?? '',
    payload: str(channel['payload']) ?? '',
    content: content as Content,
    headers: Array.isArray(channel['header']) ? (channel['header'] as string[]) : [],
    timeoutMs: (numberOf(channel, TIMEOUT) ?? limits.notificationTimeoutSecondsDefault) * 1000,
    maxCount: numberOf(channel, MAX_COUNT) ?? limits.notificationEventsDefault,
    heartbeatMs: heartbeat === undefined ? undefined : heartbeat * 1000,
  };
}

function checkExtensions(channel: Obj, problems: Problems): void {
  for (const element of ELEMENTS) {
    const path = `Subscription.channel${element && `.${element.slice(1)}`}`;
    extensionsOf(element === '' ? channel : channel[element]).forEach((extension, i) => {
      const url = str(extension['url']) ?? '';
      if (url === CHANNEL_TYPE)
        problems.add('not-supported', path, 'Custom channels are not supported. Use the channel type rest-hook.');
      else if (!KNOWN.has(url) && (FOREIGN.test(url) || url.startsWith(IG_STRUCTURES)))
        problems.add('not-supported', `${path}.extension[${i}]`, `The extension ${url} is not known here.`);
    });
  }
}

const MIME = /^application\/(?:fhir\+)?json$/i;
/** FHIR R4 http.html#version-parameter: what the Bundle is written in. */
const VERSION = /^4\.0(?:\.\d+)?$/;

function payloadMistake(payload: string): string | undefined {
  const [mime = '', ...parameters] = payload.split(';').map((part) => part.trim());
  if (!MIME.test(mime)) return `Notifications are sent as application/fhir+json, not as ${mime || 'nothing'}.`;
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=', 2).map((part) => part.trim().replace(/^"|"$/g, ''));
    if (/^fhirVersion$/i.test(name) && !VERSION.test(value))
      return `Notifications are written in FHIR 4.0, not in ${value}.`;
    if (/^charset$/i.test(name) && !/^utf-8$/i.test(value)) return 'Notifications are sent in UTF-8.';
    if (!/^(?:fhirVersion|charset)$/i.test(name)) return `The parameter ${name} of the media type is not known here.`;
  }
  return undefined;
}

function checkPayload(channel: Obj, problems: Problems): void {
  const payload = str(channel['payload']);
  if (payload === undefined)
    problems.add('required', 'Subscription.channel', 'channel.payload is missing: say application/fhir+json.');
  else {
    const mistake = payloadMistake(payload);
    if (mistake !== undefined) problems.add('not-supported', 'Subscription.channel.payload', mistake);
  }
  const contents = extensionsOf(channel['_payload']).filter((e) => e['url'] === PAYLOAD_CONTENT);
  if (contents.length !== 1)
    problems.add(
      'required',
      'Subscription.channel.payload.extension',
      `channel.payload has exactly one extension ${PAYLOAD_CONTENT}, which says ${CONTENTS.join(', ')}.`,
    );
  else if (!CONTENTS.includes(contents[0]?.['valueCode'] as Content))
    problems.add('value', 'Subscription.channel.payload.extension', `The content is one of ${CONTENTS.join(', ')}.`);
}

export function checkChannel(subscription: Obj, policy: EndpointPolicy, problems: Problems): void {
  const channel = obj(subscription['channel']);
  if (channel['type'] !== 'rest-hook')
    problems.add('not-supported', 'Subscription.channel.type', 'The only channel type so far is rest-hook.');
  const endpoint = str(channel['endpoint']);
  const mistake = endpoint === undefined ? undefined : endpointMistake(endpoint, policy);
  if (endpoint === undefined)
    problems.add('required', 'Subscription.channel', 'channel.endpoint is missing: say where to send notifications.');
  else if (mistake !== undefined) problems.add('value', 'Subscription.channel.endpoint', mistake);
  checkPayload(channel, problems);
  checkExtensions(channel, problems);
  const headers = Array.isArray(channel['header']) ? (channel['header'] as unknown[]) : [];
  headers.forEach((header, i) => {
    const parsed = typeof header === 'string' ? parseHeader(header) : 'Write a header as "Name: value".';
    if (typeof parsed === 'string') problems.add('value', `Subscription.channel.header[${i}]`, parsed);
  });
}

/** CONTRACT §7 Subscription, numbers: what lies outside its bounds is moved to the nearest bound, in place. */
export function adjustNumbers(subscription: Record<string, unknown>, limits: Limits, problems: Problems): void {
  const bounds: Readonly<Record<string, readonly [kind: string, low: number, high: number]>> = {
    [HEARTBEAT_PERIOD]: ['valueUnsignedInt', limits.heartbeatSecondsMin, limits.heartbeatSecondsMax],
    [TIMEOUT]: ['valueUnsignedInt', limits.notificationTimeoutSecondsMin, limits.notificationTimeoutSecondsMax],
    [MAX_COUNT]: ['valuePositiveInt', 1, limits.notificationEventsMax],
  };
  const seen = new Set<string>();
  extensionsOf(subscription['channel']).forEach((extension, i) => {
    const url = str(extension['url']) ?? '';
    const bound = bounds[url];
    if (!bound) return;
    const [kind, low, high] = bound;
    const value = extension['valueUnsignedInt'] ?? extension['valuePositiveInt'];
    const path = `Subscription.channel.extension[${i}]`;
    if (typeof value !== 'number') problems.add('value', path, `${url} has a ${kind}.`);
    else if (seen.has(url)) problems.add('invalid', path, `${url} is there more than once.`);
    seen.add(url);
    const into = extension as Record<string, unknown>;
    for (const name of ['valueUnsignedInt', 'valuePositiveInt'])
      if (typeof into[name] === 'number') into[name] = Math.min(high, Math.max(low, into[name]));
  });
}
