import { applyAll, difference, guess, inverse, settles, type Operation } from './operation.js';
import { leads, transform } from './transform.js';
import { at, child, equal, isArray, type Json } from './tree.js';

/** One thing to undo. */
export interface Step {
  ops: readonly Operation[];
  /** What takes them back, where they have just been made. */
  back: readonly Operation[];
  /** The value with them. */
  after: Json;
  time: number;
  /** Others have changed the same since, perhaps to what it was. */
  spoiled?: boolean;
}

/** What undoes a step now; undefined: others have changed the same since. */
export interface Undoing {
  readonly step: Step;
  readonly ops: readonly Operation[] | undefined;
}

/** How soon one change of a value has to follow another to be undone with it: typing, dragging. */
const together = 1000;
/** How many steps can be undone. */
const most = 100;

/** What can be undone, the last at the end. */
export class Steps {
  readonly #steps: Step[] = [];

  get length(): number {
    return this.#steps.length;
  }

  /** Notes what was done to a value, as a step of its own or as more of the last one. */
  add(before: Json, made: readonly Operation[]): Step {
    const [last, time] = [this.#steps.at(-1), Date.now()];
    const more = last && !last.spoiled && time - last.time < together && sameValues(last.ops, made);
    // The values of the first one are what to go back to.
    const ops = more ? made.map((op, i) => ({ ...op, was: last.ops[i]!.was })) : made;
    const step = { ops, back: inverse(ops), after: applyAll(before, made), time };
    if (more) return Object.assign(last, step);
    this.#steps.push(step);
    if (this.#steps.length > most) this.#steps.shift();
    return step;
  }

  /** Forgets a step that came to nothing. */
  drop(step: Step | undefined): void {
    const i = this.#steps.indexOf(step!);
    if (i >= 0) this.#steps.splice(i, 1);
  }

  /**
   * Notes what others do to a value. Most of it can be seen when a step is undone; but not that they
   * changed something twice, and put there themselves what the step had put there.
   */
  meet(value: Json, others: readonly Operation[]): void {
    for (const step of this.#steps) {
      step.spoiled ||= step.ops.some((op) => others.some((other) => touches(value, op, other)));
    }
  }

  /** Takes the last step of which something is left to undo: all of it can be undone, or nothing. */
  take(value: Json): Undoing | undefined {
    const step = this.#steps.pop();
    if (!step) return undefined;
    const { ops } = transform(step.back, guess(difference(step.after, value, [], true)));
    if (step.spoiled || !ops) return { step, ops: undefined };
    return ops.length ? { step, ops } : this.take(value);
  }
}

/** Whether others change what an operation changed. Elements of arrays are known by their ids. */
function touches(value: Json, op: Operation, other: Operation): boolean {
  const id = identity(op);
  if (id !== undefined) return equal(id, identity(other));
  if (op.kind === 'increment' && (other.kind === op.kind || other.guessed)) return false;
  const fixed = (o: Operation): boolean => settles(o) && !o.path.some((_, n) => isArray(at(value, o.path.slice(0, n))));
  return fixed(op) && fixed(other) && (leads(op.path, other.path) || leads(other.path, op.path));
}

/** The id of an element that comes or goes. */
function identity(op: Operation): Json | undefined {
  return settles(op) ? undefined : child(op.value ?? op.was, 'id');
}

/** Whether the same values were set. */
function sameValues(a: readonly Operation[], b: readonly Operation[]): boolean {
  const paths = [a, b].map((ops) => ops.map(({ path }) => path));
  return equal(paths[0], paths[1]) && [...a, ...b].every(({ kind }) => kind === 'set');
}
