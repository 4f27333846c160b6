/**
 * SEED_FILE: clients, users and resources applied at every start in one transaction. An entry is written when it is new or was
 * changed in the file since it was last applied; what was changed at run time stays. CONTRACT §2 SEED_FILE.
 */
import { readFileSync } from 'node:fs';
import { clientDoc, validateClient } from '../auth/clients.ts';
import { userDoc, validateUser } from '../auth/users.ts';
import { StartError, VitalwireError } from '../base/errors.ts';
import { sha256Hex } from '../base/hash.ts';
import { itemsAt, membersAt } from '../base/json.ts';
import type { Sealer } from '../base/secret.ts';
import { isResourceType } from '../fhir/definitions.ts';
import { validate } from '../fhir/validate.ts';
import type { RestContext } from '../rest/context.ts';
import { merge, type Prepared, prepare, type WriteRequest } from '../rest/write.ts';
import type { Batch, DocWrite } from '../store/store.ts';

const APPLIED = 'seed-applied';
const LISTS = ['clients', 'users', 'resources'] as const;
type List = (typeof LISTS)[number];

interface Entry {
  readonly list: List;
  readonly key: string;
  readonly text: string;
  readonly value: Record<string, unknown>;
}

export interface SeedOutcome {
  readonly written: number;
  readonly unchanged: number;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new StartError(`SEED_FILE ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? cause}.`);
  }
}

/** Entries with their text as it stands in the file, so that `37.00` is stored as `37.00`. */
function parseSeed(path: string, warn: (sentence: string) => void): Entry[] {
  const text = readText(path);
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (cause) {
    throw new StartError(`SEED_FILE ${path} is not JSON: ${(cause as Error).message}.`);
  }
  if (typeof root !== 'object' || root === null || Array.isArray(root))
    throw new StartError(`SEED_FILE ${path} must be a JSON object with the lists clients, users and resources.`);
  const mistakes: string[] = [];
  const entries: Entry[] = [];
  for (const member of membersAt(text)) {
    const list = LISTS.find((name) => name === member.name);
    if (!list) {
      warn(`SEED_FILE: unknown field ${member.name} is ignored`);
      continue;
    }
    const values = (root as Record<string, unknown>)[list];
    if (!Array.isArray(values)) {
      mistakes.push(`SEED_FILE: ${list} must be a list.`);
      continue;
    }
    itemsAt(text, member.valueStart).forEach(([start, end], i) => {
      const value: unknown = values[i];
      const at = `${list}[${i}]`;
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        mistakes.push(`SEED_FILE: ${at} must be an object.`);
        return;
      }
      const record = value as Record<string, unknown>;
      const found = list === 'resources' ? resourceMistakes(record, at) : accountMistakes(list, record, at, warn);
      mistakes.push(...found.map((m) => `SEED_FILE: ${m}`));
      entries.push({ list, key: keyOf(list, record), text: text.slice(start, end), value: record });
    });
  }
  mistakes.push(...doubles(entries));
  if (mistakes.length > 0) throw new StartError(mistakes);
  return entries;
}

function doubles(entries: readonly Entry[]): string[] {
  const seen = new Set<string>();
  return entries.flatMap((e) => {
    const name = `${e.list}/${e.key}`;
    if (seen.has(name)) return [`SEED_FILE: ${e.list} has ${e.key} twice.`];
    seen.add(name);
    return [];
  });
}

function keyOf(list: List, value: Record<string, unknown>): string {
  if (list === 'clients') return String(value['client_id']);
  if (list === 'users') return String(value['username']);
  return `${String(value['resourceType'])}/${String(value['id'])}`;
}

function accountMistakes(
  list: 'clients' | 'users',
  value: Record<string, unknown>,
  at: string,
  warn: (s: string) => void,
): string[] {
  const { mistakes, warnings } = list === 'clients' ? validateClient(value, at) : validateUser(value, at);
  for (const warning of warnings) warn(`SEED_FILE: ${warning}`);
  return mistakes;
}

function resourceMistakes(resource: Record<string, unknown>, at: string): string[] {
  const { resourceType, id } = resource;
  if (typeof resourceType !== 'string' || !isResourceType(resourceType))
    return [
      `${at} (${String(id ?? 'without id')}): resourceType ${String(resourceType)} is not a FHIR R4 resource type.`,
    ];
  if (typeof id !== 'string' || !/^[A-Za-z0-9\-.]{1,64}$/.test(id))
    return [`${at} (${resourceType}): a resource needs an id of 1 to 64 letters, digits, "-" or ".".`];
  return validate(resource)
    .filter((issue) => issue.severity === 'error')
    .map((issue) => `${at} (${resourceType}/${id}): ${issue.expression.join(', ')}: ${issue.details}`);
}

async function entryDocs(entry: Entry, sealer: Sealer): Promise<DocWrite> {
  if (entry.list === 'clients') {
    const { client } = validateClient(entry.value, entry.key);
    return clientDoc(client!, sealer);
  }
  const { user } = validateUser(entry.value, entry.key);
  return userDoc(user!, sealer);
}

/** @throws StartError with every mistake in the file. */
export async function applySeed(path: string, ctx: RestContext, sealer: Sealer): Promise<SeedOutcome> {
  const entries = parseSeed(path, (sentence) => ctx.log.warn(sentence));
  for (let attempt = 0; attempt <= ctx.limits.conflictRetriesMax; attempt++) {
    const outcome = await tryApply(entries, ctx, sealer);
    if (outcome) return outcome;
  }
  throw new StartError(
    `SEED_FILE ${path} could not be applied: another process keeps changing the same resources. Start again.`,
  );
}

async function tryApply(entries: readonly Entry[], ctx: RestContext, sealer: Sealer): Promise<SeedOutcome | undefined> {
  const docs: DocWrite[] = [];
  const requests: WriteRequest[] = [];
  let unchanged = 0;
  for (const entry of entries) {
    const key = `${entry.list}/${entry.key}`;
    const hash = sha256Hex(entry.text);
    if ((await ctx.store.doc(APPLIED, key))?.body === hash) {
      unchanged++;
      continue;
    }
    docs.push({ op: 'put', doc: { collection: APPLIED, key, body: hash } });
    if (entry.list === 'resources') requests.push(await resourceRequest(entry, ctx));
    else docs.push(await entryDocs(entry, sealer));
  }
  if (docs.length === 0) return { written: 0, unchanged };
  const batches: Batch[] = [{ docs }];
  const prepared: Prepared[] = [];
  for (const request of requests) {
    try {
      const one = await prepare(ctx, request, requests);
      prepared.push(one);
      batches.push({ writes: [one.write] }, one.batch);
    } catch (error) {
      if (error instanceof VitalwireError)
        throw new StartError(`SEED_FILE: ${request.type}/${request.id}: ${error.message}`);
      throw error;
    }
  }
  const committed = await ctx.store.commit(merge(batches));
  if (!committed.ok) return undefined;
  for (const one of prepared) one.committed();
  return { written: docs.length, unchanged };
}

async function resourceRequest(entry: Entry, ctx: RestContext): Promise<WriteRequest> {
  const type = entry.value['resourceType'] as string;
  const id = entry.value['id'] as string;
  const before = await ctx.store.read(type, id);
  return { method: 'PUT', type, id, text: entry.text, resource: entry.value, before };
}
