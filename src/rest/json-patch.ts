/**
 * JSON Patch (RFC 6902) on values parsed by `parseKeepingNumbers`, so that numbers which are not touched keep their digits.
 * All operations are applied to a value of the patch's own; when one fails nothing of it is used.
 */
import { VitalwireError } from '../base/errors.ts';
import { parseKeepingNumbers } from '../base/json.ts';

type Container = Record<string, unknown> | unknown[];
interface Operation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: readonly string[];
  readonly from?: readonly string[];
  readonly value?: unknown;
}

const OPS: ReadonlySet<unknown> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);
const WITH_VALUE: ReadonlySet<unknown> = new Set(['add', 'replace', 'test']);
const WITH_FROM: ReadonlySet<unknown> = new Set(['move', 'copy']);
// Names that would reach an object's prototype; no FHIR element is called so.
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const INDEX = /^(0|[1-9]\d{0,8})$/;

const malformed = (n: number, why: string): VitalwireError =>
  new VitalwireError('request.invalid', `Operation ${n} of the patch ${why}`, { expression: [`[${n}]`] });

/** RFC 6901 */
function parsePointer(pointer: unknown, n: number, member: string): string[] {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/')))
    throw malformed(n, `needs "${member}", a JSON Pointer such as /name/0/family.`);
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (parts.some((part) => FORBIDDEN.has(part))) throw malformed(n, `names something that no resource has.`);
  return parts;
}

/** @throws VitalwireError `request.malformed` or `request.invalid` */
export function parsePatch(text: string): Operation[] {
  let value: unknown;
  try {
    value = parseKeepingNumbers(text);
  } catch (cause) {
    throw new VitalwireError('request.malformed', 'The body is not valid JSON. Send a JSON Patch document.', { cause });
  }
  if (!Array.isArray(value))
    throw new VitalwireError('request.invalid', 'A JSON Patch is an array of operations (RFC 6902).');
  return value.map((item: unknown, n) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) throw malformed(n, 'is not an object.');
    const { op, path, from } = item as Record<string, unknown>;
    if (!OPS.has(op)) throw malformed(n, 'needs "op": add, remove, replace, move, copy or test.');
    if (WITH_VALUE.has(op) && !Object.hasOwn(item, 'value')) throw malformed(n, 'needs "value".');
    return {
      op: op as Operation['op'],
      path: parsePointer(path, n, 'path'),
      ...(WITH_FROM.has(op) ? { from: parsePointer(from, n, 'from') } : {}),
      value: (item as Record<string, unknown>)['value'],
    };
  });
}

const failed = (n: number, why: string): VitalwireError =>
  new VitalwireError('resource.rule', `Operation ${n} of the patch cannot be applied: ${why}`, {
    expression: [`[${n}]`],
  });

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null && !isRawNumber(value);

/** A number that keeps its text (see `parseKeepingNumbers`). */
const isRawNumber = (value: unknown): boolean =>
  (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);

function step(value: unknown, part: string, n: number): unknown {
  if (Array.isArray(value) && INDEX.test(part) && Number(part) < value.length) return value[Number(part)];
  if (isContainer(value) && !Array.isArray(value) && Object.hasOwn(value, part)) return value[part];
  throw failed(n, 'its path leads nowhere.');
}

const at = (root: unknown, path: readonly string[], n: number): unknown =>
  path.reduce((value: unknown, part) => step(value, part, n), root);

/** Where a path ends: the container and the name or index in it. */
function target(root: unknown, path: readonly string[], n: number): { container: Container; name: string } {
  const container = at(root, path.slice(0, -1), n);
  if (!isContainer(container)) throw failed(n, 'its path leads into a value that has no members.');
  return { container, name: path.at(-1) as string };
}

function add(root: unknown, path: readonly string[], value: unknown, n: number): unknown {
  if (path.length === 0) return value;
  const { container, name } = target(root, path, n);
  if (!Array.isArray(container)) container[name] = value;
  else if (name === '-') container.push(value);
  else if (INDEX.test(name) && Number(name) <= container.length) container.splice(Number(name), 0, value);
  else throw failed(n, 'its path names no place in the list.');
  return root;
}

function remove(root: unknown, path: readonly string[], n: number): unknown {
  if (path.length === 0) throw failed(n, 'the whole resource cannot be removed.');
  const { container, name } = target(root, path, n);
  step(container, name, n);
  if (Array.isArray(container)) container.splice(Number(name), 1);
  else delete container[name];
  return root;
}

function replace(root: unknown, path: readonly string[], value: unknown, n: number): unknown {
  if (path.length === 0) return value;
  const { container, name } = target(root, path, n);
  step(container, name, n);
  if (Array.isArray(container)) container[Number(name)] = value;
  else container[name] = value;
  return root;
}

/** RFC 6902 §4.6: numbers are equal by value, objects whatever the order of their members. */
export function equal(a: unknown, b: unknown): boolean {
  if (isRawNumber(a) || isRawNumber(b)) {
    const number = (x: unknown): number => Number(isRawNumber(x) ? (x as { rawJSON: string }).rawJSON : x);
    return (
      (typeof a === 'number' || isRawNumber(a)) && (typeof b === 'number' || isRawNumber(b)) && number(a) === number(b)
    );
  }
  if (!isContainer(a) || !isContainer(b)) return a === b;
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => equal(x, b[i]));
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((x) => Object.hasOwn(b, x) && equal(a[x], b[x]));
}

/** What operations may still add, in characters: repeated copies of the whole would else double without end. */
interface Budget {
  left: number;
}

/** A value of its own: what was copied must not change with its source. */
function copy(value: unknown, budget: Budget): unknown {
  const text = JSON.stringify(value);
  budget.left -= text.length;
  if (budget.left < 0)
    throw new VitalwireError('request.too-large', 'The patch makes the resource too large. Send a smaller one.');
  return parseKeepingNumbers(text);
}

const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.every((part, i) => path[i] === part);

function apply(root: unknown, { op, path, from = [], value }: Operation, n: number, budget: Budget): unknown {
  switch (op) {
    case 'add':
      return add(root, path, copy(value, budget), n);
    case 'remove':
      return remove(root, path, n);
    case 'replace':
      return replace(root, path, copy(value, budget), n);
    case 'copy':
      return add(root, path, copy(at(root, from, n), budget), n);
    case 'move': {
      const moved = at(root, from, n);
      if (path.length > from.length && startsWith(path, from)) throw failed(n, 'a value cannot be moved into itself.');
      return add(remove(root, from, n), path, moved, n);
    }
    case 'test':
      if (!equal(at(root, path, n), value)) throw failed(n, 'the value is not the one that is tested for.');
      return root;
  }
}

/**
 * The text of the patched resource.
 * @param bytesMax bound on what the operations may add.
 * @throws VitalwireError `resource.rule` (422) when an operation does not apply, `request.too-large`.
 */
export function patchText(text: string, operations: readonly Operation[], bytesMax: number): string {
  const budget: Budget = { left: bytesMax };
  let root = parseKeepingNumbers(text);
  for (const [n, operation] of operations.entries()) root = apply(root, operation, n, budget);
  return JSON.stringify(root);
}

export type { Operation as PatchOperation };
