import { applyAll, difference, type Operation } from './operation.js';
import { segments } from './patch.js';
import { at, copy, type Json, type Path } from './tree.js';

/** The functions that increment the drafts of the current updates. */
const drafts = new WeakMap<object, (path: Path, by: number) => void>();

/**
 * Adds to a number of a draft, in the function that you pass to `update`:
 *
 *     board.update((draft) => increment(draft, '/votes/ann'));
 *
 * Increments of several clients add up. Of two `draft.votes.ann++` at the same time, one would be lost or rejected.
 * A missing member counts as 0. `path` is a JSON pointer, or an array of names and indices.
 */
export function increment(draft: unknown, path: string | readonly (string | number)[], by = 1): void {
  const add = drafts.get(draft as object);
  if (!add) throw new TypeError('not the draft of an update');
  add(typeof path === 'string' ? segments(path) : path.map(String), by);
}

/** Returns the increments that a function makes, in order, and its result. The result does not show what was incremented. */
export function record(root: Json, recipe: (draft: Json) => unknown): [Operation[], unknown] {
  const draft = copy(root);
  const ops: Operation[] = [];
  const note = (more: readonly Operation[] = difference(root, copy(draft))): void => {
    root = applyAll(root, more);
    ops.push(...more);
  };
  drafts.set(Object(draft), (path, by) => {
    note();
    note([{ kind: 'increment', path, value: by }]);
    (at(draft, path.slice(0, -1)) as Record<string, Json>)[path.at(-1)!] = at(root, path)!;
  });
  const result = recipe(draft);
  note();
  drafts.delete(Object(draft));
  return [ops, result];
}
