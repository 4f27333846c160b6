/** The ingest room: everything below `/ingest`, as plain requests and answers. CONTRACT §5 */
import type { Principal } from '../access/principal.ts';
import type { Clock } from '../base/clock.ts';
import { VitalwireError } from '../base/errors.ts';
import { mediaType, type PlainRequest, type PlainResponse } from '../base/http.ts';
import type { Limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { Devices } from '../devices/index.ts';
import { kindsListing } from '../devices/kinds.ts';
import type { Store } from '../store/store.ts';
import { administratorsOnly, mayIngest } from './access.ts';
import { adapter as adapterOf } from './adapters/index.ts';
import { failure, ok } from './answer.ts';
import { JSON_TYPE, NDJSON_TYPE } from './body.ts';
import { observationBuilder } from './build/observation.ts';
import { explain } from './explain.ts';
import { createHeldIndex } from './held-index.ts';
import { STATUSES } from './issue.ts';
import { heldList } from './listing.ts';
import { receive } from './receive.ts';
import { replayAll, replayOne } from './replay.ts';
import type { Room } from './room.ts';

export interface IngestOptions {
  readonly store: Store;
  readonly devices: Devices;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Logger;
  /** `{BASE_URL}/fhir`. */
  readonly base: string;
  readonly baseUrl: string;
  readonly unknownDevice: 'hold' | 'create';
}

export interface Ingest {
  /** Path below `/ingest`. Answers errors too; never rejects. */
  handle(request: PlainRequest, principal: Principal): Promise<PlainResponse>;
  /** What can be refused before the body is read: 403, 404, 405, 415. Undefined: go on. */
  refuse(request: Omit<PlainRequest, 'body'>, principal: Principal): PlainResponse | undefined;
  /** An error as an answer of /ingest. */
  failure(error: unknown): PlainResponse;
  /** Answers since the process started, by status and by issue code. */
  metrics(): Readonly<Record<string, number>>;
}

type Handler = (room: Room, request: PlainRequest, principal: Principal) => PlainResponse | Promise<PlainResponse>;

const NOWHERE = new VitalwireError('path.unknown', 'There is nothing at this address below /ingest.');

const COUNTERS = ['received', ...STATUSES].map((name) => `ingest.${name}`);

async function balance(room: Room): Promise<PlainResponse> {
  const found = await room.store.counters(COUNTERS);
  return ok(
    JSON.stringify(Object.fromEntries(COUNTERS.map((name) => [name.slice('ingest.'.length), found[name] ?? 0]))),
  );
}

let kindsText: string | undefined;
function listKinds(): PlainResponse {
  kindsText ??= JSON.stringify({ kinds: kindsListing() });
  return ok(kindsText);
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    throw NOWHERE;
  }
};

function reading(path: string): Handler {
  if (path === '/kinds') return listKinds;
  if (path === '/balance') return balance;
  if (path === '/held') return (room, request, principal) => heldList(room, request.query, principal);
  const explained = /^\/explain\/([^/]+)$/.exec(path)?.[1];
  if (explained === undefined) throw NOWHERE;
  return (room, _request, principal) => {
    if (!principal.admin) throw administratorsOnly();
    return explain(room, decoded(explained).replace(/^Observation\//, ''));
  };
}

/** A value that is not understood is refused: taken for no, it would store what was only to be tried. */
function isDryRun(query: string): boolean {
  const asked = query === '' ? null : new URLSearchParams(query).get('dry-run');
  if (asked === null || asked === 'false') return false;
  if (asked === 'true') return true;
  throw new VitalwireError('request.value', '"dry-run" must be true or false.');
}

function posting(room: Room, request: Omit<PlainRequest, 'body'>, principal: Principal): Handler {
  // Before any look-up: a token that may not ingest does not learn which adapters there are.
  mayIngest(principal, room.base);
  const { path } = request;
  if (path === '/held/$replay') return (r, _request, p) => replayAll(r, p);
  const held = /^\/held\/([^/]+)\/\$replay$/.exec(path)?.[1];
  if (held !== undefined) return (r, _request, p) => replayOne(r, decoded(held), p);
  const adapter = adapterOf(path.slice(1));
  if (!adapter) throw new VitalwireError('path.unknown', 'No adapter or mapping template has this name. Use readings.');
  const media = mediaType(request.headers['content-type']);
  if (media !== JSON_TYPE && media !== NDJSON_TYPE)
    throw new VitalwireError('request.media-type', `Send ${JSON_TYPE} or ${NDJSON_TYPE}.`);
  const dryRun = isDryRun(request.query);
  return (r, { body }, p) => receive(r, { adapter, media, body, dryRun }, p);
}

function route(room: Room, request: Omit<PlainRequest, 'body'>, principal: Principal): Handler {
  const path = request.path.replace(/(?<=.)\/$/, '').replaceAll('%24', '$');
  if (request.method === 'GET' || request.method === 'HEAD') return reading(path);
  if (request.method === 'POST') return posting(room, { ...request, path }, principal);
  throw new VitalwireError('request.method', 'This address takes GET or POST.', {
    headers: { allow: 'GET, HEAD, POST' },
  });
}

export function createIngest(options: IngestOptions): Ingest {
  const { store, limits, log, base } = options;
  const room: Room = {
    ...options,
    build: observationBuilder(base, limits),
    held: createHeldIndex(store, limits),
    counts: { status: { stored: 0, duplicate: 0, held: 0, rejected: 0 }, issues: new Map() },
  };
  return {
    async handle(request, principal) {
      try {
        return await route(room, request, principal)(room, request, principal);
      } catch (error) {
        return failure(error, log);
      }
    },
    refuse(request, principal) {
      try {
        route(room, request, principal);
        return undefined;
      } catch (error) {
        return failure(error, log);
      }
    },
    failure: (error) => failure(error, log),
    metrics: () => ({
      ...Object.fromEntries(STATUSES.map((status) => [`${status}_total`, room.counts.status[status]])),
      ...Object.fromEntries([...room.counts.issues].map(([code, n]) => [`issue_${code}_total`, n])),
    }),
  };
}
