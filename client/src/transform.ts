import { equal, isObject, type Path } from './tree.js';
import { settles, type Operation } from './operation.js';

/** Operations that were made to a value, to be made to it after some others instead. */
export interface Transformed {
  /** Undefined: they can not be, because the others changed the same. */
  readonly ops: readonly Operation[] | undefined;
  /** The others, as they are after `ops`. */
  readonly others: readonly Operation[];
}

/**
 * Makes operations come after some others. All of them pass, or none: it is a collision
 *
 * - if one of them changes what one of the others changed, other than both by incrementing it;
 * - if one of them does what one of the others did already, because the rest may rely on having done that
 *   alone: who finds a seat taken must not have it, too. An update that does nothing else passes.
 *
 * `own`: the others take back updates of this page. To set one value goes on then, whatever was there before.
 */
export function transform(ops: readonly Operation[], others: readonly Operation[], own = false): Transformed {
  const result: Operation[] = [];
  const none = { ops: undefined, others };
  const alone = acting(ops) === 1;
  let past = others.flatMap(leaves);
  // Of a removal the other one has to be alone as well: what is removed there may be put elsewhere.
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
    // Nor is a value done of which others have set a part.
    if (done && (done < parts.length || !(op.kind === 'set' ? alone : both))) return none;
  }
  return { ops: result, others: past };
}

/** How many operations change something. */
function acting(ops: readonly Operation[]): number {
  return ops.filter(({ kind }) => kind !== 'test').length;
}

/** Whether two operations on one value do the same. */
function coincide(op: Operation, other: Operation): boolean {
  const { kind, path, value } = op;
  if (kind !== other.kind || !equal(path, other.path)) return false;
  return kind === 'set' ? equal(value, other.value) : kind === 'unset' || (kind === 'remove' && !other.gone);
}

/** Whether a value is set where something else was done to it. */
function overwrites({ kind, path }: Operation, other: Operation): boolean {
  return kind === 'set' && settles(other) && equal(path, other.path);
}

/** An object that is new as its members, because others may make the same object. */
export function leaves(op: Operation): Operation[] {
  const { kind, path, value, was, from = path.length } = op;
  const members = kind === 'set' && was === undefined && isObject(value) ? Object.entries(value) : [];
  if (!members.length) return [op];
  return members.flatMap(([name, inner]) => leaves({ ...op, path: [...path, name], value: inner, from }));
}

/** Whether `to` is at or below `path`. */
export function leads(path: Path, to: Path): boolean {
  return path.length <= to.length && path.every((segment, i) => segment === to[i]);
}

/**
 * An operation after another one that was made to the same value. Null: nothing is left
 * of it; undefined: they collide. Of two elements that are inserted at one place
 * the one that comes `later` stands behind the other.
 */
function after(op: Operation, other: Operation, later: boolean): Operation | null | undefined {
  if (other.kind === 'test') return op;
  if (!settles(other)) return shifted(op, other, later);
  const { kind, path } = op;
  // It is tested again, where it is made.
  if (kind === 'test') return op;
  // An element that is inserted is not what stands at its place.
  if (kind === 'insert') return leads(other.path, path.slice(0, -1)) ? undefined : op;
  if (!leads(path, other.path) && !leads(other.path, path)) return op;
  if (path.length !== other.path.length) return undefined;
  return coincide(op, other) || (counts(op) && counts(other)) ? op : undefined;
}

/** Whether an operation adds to a number, or may have done so where only the result is known. */
function counts({ kind, guessed, value }: Operation): boolean {
  return kind === 'increment' || (guessed === true && typeof value === 'number');
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
