import { equal, isObject, type Path } from './tree.js';
import { settles, type Operation } from './operation.js';

/** Operations made to a value, transformed to come after others. */
export interface Transformed {
  /** The operations; undefined if they collide, because the others changed the same. */
  readonly ops: readonly Operation[] | undefined;
  /** The others, transformed to come after `ops`. */
  readonly others: readonly Operation[];
}

/**
 * Transforms operations to come after others. All pass or none. It is a collision
 *
 * - if one of them changes what one of the others changed, unless both increment it;
 * - if one of them does what one of the others did already. The rest may rely on doing that alone:
 *   two users must not both get one seat. An update that does nothing else passes.
 *
 * `own`: the others take back updates of this page. Then setting one value passes, whatever was there before.
 */
export function transform(ops: readonly Operation[], others: readonly Operation[], own = false): Transformed {
  const result: Operation[] = [];
  const none = { ops: undefined, others };
  const alone = acting(ops) === 1;
  let past = others.flatMap(leaves);
  // A removal passes only if the other removal is alone, too: the other may have moved the value.
  const both = alone && acting(past) === 1;
  for (const op of ops) {
    const parts = past.some((other) => leads(op.path, other.path)) ? leaves(op) : [op];
    let done = 0;
    for (const part of parts) {
      let moved: Operation | null = part;
      const behind: Operation[] = [];
      for (const other of past) {
        if (moved && own && alone && overwrites(moved, other)) continue;
        const pushed: Operation | null | undefined = moved ? after(other, moved, false) : other;
        if (moved) {
          done += +coincide(moved, other);
          const next = after(moved, other, true);
          if (next === undefined) return none;
          moved = next;
        }
        if (pushed !== null) behind.push(pushed ?? other);
      }
      if (moved) result.push(moved);
      past = behind;
    }
    // The operation is not done already if others have set only a part of the value.
    if (done && (done < parts.length || !(op.kind === 'set' ? alone : both))) return none;
  }
  return { ops: result, others: past };
}

/** Counts the operations that change something. */
function acting(ops: readonly Operation[]): number {
  return ops.filter(({ kind }) => kind !== 'test').length;
}

/** Reports whether two operations on one value do the same. */
function coincide(op: Operation, other: Operation): boolean {
  const { kind, path, value } = op;
  if (kind !== other.kind || !equal(path, other.path)) return false;
  return kind === 'set' ? equal(value, other.value) : kind === 'unset' || (kind === 'remove' && !other.gone);
}

/** Reports whether a value is set where another operation changed it. */
function overwrites({ kind, path }: Operation, other: Operation): boolean {
  return kind === 'set' && settles(other) && equal(path, other.path);
}

/** Splits a new object into its members, because others may create the same object. */
export function leaves(op: Operation): Operation[] {
  const { kind, path, value, was, from = path.length } = op;
  const members = kind === 'set' && was === undefined && isObject(value) ? Object.entries(value) : [];
  if (!members.length) return [op];
  return members.flatMap(([name, inner]) => leaves({ ...op, path: [...path, name], value: inner, from }));
}

/** Reports whether `to` is at or below `path`. */
export function leads(path: Path, to: Path): boolean {
  return path.length <= to.length && path.every((segment, i) => segment === to[i]);
}

/**
 * Transforms an operation to come after another one on the same value. Null: nothing is left of
 * it. Undefined: they collide. Of two elements inserted at one place, the one that comes
 * `later` is behind the other.
 */
function after(op: Operation, other: Operation, later: boolean): Operation | null | undefined {
  if (other.kind === 'test') return op;
  if (!settles(other)) return shifted(op, other, later);
  const { kind, path } = op;
  // It is tested again when it is applied.
  if (kind === 'test') return op;
  // An inserted element is not the element at its place.
  if (kind === 'insert') return leads(other.path, path.slice(0, -1)) ? undefined : op;
  if (!leads(path, other.path) && !leads(other.path, path)) return op;
  if (path.length !== other.path.length) return undefined;
  return coincide(op, other) || (counts(op) && counts(other)) ? op : undefined;
}

/** Reports whether an operation adds to a number, or may have done so if only the result is known. */
function counts({ kind, guessed, value }: Operation): boolean {
  return kind === 'increment' || (guessed === true && typeof value === 'number');
}

/** Moves an operation after an element was inserted or removed. */
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
