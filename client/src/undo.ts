import { applyAll, difference, guess, inverse, settles, type Operation } from './operation.js';
import { leads, transform } from './transform.js';
import { at, child, equal, isArray, type Json } from './tree.js';

/** One thing to undo. */
export interface Step {
  ops: readonly Operation[];
  /** The operations that undo them, right after them. */
  back: readonly Operation[];
  /** The value after them. */
  after: Json;
  time: number;
  /** Others have changed the same since, perhaps back to the old value. */
  spoiled?: boolean;
}

/** Returns what undoes a step now; undefined if others have changed the same since. */
export interface Undoing {
  readonly step: Step;
  readonly ops: readonly Operation[] | undefined;
}

/** Changes of one value within this time are undone together: typing, dragging. */
const together = 1000;
/** How many steps can be undone. */
const most = 100;

/** The steps that can be undone, the last at the end. */
export class Steps {
  readonly #steps: Step[] = [];

  get length(): number {
    return this.#steps.length;
  }

  /** Records a change of a value, as a new step or as a part of the last one. */
  add(before: Json, made: readonly Operation[]): Step {
    const [last, time] = [this.#steps.at(-1), Date.now()];
    const more = last && !last.spoiled && time - last.time < together && sameValues(last.ops, made);
    // Undo goes back to the values of the first change.
    const ops = more ? made.map((op, i) => ({ ...op, was: last.ops[i]!.was })) : made;
    const step = { ops, back: inverse(ops), after: applyAll(before, made), time };
    if (more) return Object.assign(last, step);
    this.#steps.push(step);
    if (this.#steps.length > most) this.#steps.shift();
    return step;
  }

  /** Drops a step that was not made. */
  drop(step: Step | undefined): void {
    const i = this.#steps.indexOf(step!);
    if (i >= 0) this.#steps.splice(i, 1);
  }

  /**
   * Records what others do to a value. The value itself shows most of it. It does not show that others
   * changed it twice, and back to the value of the step.
   */
  meet(value: Json, others: readonly Operation[]): void {
    for (const step of this.#steps) {
      step.spoiled ||= step.ops.some((op) => others.some((other) => touches(value, op, other)));
    }
  }

  /** Takes the last step that has something to undo. It is undone as a whole or not at all. */
  take(value: Json): Undoing | undefined {
    const step = this.#steps.pop();
    if (!step) return undefined;
    const { ops } = transform(step.back, guess(difference(step.after, value, [], true)));
    if (step.spoiled || !ops) return { step, ops: undefined };
    return ops.length ? { step, ops } : this.take(value);
  }
}

/** Reports whether others change what an operation changed. Elements of arrays are compared by their ids. */
function touches(value: Json, op: Operation, other: Operation): boolean {
  const id = identity(op);
  if (id !== undefined) return equal(id, identity(other));
  if (op.kind === 'increment' && (other.kind === op.kind || other.guessed)) return false;
  const fixed = (o: Operation): boolean => settles(o) && !o.path.some((_, n) => isArray(at(value, o.path.slice(0, n))));
  return fixed(op) && fixed(other) && (leads(op.path, other.path) || leads(other.path, op.path));
}

/** Returns the id of an inserted or removed element. */
function identity(op: Operation): Json | undefined {
  return settles(op) ? undefined : child(op.value ?? op.was, 'id');
}

/** Reports whether the same values were set. */
function sameValues(a: readonly Operation[], b: readonly Operation[]): boolean {
  const paths = [a, b].map((ops) => ops.map(({ path }) => path));
  return equal(paths[0], paths[1]) && [...a, ...b].every(({ kind }) => kind === 'set');
}
