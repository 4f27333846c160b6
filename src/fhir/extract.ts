/**
 * Search terms of a resource. The paths of all parameters of a type are merged into one tree of properties that is walked once:
 * what the resource does not have costs nothing. Shape is decided by the JSON: an array is many, anything else is one.
 */
import { type At, type Leaf, newSink, type TermsSink } from './extract-sink.ts';
import { leafOf, presentNotFalse } from './extract-terms.ts';
import { paramPaths, STORE_PARAMS } from './search-params.ts';
import type { Terms } from './terms.ts';

type Obj = Record<string, unknown>;

/** What to do with the value of a property. */
interface Edge {
  readonly leaves: Leaf[];
  children?: Node | undefined;
  /** Only with items whose `key` is `value`. */
  readonly filtered: { key: string; value: string; edge: Edge }[];
  /** Only with the item at this place. */
  readonly indexed: { index: number; edge: Edge }[];
}
type Node = Map<string, Edge>;

/** With at most this many properties it is cheaper to ask for each than to go through those that are there. */
const FEW_PROPERTIES = 4;

const newEdge = (): Edge => ({ leaves: [], filtered: [], indexed: [] });

/** The edge that a step leads to, made when it is not there: `name`, `name*`, `name*?key=value`, `name#0`. */
function edgeOf(node: Node, step: string): Edge {
  const [, name = '', , index, key, value] = /^([^*#?]+)(\*)?(?:#(\d+))?(?:\?([^=]+)=(.*))?$/.exec(step) ?? [];
  const edge = node.get(name) ?? newEdge();
  node.set(name, edge);
  if (index !== undefined) {
    const made = newEdge();
    edge.indexed.push({ index: Number(index), edge: made });
    return made;
  }
  if (key === undefined || value === undefined) return edge;
  const known = edge.filtered.find((f) => f.key === key && f.value === value);
  if (known) return known.edge;
  const made = newEdge();
  edge.filtered.push({ key, value, edge: made });
  return made;
}

function addLeaf(node: Node, steps: readonly string[], leaf: Leaf): void {
  let at = node;
  let edge: Edge | undefined;
  for (const step of steps) {
    if (edge) at = edge.children ??= new Map();
    edge = edgeOf(at, step);
  }
  edge?.leaves.push(leaf);
}

function visitItem(edge: Edge, item: unknown, sink: TermsSink, at: At): void {
  if (item === undefined || item === null) return;
  for (let i = 0; i < edge.leaves.length; i++) (edge.leaves[i] as Leaf)(sink, item, at);
  if (typeof item !== 'object') return;
  if (edge.children) walk(edge.children, item as Obj, sink, at);
  for (const f of edge.filtered) if ((item as Obj)[f.key] === f.value) visitItem(f.edge, item, sink, at);
}

function visit(edge: Edge, value: unknown, sink: TermsSink, at: At): void {
  if (!Array.isArray(value)) {
    visitItem(edge, value, sink, at);
    return;
  }
  for (let i = 0; i < value.length; i++) visitItem(edge, value[i], sink, at);
  for (const { index, edge: to } of edge.indexed) visitItem(to, value[index], sink, at);
}

function walk(node: Node, value: Obj, sink: TermsSink, at: At): void {
  if (node.size <= FEW_PROPERTIES) {
    for (const [name, edge] of node) if (value[name] !== undefined) visit(edge, value[name], sink, at);
    return;
  }
  for (const name in value) {
    const edge = node.get(name);
    if (edge) visit(edge, value[name], sink, at);
  }
}

interface Part {
  readonly local: Node;
  readonly ofRoot: Node;
}

const count = (s: TermsSink): number =>
  s.token.length +
  s.string.length +
  s.date.length +
  s.number.length +
  s.quantity.length +
  s.reference.length +
  s.uri.length;

const anyOf = (part: Part, value: Obj): boolean => {
  if (part.ofRoot.size > 0) return true;
  for (const name of part.local.keys()) if (value[name] !== undefined) return true;
  return false;
};

/** One occurrence of a composite: only when each of its parts has a term there. */
const compositeLeaf =
  (param: string, parts: readonly Part[]): Leaf =>
  (sink, value, at) => {
    const of = value as Obj;
    for (let i = parts.length - 1; i >= 0; i--) if (!anyOf(parts[i] as Part, of)) return;
    const inner = newSink();
    let before = 0;
    for (const part of parts) {
      walk(part.local, of, inner, at);
      if (part.ofRoot.size > 0) walk(part.ofRoot, at.root, inner, at);
      const now = count(inner);
      if (now === before) return;
      before = now;
    }
    sink.composite.push({ param, parts: inner });
  };

function compilePart(part: { param: string; type: string; paths: readonly string[] }): Part {
  const local: Node = new Map();
  const ofRoot: Node = new Map();
  for (const path of part.paths) {
    const [dataType = '', ...steps] = path.split(' ');
    const leaf = leafOf(part.type, dataType, part.param, []);
    if (steps[0] === '^') addLeaf(ofRoot, steps.slice(1), leaf);
    else addLeaf(local, steps, leaf);
  }
  return { local, ofRoot };
}

interface Extractor {
  readonly node: Node;
  /** On the resource itself. */
  readonly leaves: readonly Leaf[];
}
const NOTHING: Extractor = { node: new Map(), leaves: [] };

function compile(type: string): Extractor {
  const node: Node = new Map();
  const leaves: Leaf[] = [];
  for (const { param, paths, contexts, parts } of paramPaths(type).values()) {
    if (STORE_PARAMS.has(param.code)) continue;
    for (const path of paths) {
      const [dataType = '', ...steps] = path.split(' ');
      if (dataType === 'PresentNotFalse') leaves.push(presentNotFalse(param.code, steps));
      else addLeaf(node, steps, leafOf(param.type, dataType, param.code, param.targets));
    }
    if (parts.length === 0) continue;
    const leaf = compositeLeaf(param.code, parts.map(compilePart));
    for (const context of contexts) {
      const steps = context.split(' ').slice(1);
      if (steps.length === 0) leaves.push(leaf);
      else addLeaf(node, steps, leaf);
    }
  }
  return { node, leaves };
}

const extractors = new Map<string, Extractor>();
function extractorOf(type: string): Extractor {
  const known = extractors.get(type);
  if (known) return known;
  if (paramPaths(type).size === 0) return NOTHING;
  const made = compile(type);
  extractors.set(type, made);
  return made;
}

/**
 * The terms of all search parameters of the resource's type, in no order; a term stands twice when the resource says it twice.
 * `base` is the FHIR base URL of this server: references below it are those of its own resources.
 */
export function extract(resource: Record<string, unknown>, base: string): Terms {
  const sink = newSink();
  const { node, leaves } = extractorOf(String(resource['resourceType']));
  const at: At = { root: resource, base };
  for (let i = 0; i < leaves.length; i++) (leaves[i] as Leaf)(sink, resource, at);
  walk(node, resource, sink, at);
  return sink;
}
