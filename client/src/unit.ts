import { RealtimeError } from './core.js';
import type { Recipe } from './documentevents.js';
import { record } from './increment.js';
import { applyAll, difference, inverse, Misfit, type Operation } from './operation.js';
import { resolve, type Patch } from './patch.js';
import { transform } from './transform.js';
import { at, child, copy, equal, isArray, isObject, type Json } from './tree.js';
import type { Step } from './undo.js';

/** A call of `update`: made as a whole or not at all. */
export interface Unit {
  /** The operations, for the value without this and all later units. */
  ops: readonly Operation[];
  /** The operations as they were made, and the value that they were made to. */
  readonly made: readonly Operation[];
  readonly root: Json;
  readonly step: Step | undefined;
  readonly done: (saved: boolean) => void;
}

/**
 * Transforms units, one after the other, to come after changes of the value below them, and
 * leaves out the rejected units. False: the unit collides with the changes, is rejected, or
 * builds on a unit that is left out.
 */
export function follow(others: readonly Operation[], refused: readonly Unit[]): (unit: Unit) => boolean {
  // Takes back the units that are left out.
  let back: readonly Operation[] = [];
  return (unit) => {
    const without = transform(unit.ops, back, true);
    const behind = without.ops && transform(without.ops, others);
    if (refused.includes(unit) || !behind?.ops) {
      back = [...inverse(unit.ops), ...back];
      return false;
    }
    unit.ops = behind.ops;
    back = without.others;
    others = behind.others;
    return true;
  };
}

/** Returns the value with a unit on top; undefined if it does not fit. */
export function onTop(value: Json, unit: Pick<Unit, 'ops'>): Json | undefined {
  try {
    return applyAll(value, unit.ops);
  } catch {
    return undefined;
  }
}

/**
 * Returns what others did to a document that was created again. A missing member counts as no
 * change. Missing elements of arrays count as removed, because their places mean nothing any
 * more. A removal by this client stays necessary nevertheless, because the client that added the
 * element may add it again.
 */
export function beginning(old: Json, now: Json): Operation[] {
  const ops = difference(old, remains(old, now), [], true);
  return ops.map((op) => (op.kind === 'remove' ? { ...op, gone: true } : op));
}

function remains(old: Json, now: Json | undefined): Json {
  if (now === undefined && isArray(old)) return [];
  if (!isObject(old) || (now !== undefined && !isObject(now))) return now ?? old;
  const kept = Object.entries(old).map(([name, v]) => [name, remains(v, child(now, name))] as const);
  return { ...now, ...Object.fromEntries(kept) };
}

/**
 * Applies a unit to a document that was created again. If the parents of what the unit adds are
 * gone, they are created again. Elements of an array are not, because they have no names.
 */
export function anew(value: Json, unit: Unit, before: Json | undefined): Json {
  const named = ({ kind, path }: Operation): boolean =>
    path.slice(0, path.length - +(kind === 'insert')).every((_, n) => !isArray(at(before, path.slice(0, n))));
  const ops = unit.ops.map((op) => (named(op) && op.was === undefined ? { ...op, from: 0 } : op));
  const next = onTop(value, { ops }) ?? value;
  if (next !== value) {
    const counts = ops.filter(({ kind }) => kind === 'increment');
    const others = ops.filter(({ kind }) => kind !== 'increment');
    // An operation that is done already stays in the unit, and collides with clients that undo it first.
    const idle = ops.filter((op) => named(op) && op.kind.endsWith('set') && equal(at(value, op.path), op.value));
    unit.ops = [...idle, ...difference(value, onTop(value, { ops: others }) ?? value), ...counts];
  }
  return next;
}

/** Returns what a function does to a draft. Its result counts if it does not change the draft. */
export function changes(root: Json, recipe: Recipe<Json>): Operation[] {
  const [ops, result] = fit(() => record(root, recipe));
  if (result instanceof Promise) throw new TypeError('an update is never async');
  return !ops.length && typeof result === 'object' && result ? difference(root, copy(result as Json)) : ops;
}

export function effects(root: Json, patch: Patch): readonly Operation[] {
  return fit(() => resolve(root, copy(patch)).ops);
}

/** Turns a misfit into an error, because it is a mistake of the page. */
function fit<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof Misfit ? new RealtimeError('INVALID_MESSAGE', error.message) : error;
  }
}
