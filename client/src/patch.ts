import { apply, applyAll, difference, Misfit, pointer, replacement, type Operation } from './operation.js';
import { at, child, copy, equal, freeze, indexOf, isArray, isObject } from './tree.js';
import type { Json, JsonObject, Path } from './tree.js';

/** A step of a JSON patch (RFC 6902). `increment` is an extension: it adds `value` to a number. */
export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'test' | 'increment';
  /** A JSON pointer. `-` behind an array is the place after its last element. */
  readonly path: string;
  readonly value?: unknown;
}

/** An object is a merge patch (RFC 7396): null deletes. An array is a JSON patch (RFC 6902). */
export type Patch = { readonly [name: string]: unknown } | readonly PatchOperation[];

/** The effect of a patch on a value. */
export interface Effect {
  readonly value: Json;
  readonly ops: readonly Operation[];
}

/** Throws {@link Misfit} if the patch does not fit. */
export function resolve(root: Json, patch: Patch): Effect {
  if (!isArray(patch)) {
    const ops = merge(root, patch as JsonObject, []);
    return { value: applyAll(root, ops), ops };
  }
  let value = root;
  const ops = (patch as readonly PatchOperation[]).flatMap((step) => {
    const steps = operations(value, step);
    value = applyAll(value, steps);
    return steps;
  });
  return { value, ops };
}

/** Returns the operations of a merge patch. */
function merge(target: Json, patch: JsonObject, path: Path): Operation[] {
  return Object.entries(patch).flatMap(([name, value]) => {
    const here = [...path, name];
    const old = child(target, name);
    if (value === null) return [{ kind: 'unset', path: here, was: old }];
    if (isObject(value) && isObject(old)) return merge(old, value, here);
    return difference(old, isObject(value) ? applyAll({}, merge({}, value, [])) : value, here, true);
  });
}

/** Returns the operations of a step of a JSON patch. */
function operations(root: Json, { op, path, value: given }: PatchOperation): Operation[] {
  const here = segments(path);
  const value = given as Json;
  const old = at(root, here);
  const list = at(root, here.slice(0, -1));
  if (!/^(add|remove|replace|test|increment)$/.test(op)) throw new Misfit(`${op} is no operation`);
  if (op !== 'remove' && value === undefined) throw new Misfit(`${op} ${path} has no value`);
  if (op === 'test' || op === 'increment') return [{ kind: op, path: here, value: freeze(value) }];
  const whole = op === 'remove' && !path;
  if (op !== 'add' && (old === undefined || whole)) throw new Misfit(`${path} does not fit`);
  if (!path) return difference(old, value, here, true);
  if (op === 'remove') return [{ kind: isArray(list) ? 'remove' : 'unset', path: here, was: old }];
  if (!isArray(list) || op === 'replace') return replacement(old, value, here);
  const end = here.at(-1) === '-';
  const i = end ? list.length : indexOf(here.at(-1)!, list.length);
  if (i === undefined) throw new Misfit(`${path} does not fit`);
  return [{ kind: 'insert', path: [...here.slice(0, -1), `${i}`], value: freeze(value), end }];
}

export function segments(path: string): string[] {
  if (path && path[0] !== '/') throw new Misfit(`${path} is no pointer`);
  return path.split('/').slice(1).map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * Returns the patch for the operations: a merge patch if possible, because then others may
 * fill the same object at the same time. Undefined if the operations change nothing.
 */
export function encode(root: Json, ops: readonly Operation[]): Patch | undefined {
  const value = applyAll(root, ops);
  if (equal(root, value)) return undefined;
  const merging = asMerge(ops);
  try {
    if (merging && equal(resolve(root, merging).value, value)) return merging;
  } catch {
    // The merge patch does not fit.
  }
  const steps = asSteps(root, ops);
  // Increments are sent one by one. Otherwise they would become set values.
  const counts = ops.some(({ kind }) => kind === 'increment');
  return steps.length > most && !counts ? asSteps(root, difference(root, value, [], false, true)) : steps;
}

/** The most operations that a room accepts in one change by default. */
const most = 256;

/** Returns a merge patch, which may do the same as the operations. */
function asMerge(ops: readonly Operation[]): Patch | undefined {
  const patch: Record<string, Json> = {};
  for (const { kind, path, value } of ops) {
    let into = patch;
    if (!path.length || !kind.endsWith('set')) return undefined;
    for (const segment of path.slice(0, -1)) {
      if (!isObject(child(into, segment))) into[segment] = {};
      into = into[segment] as typeof into;
    }
    into[path.at(-1)!] = kind === 'set' ? copy(value!) : null;
  }
  return patch;
}

/** Returns the operations as a JSON patch. */
export function asSteps(root: Json, ops: readonly Operation[]): PatchOperation[] {
  return ops.flatMap((op): PatchOperation[] => {
    const before = root;
    root = apply(root, op);
    const { kind, path, value, end } = op;
    // The length of the existing part of the path, plus one step.
    let n = 1;
    while (n < path.length && at(before, path.slice(0, n)) !== undefined) n++;
    const here = pointer(path.slice(0, n));
    if (kind === 'test' || (kind === 'increment' && n === path.length)) return [{ op: kind, path: here, value }];
    if (value === undefined) {
      // The patch also tests that the place is empty, because other clients may set it.
      const missing = at(before, path) === undefined;
      return [...(missing ? [{ op: 'add', path: here, value: null } as const] : []), { op: 'remove', path: here }];
    }
    // The first missing container on the path is added with its contents.
    const list = at(before, path.slice(0, n - 1));
    const added = path.slice(n).reduceRight<Json>((inner, segment) => ({ [segment]: inner }), value!);
    if (kind !== 'insert') {
      const replaced = !path.length || isArray(list);
      return [{ op: replaced ? 'replace' : 'add', path: here, value: added }];
    }
    const last = end && isArray(list) && list.length === +path.at(-1)!;
    return [{ op: 'add', path: last ? `${pointer(path.slice(0, -1))}/-` : pointer(path), value }];
  });
}
