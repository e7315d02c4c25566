import { at, child, equal, freeze, indexOf, isArray, isObject, type Json, type JsonObject, type Path } from './tree.js';

/**
 * One step of a change. `set` sets a member of an object or an element of an array. `unset`
 * deletes a member. `insert` and `remove` add and remove an element, which moves the elements
 * behind it. `increment` adds a number; a missing member counts as 0. `test` fails the change
 * unless the value is there.
 */
export interface Operation {
  readonly kind: 'set' | 'unset' | 'insert' | 'remove' | 'increment' | 'test';
  readonly path: Path;
  readonly value?: Json | undefined;
  /** The value before; undefined if there was none. Not for `insert`, `increment` and `test`. */
  readonly was?: Json | undefined;
  /** An `insert` at the end of the array. */
  readonly end?: boolean;
  /**
   * How many segments of the path must exist. Missing containers behind them are
   * created.
   */
  readonly from?: number;
  /** A `remove` that no client made: the array was created again. */
  readonly gone?: boolean;
  /** Only the result of the other clients' changes is known. They may have incremented a number. */
  readonly guessed?: boolean;
}

/** Thrown when an operation does not fit. */
export class Misfit extends Error {}

/** Reports whether an operation leaves all elements of arrays at their places. */
export function settles({ kind }: Operation): boolean {
  return /set|inc/.test(kind);
}

/** Applies an operation and returns the new value. It shares all unchanged parts with the old one. */
export function apply(root: Json, op: Operation): Json {
  const { kind, path, value } = op;
  if (kind !== 'test') return put(root, op, 0) as Json;
  if (equal(at(root, path), value)) return root;
  throw new Misfit(`${pointer(path)} is another value`);
}

/** An `unset` of a missing member changes nothing. */
function put(v: Json | undefined, op: Operation, depth: number): Json | undefined {
  const { kind, path, value, from = Infinity } = op;
  const segment = path[depth];
  if (segment === undefined) return kind === 'increment' ? sum(v, op) : value;
  const last = depth === path.length - 1;
  const moves = !settles(op);
  if (isArray(v)) {
    const i = indexOf(segment, last && kind === 'insert' ? v.length : v.length - 1);
    if (i !== undefined && !(last && kind === 'unset')) {
      const items = [...v];
      if (!last || !moves) items[i] = put(v[i], op, depth + 1)!;
      else if (kind === 'insert') items.splice(i, 0, value!);
      else items.splice(i, 1);
      return Object.freeze(items);
    }
  } else if (v === undefined && kind === 'insert' && last && depth >= from) {
    return Object.freeze([value!]);
  } else if (v === undefined ? kind === 'unset' || depth >= from : isObject(v) && !(last && moves)) {
    const old = child(v, segment);
    if (kind === 'unset' && old === undefined) return v;
    const { [segment]: _, ...others } = (v ?? {}) as JsonObject;
    if (last && kind === 'unset') return Object.freeze(others);
    // An existing member keeps its place.
    const members = old === undefined ? others : v;
    return Object.freeze({ ...(members as JsonObject), [segment]: put(old, op, depth + 1)! });
  }
  return misfit(path);
}

function misfit(path: Path): never {
  throw new Misfit(`${pointer(path)} does not fit`);
}

function sum(v: Json | undefined = 0, { path, value }: Operation): number {
  if (typeof v === 'number' && typeof value === 'number' && Number.isFinite(v + value)) return v + value;
  return misfit(path);
}

/** Returns the operations that undo the given ones, right after them. */
export function inverse(ops: readonly Operation[]): Operation[] {
  return [...ops].reverse().flatMap(opposite);
}

function opposite({ kind, path, value, was }: Operation): Operation[] {
  if (kind === 'increment') return [{ kind, path, value: -(value as number) }];
  if (kind === 'insert') return [{ kind: 'remove', path, was: value }];
  if (kind === 'remove') return [{ kind: 'insert', path, value: was }];
  if (was !== undefined) return [{ kind: 'set', path, value: was, was: value }];
  return kind === 'set' ? [{ kind: 'unset', path, was: value }] : [];
}

/** Marks others' operations as known only by their result. */
export function guess(ops: readonly Operation[]): Operation[] {
  return ops.map((op) => ({ ...op, guessed: true }));
}

export function applyAll(root: Json, ops: readonly Operation[]): Json {
  return ops.reduce(apply, root);
}

