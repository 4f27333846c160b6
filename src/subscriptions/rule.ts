/** What every write of a Subscription goes through: checks, adjustments, owner, sealed headers. Backport IG "Accepting", CONTRACT §7 */
import type { Principal } from '../access/principal.ts';
import type { Clock } from '../base/clock.ts';
import { parseKeepingNumbers } from '../base/json.ts';
import type { Limits } from '../base/limits.ts';
import type { Sealer } from '../base/secret.ts';
import type { ProposedWrite, RuleOutcome, WriteRule } from '../store/rules.ts';
import type { DocWrite, Store, Stored } from '../store/store.ts';
import { adjustNumbers, checkChannel, FOREIGN } from './channel.ts';
import { filterOptions, readCriteria } from './criteria.ts';
import { criteriaTexts } from './definition.ts';
import type { EndpointPolicy } from './endpoint.ts';
import { type Header, HIDDEN, lineOf, openHeader, parseHeader, type Secrets, sealHeaders } from './headers.ts';
import { COLLECTIONS, FILTER_CRITERIA, list, type Obj, obj, str } from './names.ts';
import {
  type OwnerRecord,
  ownerAccess,
  ownerCode,
  ownerDoc,
  ownerTagOf,
  principalOf,
  readOwner,
  recordOf,
  setOwnerTag,
  visibility,
} from './owner.ts';
import { Problems } from './problems.ts';
import { nextStatus } from './status-change.ts';
import { type Topic, topics } from './topics.ts';

export interface RuleOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly sealer: Sealer;
  /** `{BASE_URL}/fhir` */
  readonly base: string;
  readonly policy: EndpointPolicy;
}

type Json = Record<string, unknown>;
type Proposed = ProposedWrite<Principal>;

const CRITERIA = 'Subscription.criteria';

/** The sealed values of channel.header. @returns undefined when there are none. */
export async function readSecrets(store: Store, sealer: Sealer, id: string): Promise<Secrets | undefined> {
  const doc = await store.doc(COLLECTIONS.secret, id);
  return doc && (JSON.parse(sealer.open(doc.body)) as Secrets);
}

function topicOf(resource: Json, problems: Problems): Topic | undefined {
  const url = str(resource['criteria']) ?? '';
  const topic = topics().get(url);
  // Backport IG: criteria is the canonical URL of a topic; a search query there is another kind of Subscription.
  if (!topic)
    problems.add(
      'not-supported',
      CRITERIA,
      `${url.slice(0, 200)} is no topic of this server. The CapabilityStatement lists them under Subscription.`,
    );
  return topic;
}

/** Extensions of `criteria` narrow what is told; one that is not understood would tell too much. */
function checkCriteriaExtensions(resource: Json, limits: Limits, problems: Problems): void {
  const extensions = list(obj(resource['_criteria'])['extension']);
  extensions.forEach((extension, i) => {
    const url = str(extension['url']) ?? '';
    const path = `${CRITERIA}.extension[${i}]`;
    if (url !== FILTER_CRITERIA)
      problems.add(FOREIGN.test(url) ? 'invalid' : 'not-supported', path, `The extension ${url} is not known here.`);
    else if (typeof extension['valueString'] !== 'string')
      problems.add('value', path, 'A filter criterion has a valueString.');
  });
  if (extensions.length > limits.subscriptionFiltersMax)
    problems.add('value', CRITERIA, `At most ${limits.subscriptionFiltersMax} filter criteria are allowed.`);
}

/** @returns the types that it tells of, and why filters were dropped, if some were (a topic whose policy is to adjust). */
function checkFilters(resource: Json, topic: Topic, options: RuleOptions, problems: Problems) {
  const texts = criteriaTexts(resource);
  const read = readCriteria(
    topic,
    texts.map((t) => t.text),
    filterOptions(options.base, options.limits),
  );
  const left = read.adjusted.flatMap((text, i) => (text === undefined ? [] : [{ ...texts[i]!, text }]));
  const adjusted = topic.policy === 'adjust' && read.problems.length > 0 && left.length > 0;
  if (adjusted) {
    resource['_criteria'] = {
      ...obj(resource['_criteria']),
      extension: left.map(({ text }) => ({ url: FILTER_CRITERIA, valueString: text })),
    };
  } else
    for (const { index, details } of read.problems)
      problems.add('not-supported', `${CRITERIA}.extension[${texts[index]?.at ?? index}]`, details);
  // What is refused anyway is not asked about rights: the types it would tell of are not known.
  const types = read.problems.length === 0 || adjusted ? [...read.filters.keys()] : [];
  return { types, adjusted: adjusted ? read.problems[0]?.details : undefined };
}

const headersOf = (resource: Obj): readonly string[] => {
  const header = obj(resource['channel'])['header'];
  return Array.isArray(header) ? (header as string[]) : [];
};

