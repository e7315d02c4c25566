import { type Operation } from './operation.js';
import { type Json } from './tree.js';
/**
 * Adds to a number of a draft, in the function that you pass to `update`:
 *
 *     board.update((draft) => increment(draft, '/votes/ann'));
 *
 * Increments of several clients add up. Of two `draft.votes.ann++` at the same time, one would be lost or rejected.
 * A missing member counts as 0. `path` is a JSON pointer, or an array of names and indices.
 */
export declare function increment(draft: unknown, path: string | readonly (string | number)[], by?: number): void;
/** Returns the increments that a function makes, in order, and its result. The result does not show what was incremented. */
export declare function record(root: Json, recipe: (draft: Json) => unknown): [Operation[], unknown];
