/**
 * _summary and _elements: a part of a resource, cut out of its text so that what is left keeps its bytes, and marked as such.
 * FHIR R4 search.html#summary, search.html#elements
 */
import { VitalwireError } from '../base/errors.ts';
import { itemsAt, membersAt } from '../base/json.ts';
import { typeRow } from '../fhir/definitions.ts';

export interface Subset {
  readonly summary?: 'true' | 'text' | 'data';
  readonly elements?: readonly string[] | undefined;
}

/**
 * What a read asks for. Undefined: all of it.
 * @throws VitalwireError `request.value`
 */
export function subsetOf(query: string): Subset | undefined {
  const params = new URLSearchParams(query);
  const elements = params.get('_elements');
  if (elements) return { elements: elements.split(',') };
  const summary = params.get('_summary');
  if (summary === 'true' || summary === 'text' || summary === 'data') return { summary };
  if (summary !== null && summary !== 'false')
    throw new VitalwireError('request.value', '_summary of a read is true, text, data or false.', {
      expression: ['_summary'],
    });
  return undefined;
}

// FHIR R4 search.html#elements: what identifies and what may change the meaning is always there.
const ALWAYS = ['resourceType', 'id', 'meta', 'implicitRules', 'modifierExtension'];

interface Named {
  readonly summary: boolean;
  readonly mandatory: boolean;
  /** Name of the nested type, whose elements have marks of their own. */
  readonly nested?: string | undefined;
}

const tables = new Map<string, ReadonlyMap<string, Named>>();

/** The members that an object of this type may have, by their names in JSON. */
function membersOf(type: string): ReadonlyMap<string, Named> {
  let table = tables.get(type);
  if (!table) {
    const found = new Map<string, Named>();
    for (const { name, choice, min, summary, types } of typeRow(type)?.elements ?? []) {
      const nested = types.find((each) => each.name.includes('.'))?.name;
      for (const { suffix } of choice ? types : [{ suffix: '' }])
        found.set(name + suffix, { summary, mandatory: min > 0, nested });
    }
    table = found;
    tables.set(type, table);
  }
  return table;
}

type Keep = (name: string, of: ReadonlyMap<string, Named>) => boolean;

/** The text of the part that is wanted. */
export function subset(text: string, wanted: Subset): string {
  const type = JSON.parse(memberText(text, 'resourceType') ?? '""') as string;
  const kept = cut(text, 0, type, keepOf(wanted), wanted.summary === 'true');
  return marked(kept);
}

function keepOf({ summary, elements }: Subset): Keep {
  if (summary === 'data') return (name) => name !== 'text';
  if (summary === 'text') return (name, of) => ALWAYS.includes(name) || name === 'text' || !!of.get(name)?.mandatory;
  if (summary === 'true')
    return (name, of) => name === 'resourceType' || !!of.get(name)?.summary || !!of.get(name)?.mandatory;
  // `Observation.status` and `name.family` mean the element at the top.
  const names = new Set(
    (elements ?? []).map(
      (path) =>
        path
          .trim()
          .replace(/^[A-Z][A-Za-z]*\./, '')
          .split('.', 1)[0],
    ),
  );
  return (name, of) => {
    const row = of.get(name);
    return ALWAYS.includes(name) || !!row?.mandatory || names.has(name) || names.has(name.replace(/[A-Z].*$/, ''));
  };
}

/** The object at `at` with the members that are kept; below it everything, unless `deep`. */
function cut(text: string, at: number, type: string, keep: Keep, deep: boolean): string {
  const of = membersOf(type);
  const parts: string[] = [];
  for (const member of membersAt(text, at)) {
    const name = member.name.startsWith('_') ? member.name.slice(1) : member.name;
    if (!keep(name, of)) continue;
    const nested = deep ? of.get(name)?.nested : undefined;
    parts.push(
      nested === undefined
        ? text.slice(member.start, member.valueEnd)
        : text.slice(member.start, member.valueStart) + below(text, member.valueStart, nested, keep),
    );
  }
  return `{${parts.join(',')}}`;
}

function below(text: string, at: number, type: string, keep: Keep): string {
  if (text[at] !== '[') return cut(text, at, type, keep, true);
  return `[${itemsAt(text, at).map(([start]) => cut(text, start, type, keep, true))}]`;
}

function memberText(text: string, name: string): string | undefined {
  const found = membersAt(text).find((member) => member.name === name);
  return found && text.slice(found.valueStart, found.valueEnd);
}

const SUBSETTED = '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}';

/** FHIR R4 search.html#summary: the tag SUBSETTED keeps a part from being written back as the whole. */
function marked(text: string): string {
  const meta = membersAt(text).find((member) => member.name === 'meta');
  if (!meta) return `${text.slice(0, -1)},"meta":{"tag":[${SUBSETTED}]}}`;
  const members = membersAt(text, meta.valueStart);
  const tag = members.find((member) => member.name === 'tag');
  if (tag) return `${text.slice(0, tag.valueEnd - 1)},${SUBSETTED}${text.slice(tag.valueEnd - 1)}`;
  const comma = members.length > 0 ? ',' : '';
  return `${text.slice(0, meta.valueEnd - 1)}${comma}"tag":[${SUBSETTED}]${text.slice(meta.valueEnd - 1)}`;
}