async function seal(write: Proposed, resource: Json, before: Obj, options: RuleOptions, problems: Problems) {
  const parsed = headersOf(resource).map((line) => parseHeader(line));
  const headers = parsed.filter((h): h is Header => typeof h !== 'string');
  if (headers.length > options.limits.subscriptionHeadersMax)
    problems.add(
      'value',
      'Subscription.channel.header',
      `At most ${options.limits.subscriptionHeadersMax} headers are sent.`,
    );
  const secrets = (await readSecrets(options.store, options.sealer, write.id)) ?? {};
  const sealed = sealHeaders(headers, { lines: headersOf(before), secrets });
  if (!sealed)
    problems.add(
      'value',
      'Subscription.channel.header',
      `${HIDDEN} stands for a value that is not kept; give it anew.`,
    );
  return sealed ?? { lines: [], secrets: {} };
}

const secretDoc = (id: string, secrets: Secrets, sealer: Sealer): DocWrite =>
  Object.keys(secrets).length === 0
    ? { op: 'delete', collection: COLLECTIONS.secret, key: id }
    : { op: 'put', doc: { collection: COLLECTIONS.secret, key: id, body: sealer.seal(JSON.stringify(secrets)) } };

/** The one who asked first stays the owner; their later writes renew by which right it runs. */
async function ownerOf(write: Proposed, alive: boolean, options: RuleOptions): Promise<OwnerRecord> {
  const now = options.clock.now();
  const before = alive ? await readOwner(options.store, write.id) : undefined;
  if (!before) return recordOf(write.caller, now);
  return write.caller && write.caller.clientId === before.clientId ? recordOf(write.caller, before.since) : before;
}

/** `Subscription.error` is the server's to say: why it fails, as long as it does. */
function setError(resource: Json, old: Json | undefined, adjusted: string | undefined): void {
  delete resource['error'];
  if (adjusted !== undefined)
    resource['error'] = `Some filters were dropped: ${adjusted} Set the status to requested to accept the rest.`;
  else if (resource['status'] === 'error' && old?.['error'] !== undefined) resource['error'] = old['error'];
}

async function check(write: Proposed, options: RuleOptions): Promise<RuleOutcome> {
  const { id, before } = write;
  if (write.method === 'DELETE' || !write.resource)
    return {
      batch: {
        docs: [COLLECTIONS.owner, COLLECTIONS.secret].map((collection) => ({ op: 'delete', collection, key: id })),
      },
    };
  const alive = before !== undefined && !before.deleted;
  const old = alive ? (JSON.parse(before.text) as Json) : undefined;
  const resource = parseKeepingNumbers(write.text) as Json;
  const problems = new Problems();
  const owner = await ownerOf(write, alive, options);
  const topic = topicOf(resource, problems);
  checkCriteriaExtensions(resource, options.limits, problems);
  const filters = topic && checkFilters(resource, topic, options, problems);
  const principal = principalOf(owner);
  for (const type of filters?.types ?? []) ownerAccess(owner, principal, type, options.base);
  checkChannel(resource, options.policy, problems);
  adjustNumbers(resource, options.limits, problems);
  const sealed = await seal(write, resource, old ?? {}, options, problems);
  problems.throwIfAny();
  if (sealed.lines.length > 0) (resource['channel'] as Json)['header'] = sealed.lines;
  resource['status'] = nextStatus(resource, old, filters?.adjusted !== undefined);
  setError(resource, old, filters?.adjusted);
  setOwnerTag(resource, ownerCode(owner.clientId));
  return {
    text: JSON.stringify(resource),
    batch: { docs: [ownerDoc(id, owner), secretDoc(id, sealed.secrets, options.sealer)] },
  };
}

/** What a caller sees: never the owner tag; values of headers only as their owner. */
async function present(stored: Stored, caller: Principal, options: RuleOptions): Promise<string> {
  if (stored.text === '') return '';
  const resource = parseKeepingNumbers(stored.text) as Json;
  const mine = ownerTagOf(resource) === ownerCode(caller.clientId);
  const lines = headersOf(resource);
  if (lines.length > 0) {
    const secrets = mine ? await readSecrets(options.store, options.sealer, stored.id) : undefined;
    (resource['channel'] as Json)['header'] = lines.map((line) => {
      const header = openHeader(line, secrets);
      return header ? lineOf(header) : HIDDEN;
    });
  }
  setOwnerTag(resource, undefined);
  return JSON.stringify(resource);
}

export function subscriptionRule(options: RuleOptions): WriteRule<Principal> {
  return {
    type: 'Subscription',
    check: (write) => check(write, options),
    present: (stored, caller) => present(stored, caller, options),
    visibility,
  };
}
