import { equal, isObject, type Path } from './tree.js';
import type { Operation } from './operation.js';

/** Operations that were made to a value, to be made to it after some others instead. */
export interface Transformed {
  /** Undefined: they can not be, because the others changed the same. */
  readonly ops: readonly Operation[] | undefined;
  /** The others, as they are after `ops`. */
  readonly others: readonly Operation[];
}

export function transform(ops: readonly Operation[], others: readonly Operation[]): Transformed {
  const result: Operation[] = [];
  let past = others.flatMap(leaves);
  for (const op of ops) {
    for (const part of past.some((other) => leads(op.path, other.path)) ? leaves(op) : [op]) {
      let moved: Operation | null | undefined = part;
      const behind: Operation[] = [];
      for (const other of past) {
        const pushed: Operation | null | undefined = moved ? after(other, moved, false) : other;
        if (moved) moved = after(moved, other, true);
        if (moved === undefined) return { ops: undefined, others };
        if (pushed !== null) behind.push(pushed ?? other);
      }
      if (moved) result.push(moved);
      past = behind;
    }
  }
  return { ops: result, others: past };
}

/** What takes back how operations moved elements of arrays. */
export function unmove(ops: readonly Operation[]): Operation[] {
  return ops
    .filter(({ kind }) => kind === 'insert' || kind === 'remove')
    .map(({ kind, path }): Operation => ({ kind: kind === 'insert' ? 'remove' : 'insert', path }))
    .reverse();
}

/** An object that is new as its members, because others may make the same object. */
export function leaves(op: Operation): Operation[] {
  const { kind, path, value, was, from = path.length } = op;
  const members = kind === 'set' && was === undefined && isObject(value) ? Object.entries(value) : [];
  if (!members.length) return [op];
  return members.flatMap(([name, inner]) => leaves({ kind, path: [...path, name], value: inner, from }));
}

/** Whether `to` is at or below `path`. */
function leads(path: Path, to: Path): boolean {
  return path.length <= to.length && path.every((segment, i) => segment === to[i]);
}

/**
 * An operation after another one that was made to the same value. Null: it is done
 * already; undefined: they collide. Of two elements that are inserted at one place
 * the one that comes `later` stands behind the other.
 */
function after(op: Operation, other: Operation, later: boolean): Operation | null | undefined {
  if (other.kind === 'test') return op;
  if (other.kind === 'insert' || other.kind === 'remove') return shifted(op, other, later);
  const { kind, path } = op;
  // It is tested again, where it is made.
  if (kind === 'test') return op;
  // An element that is inserted is not what stands at its place.
  if (kind === 'insert') return leads(other.path, path.slice(0, -1)) ? undefined : op;
  if (!leads(path, other.path) && !leads(other.path, path)) return op;
  const same = kind === other.kind && path.length === other.path.length && equal(op.value, other.value);
  return same ? op : undefined;
}

/** After an element came or went. */
function shifted(op: Operation, { kind, path: place, gone }: Operation, later: boolean): Operation | null | undefined {
  const { path } = op;
  const list = place.slice(0, -1);
  if (!leads(list, path) || path.length === list.length) {
    const above = leads(path, list) && op.kind !== 'insert' && op.kind !== 'test';
    return above ? undefined : op;
  }
  const [here, there] = [+path[list.length]!, +place.at(-1)!];
  const between = op.kind === 'insert' && path.length === place.length;
  if (here < there) return op;
  if (kind === 'insert') return here > there || !between || later ? step(op, list.length, 1) : op;
  if (here > there) return step(op, list.length, -1);
  if (between) return op;
  return op.kind === 'remove' && path.length === place.length && !gone ? null : undefined;
}

function step(op: Operation, depth: number, by: number): Operation {
  return { ...op, path: op.path.map((segment, i) => (i === depth ? `${+segment + by}` : segment)) };
}