/**
 * Returns the operations that turn `old` into `now`, as few and as deep as possible. Elements of
 * arrays are the same if they have the same `id`. Without an `id`, elements at the same place
 * count as the same, except with `wary`: then it is not known what happened in between. With
 * `whole` an array is replaced.
 */
export function difference(
  old: Json | undefined,
  now: Json | undefined,
  path: Path = [],
  wary?: boolean,
  whole?: boolean,
): Operation[] {
  if (old === now) return [];
  if (now === undefined) return [{ kind: 'unset', path, was: old }];
  if (isObject(old) && isObject(now)) {
    return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((name) =>
      difference(child(old, name), child(now, name), [...path, name], wary, whole),
    );
  }
  if (!whole && isArray(old) && isArray(now)) return elements(old, now, path, wary);
  return replacement(old, now, path);
}

/** Returns the operation that replaces `old` by `now` as a whole. */
export function replacement(old: Json | undefined, now: Json, path: Path): Operation[] {
  return equal(old, now) ? [] : [{ kind: 'set', path, value: freeze(now), was: old }];
}

/**
 * The common elements of both arrays stay, in order. Between them, elements without an `id`
 * at the same place are changed into each other. The rest is inserted or removed.
 */
function elements(old: readonly Json[], now: readonly Json[], path: Path, wary?: boolean): Operation[] {
  const ops: Operation[] = [];
  let [i, n, at] = [0, 0, 0];
  const become = (change: (old: Json, now: Json, path: Path, wary?: boolean) => Operation[]): void => {
    ops.push(...change(old[i++]!, now[n++]!, [...path, `${at++}`], wary));
  };
  for (const [a, b] of [...common(old, now), [old.length, now.length] as const]) {
    while (i < a && n < b && child(old[i], 'id') === undefined) become(wary ? replacement : difference);
    for (; i < a; i++) ops.push({ kind: 'remove', path: [...path, `${at}`], was: old[i] });
    for (; n < b; n++, at++) {
      ops.push({ kind: 'insert', path: [...path, `${at}`], value: freeze(now[n]), end: a === old.length });
    }
    if (a < old.length) become(difference);
  }
  return ops;
}

/** Reports whether two elements are the same element, perhaps at different times. */
function same(a: Json | undefined, b: Json | undefined): boolean {
  const id = child(a, 'id');
  return id === undefined ? equal(a, b) : isObject(b) && equal(id, child(b, 'id'));
}

/** Above this number of comparisons only equal elements at both ends count as common. */
const patience = 250_000;

/** Returns the indices of a longest common subsequence. */
function common(old: readonly Json[], now: readonly Json[]): (readonly [number, number])[] {
  const least = Math.min(old.length, now.length);
  let [head, tail] = [0, 0];
  while (head < least && same(old[head], now[head])) head++;
  while (tail < least - head && same(old.at(-1 - tail), now.at(-1 - tail))) tail++;
  const [rows, columns] = [old.length - head - tail, now.length - head - tail];
  const pairs = Array.from({ length: head }, (_, i) => [i, i] as const);
  if (rows * columns <= patience) pairs.push(...subsequence(old, now, head, rows, columns));
  for (let i = tail; i > 0; i--) pairs.push([old.length - i, now.length - i]);
  return pairs;
}

function subsequence(old: readonly Json[], now: readonly Json[], head: number, rows: number, columns: number) {
  // lengths[i][n] is the number of common elements behind i and n.
  const lengths = Array.from({ length: rows + 1 }, () => new Array<number>(columns + 1).fill(0));
  for (let i = rows - 1; i >= 0; i--) {
    for (let n = columns - 1; n >= 0; n--) {
      lengths[i]![n] = same(old[head + i], now[head + n])
        ? 1 + lengths[i + 1]![n + 1]!
        : Math.max(lengths[i + 1]![n]!, lengths[i]![n + 1]!);
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let [i, n] = [0, 0]; i < rows && n < columns; ) {
    const here = lengths[i]![n]!;
    if (here === lengths[i + 1]![n]!) i++;
    else if (here === lengths[i]![n + 1]!) n++;
    else pairs.push([head + i++, head + n++]);
  }
  return pairs;
}

/** Returns a path as a JSON pointer. */
export function pointer(path: Path): string {
  return path.map((segment) => '/' + segment.replaceAll('~', '~0').replaceAll('/', '~1')).join('');
}
