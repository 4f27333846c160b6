/** New, the same again, a correction, a contradiction: what each reading is to what is stored, and what will be written. */

import { permitsTerms } from '../access/check.ts';
import { VitalwireError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { MaybePromise } from '../base/types.ts';
import type { DeviceView } from '../devices/index.ts';
import { extract } from '../fhir/extract.ts';
import type { Terms } from '../fhir/terms.ts';
import { joinResource, splitResource } from '../fhir/text.ts';
import type { AccessFilter } from '../search/plan.ts';
import type { Draft, KeyHolder, Store, Write } from '../store/store.ts';
import { bodyText, type ObservationBuilder } from './build/observation.ts';
import type { Candidate, Item, Outcome, Pending } from './candidate.ts';
import { compare, type Note, noteText, parseNote, readingKey } from './identity.ts';
import { type Issue, issue } from './issue.ts';
import type { Normal } from './normal.ts';
import { withStatus } from './retract.ts';

export interface Judging {
  readonly store: Store;
  readonly build: ObservationBuilder;
  readonly log: Logger;
  /** `{BASE_URL}/fhir`. */
  readonly base: string;
  /** Instant text. */
  readonly issued: string;
  /** What the token may create, all of them; empty when it is not restricted. */
  readonly accesses: readonly AccessFilter[];
  /** What becomes of a reading that is not permitted; may throw. */
  readonly forbidden: () => Issue;
  readonly originOf: (item: Item) => string;
}

const refused = (found: Issue): Outcome => ({ status: 'refused', issue: found });

const CONFLICT = issue(
  'version.conflict',
  'Another content is stored for this reading and the message has no higher version. Compare the two; a correction needs a higher "version".',
);
const NOTHING_TO_RETRACT = issue(
  'version.conflict',
  'There is no such reading to take back yet. It is tried again when replayed after the reading has come.',
);

/** Only readings that a commit has to do with: those that no stage refused. */
export const isLive = (c: Candidate): boolean => c.outcome === undefined;

export function assignKeys(items: readonly Item[]): string[] {
  const keys: string[] = [];
  for (const item of items)
    for (const c of item.candidates) {
      if (!isLive(c)) continue;
      c.key = readingKey((c.group.found as DeviceView).id, c.measurement, c.moment, c.content ?? '');
      keys.push(c.key);
    }
  return keys;
}

/** One request's readings against the store and against each other. */
export class Judge {
  private readonly to: Judging;
  private readonly holders: ReadonlyMap<string, KeyHolder>;
  private readonly pending = new Map<string, Pending>();

  constructor(to: Judging, holders: readonly KeyHolder[]) {
    this.to = to;
    this.holders = new Map(holders.map((h) => [h.key, h]));
  }

  /** Sets the outcome of a reading whose key is assigned. Readings come in the order of the request, each when the last is done. */
  judge(c: Candidate, item: Item): MaybePromise<void> {
    const set = (outcome: Outcome): void => {
      c.outcome = outcome;
    };
    try {
      const found = this.decide(c, item);
      if (!(found instanceof Promise)) return set(found);
      return found.then(set, (error: unknown) => set(this.broken(c, error)));
    } catch (error) {
      set(this.broken(c, error));
    }
  }

  /** One reading that cannot be made into an Observation never costs the others. */
  private broken(c: Candidate, error: unknown): Outcome {
    if (error instanceof VitalwireError) throw error;
    this.to.log.error({ err: error, kind: c.measurement.kind }, 'a reading could not be made into an Observation');
    return refused(
      issue(
        'store.rejected',
        'The server could not make an Observation of this reading. It is kept; tell the operator.',
      ),
    );
  }

  private decide(c: Candidate, item: Item): Outcome | Promise<Outcome> {
    const key = c.key as string;
    const stored = this.pending.get(key) ?? this.holders.get(key);
    const { version, retracted } = c.measurement;
    if (!stored) {
      if (retracted) return refused(NOTHING_TO_RETRACT);
      return this.file(c, item, this.to.store.newId(), 0, c.normal as Normal);
    }
    const before = parseNote(stored.note);
    const incoming: Note = { content: c.content ?? '', retracted, ...(version === undefined ? {} : { version }) };
    const verdict = compare(before, incoming);
    if (verdict === 'duplicate') return { status: 'duplicate', id: stored.id };
    if (verdict === 'conflict') return refused(CONFLICT);
    if (verdict === 'retract') return this.retract(c, item, stored, before);
    const normal = c.normal as Normal;
    const corrected: Normal = normal.status === 'entered-in-error' ? normal : { ...normal, status: 'corrected' };
    return this.file(c, item, stored.id, stored.version, corrected);
  }

  private file(c: Candidate, item: Item, id: string, follows: number, normal: Normal): Outcome {
    const device = (c.group.found as DeviceView).id;
    const subject = normal.aboutDevice ? device : (c.patient as string);
    const { end, version } = c.measurement;
    const built = this.to.build({
      normal,
      subject,
      device,
      time: c.moment,
      end,
      issued: this.to.issued,
    });
    const draft: Draft = { type: 'Observation', id, meta: built.meta, body: built.body };
    const note: Note = { content: c.content ?? '', retracted: false, ...(version === undefined ? {} : { version }) };
    return this.written(c, item, draft, built.terms, follows, note);
  }

  /** The Observation as it stands, with the status entered-in-error; its history stays. */
  private async retract(c: Candidate, item: Item, stored: Pending | KeyHolder, before: Note): Promise<Outcome> {
    const text =
      'draft' in stored
        ? joinResource('Observation', stored.id, 1, this.to.issued, stored.draft.meta, bodyText(stored.draft.body))
        : await this.currentText(stored.id);
    if (text === undefined) return { status: 'duplicate', id: stored.id };
    const changed = withStatus(text, 'entered-in-error');
    const { meta, body } = splitResource(changed);
    const terms = extract(JSON.parse(changed) as Record<string, unknown>, this.to.base);
    const version = c.measurement.version ?? before.version;
    const note: Note = { content: before.content, retracted: true, ...(version === undefined ? {} : { version }) };
    return this.written(c, item, { type: 'Observation', id: stored.id, meta, body }, terms, stored.version, note);
  }

  private async currentText(id: string): Promise<string | undefined> {
    const stored = await this.to.store.read('Observation', id);
    return stored && !stored.deleted ? stored.text : undefined;
  }

  private written(c: Candidate, item: Item, draft: Draft, terms: Terms, follows: number, note: Note): Outcome {
    const meta = { id: draft.id, lastUpdated: 0 };
    if (!this.to.accesses.every((access) => permitsTerms(access, 'Observation', terms, meta)))
      return refused(this.to.forbidden());
    const key = c.key as string;
    const keyNote = noteText(note);
    this.pending.set(key, { id: draft.id, version: follows + 1, note: keyNote, draft, terms });
    const write: Write = {
      method: follows === 0 ? 'POST' : 'PUT',
      draft,
      terms,
      follows,
      key,
      keyNote,
      origin: this.to.originOf(item),
    };
    return { status: 'stored', id: draft.id, write };
  }
}
