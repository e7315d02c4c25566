import { apply, type Operation } from './operation.js';
import { at, equal, isArray, isObject, type Json } from './tree.js';

/** What takes operations back, as far as nobody has changed since what they did. */
export function reverse(root: Json, ops: readonly Operation[]): Operation[] {
  return [...ops].reverse().flatMap((op) => {
    const back = opposite(root, op);
    if (!back) return [];
    root = apply(root, back);
    return [back];
  });
}

function opposite(root: Json, { kind, path, value, was }: Operation): Operation | undefined {
  const now = at(root, path);
  const parent = at(root, path.slice(0, -1));
  if (kind === 'set' && equal(now, value)) {
    return was === undefined ? { kind: 'unset', path, was: now } : { kind, path, value: was, was: now };
  }
  if (kind === 'unset' && was !== undefined && now === undefined && isObject(parent)) {
    return { kind: 'set', path, value: was };
  }
  if (!isArray(parent)) return undefined;
  const here = +path.at(-1)!;
  const list = path.slice(0, -1);
  if (kind === 'remove') return { kind: 'insert', path: [...list, `${Math.min(here, parent.length)}`], value: was };
  if (kind !== 'insert') return undefined;
  // Others may have moved it.
  const distance = (i: number): number => Math.abs(i - here);
  const [found] = [...parent.keys()].filter((i) => equal(parent[i], value)).sort((a, b) => distance(a) - distance(b));
  return found === undefined ? undefined : { kind: 'remove', path: [...list, `${found}`], was: value };
}

/** One thing to undo. */
export interface Step {
  ops: readonly Operation[];
  time: number;
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

  /** Notes what was done, as a step of its own or as more of the last one. */
  add(ops: readonly Operation[]): Step {
    const [last, time] = [this.#steps.at(-1), Date.now()];
    if (last && time - last.time < together && sameValues(last.ops, ops)) {
      last.ops = ops.map((op, i) => ({ ...op, was: last.ops[i]!.was }));
      last.time = time;
      return last;
    }
    const step = { ops, time };
    this.#steps.push(step);
    if (this.#steps.length > most) this.#steps.shift();
    return step;
  }

  /** Forgets a step that came to nothing. */
  drop(step: Step | undefined): void {
    const i = this.#steps.indexOf(step!);
    if (i >= 0) this.#steps.splice(i, 1);
  }

  /** Takes the last step that still can be undone, as what undoes it. */
  take(root: Json): Operation[] {
    let ops: Operation[] = [];
    while (!ops.length && this.#steps.length) ops = reverse(root, this.#steps.pop()!.ops);
    return ops;
  }
}

/** Whether the same values were set. */
function sameValues(a: readonly Operation[], b: readonly Operation[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ kind, path }, i) => kind === 'set' && b[i]!.kind === kind && equal(path, b[i]!.path))
  );
}
