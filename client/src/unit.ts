import { RealtimeError } from './core.js';
import type { Recipe } from './documentevents.js';
import { record } from './increment.js';
import { applyAll, difference, inverse, Misfit, type Operation } from './operation.js';
import { resolve, type Patch } from './patch.js';
import { transform } from './transform.js';
import { at, child, copy, equal, isArray, isObject, type Json } from './tree.js';
import type { Step } from './undo.js';

/** A call of `update`: done as a whole or not at all. */
export interface Unit {
  /** To be made to what is shown without this and all later units. */
  ops: readonly Operation[];
  /** As they were made, and to what. */
  readonly made: readonly Operation[];
  readonly root: Json;
  readonly step: Step | undefined;
  readonly done: (saved: boolean) => void;
}

/**
 * Has units, one after the other, come after what was done to the value below them, and
 * without those that are refused. False: the unit collides with it, is one of those, or
 * builds on a unit that falls out.
 */
export function follow(others: readonly Operation[], refused: readonly Unit[]): (unit: Unit) => boolean {
  // What takes back the units that fall out.
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

/** The value with a unit on top; undefined: it does not fit. */
export function onTop(value: Json, unit: Pick<Unit, 'ops'>): Json | undefined {
  try {
    return applyAll(value, unit.ops);
  } catch {
    return undefined;
  }
}

/**
 * What others did to a value that began anew: that a member is gone is nothing, but
 * elements of arrays are, whose places mean nothing any more. To remove one of them is
 * not done by that: whoever added it may bring it along.
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
 * Has a unit made to a value that begins anew. What it adds finds a place even where its
 * surroundings are gone, unless they were elements of an array, which nothing names.
 */
export function anew(value: Json, unit: Unit, before: Json | undefined): Json {
  const named = ({ kind, path }: Operation): boolean =>
    path.slice(0, path.length - +(kind === 'insert')).every((_, n) => !isArray(at(before, path.slice(0, n))));
  const ops = unit.ops.map((op) => (named(op) && op.was === undefined ? { ...op, from: 0 } : op));
  const next = onTop(value, { ops }) ?? value;
  if (next !== value) {
    const counts = ops.filter(({ kind }) => kind === 'increment');
    const others = ops.filter(({ kind }) => kind !== 'increment');
    // What is done already stays in it, and collides with those who undo it before.
    const idle = ops.filter((op) => named(op) && op.kind.endsWith('set') && equal(at(value, op.path), op.value));
    unit.ops = [...idle, ...difference(value, onTop(value, { ops: others }) ?? value), ...counts];
  }
  return next;
}

/** What a function does to a draft; what it gives counts if it leaves the draft alone. */
export function changes(root: Json, recipe: Recipe<Json>): Operation[] {
  const [ops, result] = fit(() => record(root, recipe));
  if (result instanceof Promise) throw new TypeError('an update is never async');
  return !ops.length && typeof result === 'object' && result ? difference(root, copy(result as Json)) : ops;
}

export function effects(root: Json, patch: Patch): readonly Operation[] {
  return fit(() => resolve(root, copy(patch)).ops);
}

/** Says that what does not fit is the page's mistake. */
function fit<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof Misfit ? new RealtimeError('INVALID_MESSAGE', error.message) : error;
  }
}
